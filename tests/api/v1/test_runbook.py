"""Runbooks: create, show, list, change, delete, their traits, and who sees whose."""

from typing import Any

import pytest

from bessemer.kernel.error import Forbidden, InvalidValue
from bessemer.service.caller import Caller
from bessemer.service.runbook import change_rules
from bessemer.store.page import Page
from fakes.api_client import ApiClient
from fakes.api_world import World
from fakes.persona import OWNER, default_policy, persona

UUID = "6ba7b810-9dad-41d1-80b4-00c04fd430c8"
ALL = "/v1/runbooks"
STEP = {"interface": "raid", "step": "delete_configuration", "args": {}, "order": 1}
RULE = "baremetal:runbook"
OURS, THEIRS = (persona(name).under(default_policy()) for name in ("owner_manager", "other_manager"))


async def create(client: ApiClient, name: str = "fix.it", **values: Any) -> Any:
    reply = await client.post(ALL, {"name": name, "steps": [STEP], **values})
    assert reply.status == 201, reply.body
    return reply.json


async def test_a_runbook_lives_and_dies(client: ApiClient) -> None:
    reply = await client.post(ALL, {"uuid": UUID, "name": "fix.it", "steps": [STEP], "description": "all"})
    assert (reply.status, reply.headers["location"]) == (201, f"http://api.test{ALL}/{UUID}")
    assert reply.json.keys() == {
        "uuid", "name", "steps", "extra", "disable_ramdisk", "public", "owner", "description", "traits",
        "created_at", "updated_at", "links",
    }  # fmt: skip
    assert (reply.json["public"], reply.json["owner"], reply.json["traits"]) == (False, None, [])
    for ident in (UUID, "fix.it"):
        assert (await client.get(f"{ALL}/{ident}")).json == reply.json
    changed = await client.patch(
        f"{ALL}/fix.it",
        [
            {"op": "replace", "path": "/name", "value": "CUSTOM_FIX"},
            {"op": "replace", "path": "/steps/0/order", "value": 9},
            {"op": "add", "path": "/disable_ramdisk", "value": True},
            {"op": "add", "path": "/extra/a", "value": 1},
            {"op": "remove", "path": "/description"},
        ],
    )
    assert changed.status == 200, changed.body
    assert (changed.json["steps"][0]["order"], changed.json["disable_ramdisk"]) == (9, True)
    assert (changed.json["extra"], changed.json["description"]) == ({"a": 1}, None)
    for status in (204, 404):
        assert (await client.delete(f"{ALL}/CUSTOM_FIX")).status == status


@pytest.mark.parametrize(
    "body",
    [
        None,
        {"name": "a"},
        {"name": "a", "steps": []},
        {"name": "a", "steps": [STEP, STEP]},
        {"name": "a", "steps": [{**STEP, "priority": 1}]},
        {"name": "a", "steps": [{"interface": "raid", "step": "x", "args": {}}]},
        {"name": "a", "steps": [{**STEP, "interface": "vendor", "step": "send_raw"}]},
        {"name": "no name", "steps": [STEP]},
        {"name": UUID, "steps": [STEP]},
        {"name": "a", "steps": [STEP], "traits": ["CUSTOM_A"]},
        {"name": "a", "steps": [STEP], "public": True, "owner": "me"},
        {"name": "a", "steps": [STEP], "public": "perhaps"},
        {"name": "a", "steps": [STEP], "description": "x" * 256},
    ],
)
async def test_a_runbook_is_checked(client: ApiClient, body: Any) -> None:
    assert (await client.post(ALL, body)).status == 400
    assert (await client.get(ALL)).json == {"runbooks": []}


@pytest.mark.parametrize(
    "patch",
    [
        {"op": "remove", "path": "/name"},
        {"op": "remove", "path": "/steps"},
        {"op": "add", "path": "/traits", "value": ["CUSTOM_A"]},
        {"op": "add", "path": "/owner", "value": "me"},
        {"op": "replace", "path": "/steps", "value": [STEP, STEP]},
    ],
)
async def test_a_change_is_checked(client: ApiClient, patch: Any) -> None:
    before = await create(client, public=True)
    assert (await client.patch(f"{ALL}/fix.it", [patch])).status == 400
    assert (await client.get(f"{ALL}/fix.it")).json == before


async def test_older_clients_name_runbooks_by_traits_and_know_no_description(client: ApiClient) -> None:
    older = client.at("1.111")
    assert (await older.post(ALL, {"name": "fix.it", "steps": [STEP]})).status == 400
    created = await older.post(ALL, {"name": "CUSTOM_FIX", "steps": [STEP]})
    assert (created.status, {"traits", "description"} & created.json.keys()) == (201, set())
    described = {"name": "CUSTOM_B", "steps": [STEP], "description": "x"}
    assert (await older.post(ALL, described)).status == 400
    path = f"{ALL}/CUSTOM_FIX"
    for patch in (
        {"op": "add", "path": "/description", "value": "x"},
        {"op": "replace", "path": "/name", "value": "fix.it"},
    ):
        assert (await older.patch(path, [patch])).status == 400
        assert (await client.patch(path, [patch])).status == 200
        path = f"{ALL}/CUSTOM_FIX"
    assert (await older.get(f"{ALL}/fix.it?fields=traits")).status == 406


async def test_making_a_runbook_public_takes_its_owner_away(client: ApiClient) -> None:
    await create(client, owner="me")
    changed = await client.patch(f"{ALL}/fix.it", [{"op": "add", "path": "/public", "value": True}])
    assert (changed.json["public"], changed.json["owner"]) == (True, None)
    back = [
        {"op": "replace", "path": "/public", "value": False},
        {"op": "add", "path": "/owner", "value": "you"},
    ]
    changed = await client.patch(f"{ALL}/fix.it", back)
    assert (changed.json["public"], changed.json["owner"]) == (False, "you")


async def test_names_and_uuids_are_taken_once(client: ApiClient) -> None:
    await create(client, uuid=UUID)
    assert (await client.post(ALL, {"name": "fix.it", "steps": [STEP]})).status == 409
    assert (await client.post(ALL, {"name": "other", "steps": [STEP], "uuid": UUID})).status == 409


async def test_traits_are_replaced_added_and_removed(client: ApiClient) -> None:
    await create(client)
    path = f"{ALL}/fix.it/traits"
    assert (await client.put(path, {"traits": ["CUSTOM_B", "CUSTOM_A", "CUSTOM_A"]})).status == 204
    assert (await client.get(path)).json == {"traits": ["CUSTOM_A", "CUSTOM_B"]}
    added = await client.put(f"{path}/HW_CPU_X86_VMX")
    assert (added.status, added.headers["location"]) == (204, f"http://api.test{path}/HW_CPU_X86_VMX")
    for _ in range(2):  # unlike a node's, a trait that is not there may be removed
        assert (await client.delete(f"{path}/CUSTOM_A")).status == 204
    assert (await client.get(f"{ALL}/fix.it")).json["traits"] == ["CUSTOM_B", "HW_CPU_X86_VMX"]
    assert (await client.get(f"{ALL}?detail=true")).json["runbooks"][0]["traits"] == [
        "CUSTOM_B",
        "HW_CPU_X86_VMX",
    ]
    assert (await client.delete(path)).status == 204
    assert (await client.get(path)).json == {"traits": []}


async def test_traits_are_checked(client: ApiClient) -> None:
    await create(client)
    path = f"{ALL}/fix.it/traits"
    for body in ({}, None, {"traits": "CUSTOM_A"}, {"traits": ["lower"]}, {"traits": [5]}):
        assert (await client.put(path, body)).status == 400
    assert (await client.put(f"{path}/lower")).status == 400
    assert (await client.put(f"{path}/CUSTOM_A", {"traits": []})).status == 400
    for method in ("GET", "DELETE"):
        assert (await client.call(method, f"{ALL}/none/traits")).status == 404
    assert (await client.put(f"{ALL}/none/traits/CUSTOM_A")).status == 404


async def test_runbooks_are_listed_in_pages_by_owner_and_with_chosen_fields(client: ApiClient) -> None:
    for name, owner in (("b", "me"), ("c", None), ("a", "me")):
        await create(client, name, owner=owner)
    assert (await client.get(ALL)).json["runbooks"][0].keys() == {"uuid", "name", "links"}
    mine = (await client.get(f"{ALL}?project=me&sort_key=name")).json["runbooks"]
    assert [item["name"] for item in mine] == ["a", "b"]
    first = (await client.get(f"{ALL}?sort_key=name&limit=2&fields=name,traits")).json
    rest = (await client.get(first["next"])).json
    assert [item["name"] for item in (*first["runbooks"], *rest["runbooks"])] == ["a", "b", "c"]
    assert rest["runbooks"][0].keys() == {"name", "traits", "links"}
    for query in ("fields=zork", "sort_key=traits", "sort_key=steps", "limit=0"):
        assert (await client.get(f"{ALL}?{query}")).status == 400


async def test_secrets_in_steps_are_masked(client: ApiClient) -> None:
    created = await create(client, steps=[{**STEP, "args": {"admin_password": "hush"}}])
    assert created["steps"][0]["args"] == {"admin_password": "******"}
    listed = (await client.get(f"{ALL}?fields=steps")).json["runbooks"][0]
    assert listed["steps"] == created["steps"]


async def test_a_project_sees_its_own_runbooks_and_public_ones(world: World) -> None:
    runbooks = world.services.runbooks
    own = await runbooks.create(OURS.asking(f"{RULE}:create"), {"name": "own", "steps": [STEP]})
    assert own.owner == OWNER
    public = await runbooks.create(
        Caller(is_trusted=True), {"name": "public", "steps": [STEP], "public": True}
    )
    nobodys = await runbooks.create(Caller(is_trusted=True), {"name": "nobodys", "steps": [STEP]})

    async def names(caller: Caller) -> list[str]:
        return [
            row[0]
            for row in await runbooks.list_rows(caller.asking(f"{RULE}:list"), ["name"], Page(limit=10))
        ]

    assert await names(OURS) == ["own", "public"]
    assert await names(THEIRS) == ["public"]
    assert await names(Caller(is_trusted=True)) == ["own", "public", "nobodys"]
    assert await runbooks.get(THEIRS.asking(f"{RULE}:get"), public.uuid) == public
    for runbook in (own, nobodys):
        with pytest.raises(Forbidden):
            await runbooks.get(THEIRS.asking(f"{RULE}:get"), runbook.uuid)
        with pytest.raises(Forbidden):
            await runbooks.list_traits(THEIRS.asking(f"{RULE}:get"), runbook.uuid)


async def test_a_project_changes_only_its_own_runbooks(world: World) -> None:
    runbooks = world.services.runbooks
    own = await runbooks.create(OURS.asking(f"{RULE}:create"), {"name": "own", "steps": [STEP]})
    public = await runbooks.create(
        Caller(is_trusted=True), {"name": "public", "steps": [STEP], "public": True}
    )
    assert (
        await runbooks.update(OURS.asking(f"{RULE}:update"), "own", lambda _: {"name": "mine"})
    ).name == "mine"
    for changes in ({"public": True}, {"owner": "theirs"}):
        asking = OURS.asking(*change_rules(changes))
        with pytest.raises(Forbidden):
            await runbooks.update(asking, own.uuid, lambda _, changes=changes: changes)
    for runbook in (own, public):
        with pytest.raises(Forbidden):
            await runbooks.update(THEIRS.asking(f"{RULE}:update"), runbook.uuid, lambda _: {"name": "x"})
        with pytest.raises(Forbidden):
            await runbooks.delete(THEIRS.asking(f"{RULE}:delete"), runbook.uuid)
        with pytest.raises(Forbidden):
            await runbooks.add_trait(THEIRS.asking(f"{RULE}:update"), runbook.uuid, "CUSTOM_A")


async def test_a_project_makes_runbooks_for_itself_only(world: World) -> None:
    for values in ({"public": True}, {"owner": "theirs"}):
        with pytest.raises(InvalidValue):
            await world.services.runbooks.create(
                OURS.asking(f"{RULE}:create"), {"name": "a", "steps": [STEP], **values}
            )
