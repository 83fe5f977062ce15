"""What is secret lies sealed in the database, in its place only, and opens with the right key file only."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text, update
from structlog.testing import capture_logs

from bessemer.domain.deploy_template import DeployTemplate
from bessemer.domain.inspection.rule import InspectionRule
from bessemer.domain.operation import NewOperation, PlanItem
from bessemer.domain.volume import VolumeTarget
from bessemer.kernel.error import Unavailable
from bessemer.kernel.ident import new_uuid
from bessemer.kernel.seal import Keyring, SealBroken, key_id, new_key
from bessemer.store.database import Database
from bessemer.store.deploy_template import create_deploy_template, get_deploy_template
from bessemer.store.inspection_rule import (
    create_inspection_rule,
    get_inspection_rule,
    update_inspection_rule,
)
from bessemer.store.key import list_key_names, unlock
from bessemer.store.key_change import add_key, begin_rotation, complete_rotation, prune_keys
from bessemer.store.key_file import BadKeyFile, read_keys, read_raw_keys, write_keys
from bessemer.store.node import create_node, get_node, merge_node, update_node
from bessemer.store.operation import enqueue, get_operation
from bessemer.store.reseal import MAPPERS, count_stale, list_key_names_in_use, reseal_all
from bessemer.store.table import DEPLOY_TEMPLATES, METADATA, NODES, OPERATIONS, VOLUME_TARGETS
from bessemer.store.table.column import TEXT
from bessemer.store.vault import LOOK_S, Vault
from bessemer.store.volume_target import create_volume_target, get_volume_target
from fakes.store import LONG_AGO, a_node
from fixture_database import KEYS

SECRET = "open-sesame-4711"
Everything = Callable[[], Any]

#: JSON documents that hold no secrets, by what the contract says of them.
PLAIN = {
    "extra", "properties", "network_data", "raid_config", "target_raid_config", "internal_info",
    "local_link_connection", "traits", "candidate_nodes", "drivers", "allowable_values", "payload", "error",
    "inventory", "plugin_data", "event", "report", "calls", "kinds",
}  # fmt: skip


async def every_text(database: Database) -> str:
    """Everything in every table, as text."""
    found: list[str] = []
    async with database.read() as tx:
        for table in METADATA.sorted_tables:
            found += [str(tuple(row)) for row in await tx.execute(select(table))]
    return "\n".join(found)


async def put_secrets_everywhere(database: Database) -> str:
    """The UUID of a node that has them."""
    node = a_node(
        driver_info={
            "redfish_password": SECRET,
            "snmp_auth_key": SECRET,
            "deploy_iso": f"http://u:{SECRET}@h/i",
        },
        driver_internal_info={"agent_secret_token": SECRET, "boot_key": SECRET},
        instance_info={"configdrive": {"user_data": SECRET}, "image_url": SECRET, "list_of_tokens": [SECRET]},
        clean_step={"args": {"settings": [{"name": "AdminPassword", "value": SECRET}]}},
    )
    steps = ({"interface": "bios", "step": "x", "args": {"password": SECRET}},)
    rule = InspectionRule(
        uuid=new_uuid(), created_at=LONG_AGO, sensitive=True, actions=({"op": "log", "args": [SECRET]},)
    )
    async with database.write() as tx:
        await create_node(tx, node)
        await create_volume_target(
            tx,
            VolumeTarget(
                uuid=new_uuid(), node_uuid=node.uuid, volume_type="iscsi", boot_index=0, volume_id="v",
                created_at=LONG_AGO, properties={"auth_password": SECRET},
            ),
        )  # fmt: skip
        await create_deploy_template(
            tx, DeployTemplate(uuid=new_uuid(), name="CUSTOM_T", created_at=LONG_AGO, steps=steps)
        )
        await create_inspection_rule(tx, rule)
        new = NewOperation(node_uuid=node.uuid, kind="toy", args={"rescue_password": SECRET})
        await enqueue(tx, new, [PlanItem("s", {"token": SECRET})])
    return node.uuid


async def test_nothing_secret_lies_in_the_database_in_clear_and_all_of_it_is_read_back(
    database: Database,
) -> None:
    uuid = await put_secrets_everywhere(database)
    assert SECRET not in await every_text(database)
    async with database.read() as tx:
        node = await get_node(tx, uuid)
    assert node.driver_info["redfish_password"] == SECRET
    assert node.driver_info["deploy_iso"] == f"http://u:{SECRET}@h/i"
    assert node.instance_info["configdrive"] == {"user_data": SECRET}
    assert node.instance_info["list_of_tokens"] == [SECRET]
    assert node.clean_step["args"]["settings"][0] == {"name": "AdminPassword", "value": SECRET}


async def test_what_is_changed_is_sealed_too(database: Database) -> None:
    node = a_node()
    async with database.write() as tx:
        await create_node(tx, node)
        changed = await update_node(tx, node.uuid, driver_info={"redfish_password": SECRET})
        merged = await merge_node(tx, node.uuid, "driver_internal_info", {"agent_secret_token": SECRET})
    assert changed.driver_info["redfish_password"] == SECRET
    assert merged.driver_internal_info["agent_secret_token"] == SECRET
    assert SECRET not in await every_text(database)


async def test_values_that_look_sealed_come_back_as_they_were_given(database: Database) -> None:
    given = {"note": "sealed:1:not really", "redfish_password": "sealed:1:nor this"}
    node = a_node(driver_info=given)
    async with database.write() as tx:
        await create_node(tx, node)
    async with database.read() as tx:
        assert (await get_node(tx, node.uuid)).driver_info == given


async def test_a_rule_that_becomes_sensitive_is_sealed_then(database: Database) -> None:
    rule = InspectionRule(uuid=new_uuid(), created_at=LONG_AGO, actions=({"op": "log", "args": [SECRET]},))
    async with database.write() as tx:
        await create_inspection_rule(tx, rule)
    assert SECRET in await every_text(database)
    async with database.write() as tx:
        await update_inspection_rule(tx, rule.uuid, sensitive=True)
    assert SECRET not in await every_text(database)
    async with database.write() as tx:
        await update_inspection_rule(tx, rule.uuid, actions=({"op": "log", "args": [SECRET, 2]},))
    assert SECRET not in await every_text(database)
    async with database.read() as tx:
        assert (await get_inspection_rule(tx, rule.uuid)).actions[0]["args"] == [SECRET, 2]


async def test_a_sealed_value_that_is_moved_to_another_node_does_not_open(database: Database) -> None:
    mine, yours = a_node(driver_info={"redfish_password": SECRET}), a_node()
    async with database.write() as tx:
        await create_node(tx, mine)
        await create_node(tx, yours)
        moved = (await tx.execute(select(NODES.c.driver_info).where(NODES.c.uuid == mine.uuid))).scalar()
        await tx.execute(update(NODES).where(NODES.c.uuid == yours.uuid).values(driver_info=moved))
    async with database.read() as tx:
        with pytest.raises(SealBroken, match=yours.uuid):
            await get_node(tx, yours.uuid)


async def test_without_its_key_a_database_takes_no_secret(database_url: str) -> None:
    database = await Database.open(database_url)
    async with database.write() as tx:
        await create_node(tx, a_node(driver_info={"redfish_address": "https://bmc"}))
    with pytest.raises(Unavailable, match="key"):
        async with database.write() as tx:
            await create_node(tx, a_node(driver_info={"redfish_password": SECRET}))
    await database.close()


def test_every_document_is_either_sealed_or_known_to_hold_no_secret() -> None:
    sealed = {(mapper.table.name, field) for mapper in MAPPERS for field in mapper.sealed_fields}
    documents = {
        (table.name, column.name)
        for table in METADATA.sorted_tables
        for column in table.columns
        if type(column.type).__name__ == "Text" and column.type is not TEXT
    }
    assert sealed <= documents
    assert {one for one in documents - sealed if one[1] not in PLAIN} == set()


# ---------------------------------------------------------------------- the key file


async def test_the_key_file_is_made_on_the_first_start_for_its_owner_only(
    database_url: str, tmp_path: Path
) -> None:
    path = tmp_path / "key"
    database = await Database.open(database_url)
    keys = await unlock(database, path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert (await unlock(database, path)).ids == keys.ids
    await database.close()


async def test_a_new_key_file_does_not_fit_a_database_with_secrets(database_url: str, tmp_path: Path) -> None:
    database = await Database.open(database_url)
    keys = await unlock(database, tmp_path / "key")
    with pytest.raises(BadKeyFile, match=f"does not exist.*{keys.ids[0]}"):
        await unlock(database, tmp_path / "other")
    assert not (tmp_path / "other").exists()
    write_keys(tmp_path / "other", [new_key()])
    with pytest.raises(BadKeyFile, match=f"other' lacks key {keys.ids[0]}"):
        await unlock(database, tmp_path / "other")
    await database.close()


async def test_a_key_file_that_others_may_read_is_refused(database: Database, tmp_path: Path) -> None:
    write_keys(tmp_path / "key", [new_key()])
    (tmp_path / "key").chmod(0o604)
    with pytest.raises(BadKeyFile, match="open to others"):
        await unlock(database, tmp_path / "key")


@pytest.mark.parametrize("content", ["", "# only words\n", "not base64!\n", "c2hvcnQ=\n", "\x00\xff"])
def test_a_key_file_without_keys_is_refused_by_name(tmp_path: Path, content: str) -> None:
    path = tmp_path / "key"
    path.touch(0o600)
    path.write_text(content, encoding="latin-1")
    with pytest.raises(BadKeyFile, match=str(path)):
        read_keys(path)


# ---------------------------------------------------------------------- changing keys


async def test_a_rotation_seals_everything_with_the_new_key_and_prune_drops_the_old(
    database: Database, tmp_path: Path
) -> None:
    path = tmp_path / "key"
    old = (await unlock(database, path)).ids[0]
    uuid = await put_secrets_everywhere(database)
    new = await begin_rotation(database, path)
    assert new != old
    assert await count_stale(database) == 5
    assert await complete_rotation(database, settle_s=0) == 5
    assert await list_key_names_in_use(database) == {new}
    assert await prune_keys(database, path) == [old]
    assert read_keys(path).ids == (new,)
    async with database.read() as tx:
        assert (await get_node(tx, uuid)).driver_info["redfish_password"] == SECRET
        assert await list_key_names(tx) == [new]


async def test_a_rotation_that_was_cut_short_is_taken_up(database: Database, tmp_path: Path) -> None:
    path = tmp_path / "key"
    await unlock(database, path)
    await put_secrets_everywhere(database)
    new = await begin_rotation(database, path)
    assert await begin_rotation(database, path) == new
    await complete_rotation(database, settle_s=0)
    assert await complete_rotation(database, settle_s=0) == 0
    assert await begin_rotation(database, path) != new


async def test_rows_from_before_sealing_are_readable_and_sealed_by_a_rotation(
    database: Database, tmp_path: Path
) -> None:
    path = tmp_path / "key"
    await unlock(database, path)
    node = a_node()
    async with database.write() as tx:
        await create_node(tx, node)
        plain = '{"redfish_password":"' + SECRET + '"}'
        await tx.execute(update(NODES).where(NODES.c.uuid == node.uuid).values(driver_info=plain))
    async with database.read() as tx:
        assert (await get_node(tx, node.uuid)).driver_info == {"redfish_password": SECRET}
    assert await reseal_all(database) == 1
    assert SECRET not in await every_text(database)


async def test_a_sensitive_rule_stays_sealed_as_a_whole_when_keys_change(
    database: Database, tmp_path: Path
) -> None:
    await unlock(database, tmp_path / "key")
    await put_secrets_everywhere(database)
    await begin_rotation(database, tmp_path / "key")
    await complete_rotation(database, settle_s=0)
    assert SECRET not in await every_text(database)


async def test_a_process_that_runs_meanwhile_reads_and_seals_with_the_new_key(
    database_url: str, database: Database, tmp_path: Path
) -> None:
    path, now = tmp_path / "key", [0.0]
    await unlock(database, path)
    other = await Database.open(database_url)
    other.vault = Vault(read_keys(path), path, monotonic=lambda: now[0])
    uuid = await put_secrets_everywhere(database)
    new = await begin_rotation(database, path)
    await complete_rotation(database, settle_s=0)
    async with other.read() as tx:
        assert (await get_node(tx, uuid)).driver_info["redfish_password"] == SECRET
    async with other.write() as tx:
        await update_node(tx, uuid, driver_info={"redfish_password": "changed"})
    assert await list_key_names_in_use(database) == {new}
    await other.close()


def test_a_bad_key_file_changes_nothing_but_the_log(tmp_path: Path) -> None:
    path, now = tmp_path / "key", [0.0]
    write_keys(path, [new_key()])
    vault = Vault(read_keys(path), path, monotonic=lambda: now[0])
    before = vault.mark("a")
    keys = read_raw_keys(path)
    with capture_logs() as logs:
        path.write_text("")  # half copied, say
        for _ in range(3):
            now[0] += LOOK_S
            assert vault.mark("a") == before
    assert [line["log_level"] for line in logs] == ["warning"]
    write_keys(path, [new_key(), *keys])
    path.chmod(0o644)
    now[0] += LOOK_S
    assert vault.mark("a") == before
    path.chmod(0o600)
    now[0] += LOOK_S
    assert vault.mark("a") != before
    assert vault.is_mark("a", before)


async def test_a_key_that_was_added_seals_after_the_next_rotation(database: Database, tmp_path: Path) -> None:
    path = tmp_path / "key"
    old = (await unlock(database, path)).ids[0]
    added = add_key(path)
    assert read_keys(path).ids == (old, added)
    assert await begin_rotation(database, path) == added
    assert [key_id(key) for key in read_raw_keys(path)] == [added, old]


async def test_a_pass_leaves_rows_that_somebody_holds_for_the_next_one(
    database: Database, tmp_path: Path
) -> None:
    if not database.is_postgresql:
        pytest.skip("SQLite has one writer at a time: nobody else holds a row")
    await unlock(database, tmp_path / "key")
    uuid = await put_secrets_everywhere(database)
    await begin_rotation(database, tmp_path / "key")
    async with database.write() as tx:
        await tx.execute(text("SELECT 1 FROM nodes WHERE uuid = :uuid FOR UPDATE"), {"uuid": uuid})
        assert await reseal_all(database) == 4
    assert await count_stale(database) == 1
    assert await reseal_all(database) == 1


async def test_documents_of_other_records_open_too(database: Database) -> None:
    uuid = await put_secrets_everywhere(database)
    async with database.read() as tx:
        tables = (VOLUME_TARGETS, DEPLOY_TEMPLATES, OPERATIONS)
        target, template, operation = [(await tx.execute(select(table.c.uuid))).scalar() for table in tables]
        assert (await get_volume_target(tx, str(target))).properties == {"auth_password": SECRET}
        assert (await get_deploy_template(tx, str(template))).steps[0]["args"] == {"password": SECRET}
        found = await get_operation(tx, str(operation))
    assert found.node_uuid == uuid
    assert found.args == {"rescue_password": SECRET}
    assert found.plan[0].args == {"token": SECRET}
    assert KEYS.ids[0] in await every_text(database)
    assert isinstance(KEYS, Keyring)
