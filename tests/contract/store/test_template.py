"""Deploy templates, runbooks and inspection rules in the store; the same on SQLite and PostgreSQL."""

from typing import Any

import pytest

from bessemer.kernel.error import InvalidValue, NotFound
from bessemer.kernel.ident import new_uuid
from bessemer.store.database import Database
from bessemer.store.deploy_template import create_deploy_template, list_deploy_templates_for
from bessemer.store.inspection_rule import (
    create_inspection_rule,
    delete_inspection_rules,
    list_inspection_rule_rows,
    list_inspection_rules,
)
from bessemer.store.page import Page
from bessemer.store.runbook import (
    RunbookFilter,
    create_runbook,
    delete_runbook,
    list_runbook_rows,
    update_runbook,
)
from bessemer.store.runbook_trait import (
    add_runbook_trait,
    list_runbook_traits,
    remove_runbook_trait,
    set_runbook_traits,
)
from fakes.resource import a_rule, a_runbook, a_template

EVERYTHING = Page(100)


async def test_templates_are_found_by_the_traits_they_are_named_after(database: Database) -> None:
    async with database.write() as tx:
        for name in ("CUSTOM_C", "CUSTOM_A", "CUSTOM_B"):
            await create_deploy_template(tx, a_template(name=name))
        found = await list_deploy_templates_for(tx, {"CUSTOM_C", "CUSTOM_A", "CUSTOM_X"})
        assert [template.name for template in found] == ["CUSTOM_A", "CUSTOM_C"]
        assert await list_deploy_templates_for(tx, []) == []


async def test_a_project_sees_its_own_runbooks_and_public_ones(database: Database) -> None:
    async with database.write() as tx:
        for name, fields in {
            "own": {"owner": "p"}, "foreign": {"owner": "q"}, "public": {"public": True}, "nobody": {},
        }.items():  # fmt: skip
            await create_runbook(tx, a_runbook(name=name, **fields))

    async def names(**filters: Any) -> list[str]:
        async with database.read() as tx:
            rows = await list_runbook_rows(tx, ["name"], RunbookFilter(**filters), EVERYTHING)
        return [row.name for row in rows]

    assert await names() == ["own", "foreign", "public", "nobody"]
    assert await names(visible_to="p") == ["own", "public"]
    assert await names(visible_to="x") == ["public"]
    assert await names(owner="q") == ["foreign"]


async def test_a_public_runbook_never_has_an_owner(database: Database) -> None:
    with pytest.raises(InvalidValue):
        async with database.write() as tx:
            await create_runbook(tx, a_runbook(public=True, owner="p"))
    async with database.write() as tx:
        runbook = await create_runbook(tx, a_runbook(owner="p"))
    with pytest.raises(InvalidValue):
        async with database.write() as tx:
            await update_runbook(tx, runbook.uuid, public=True)


async def test_traits_of_runbooks_are_sets(database: Database) -> None:
    async with database.write() as tx:
        runbook, other = [await create_runbook(tx, a_runbook()) for _ in range(2)]
        await set_runbook_traits(tx, runbook.uuid, ["CUSTOM_B", "CUSTOM_A", "CUSTOM_B"])
        await add_runbook_trait(tx, runbook.uuid, "CUSTOM_A")
        await add_runbook_trait(tx, runbook.uuid, "CUSTOM_C")
        await remove_runbook_trait(tx, runbook.uuid, "CUSTOM_B")
        await remove_runbook_trait(tx, runbook.uuid, "CUSTOM_X")
        assert await list_runbook_traits(tx, [runbook.uuid, other.uuid]) == {
            runbook.uuid: ["CUSTOM_A", "CUSTOM_C"],
            other.uuid: [],
        }
        await set_runbook_traits(tx, runbook.uuid, [])
        assert await list_runbook_traits(tx, [runbook.uuid]) == {runbook.uuid: []}


async def test_traits_go_with_their_runbook_and_need_one(database: Database) -> None:
    runbook = a_runbook()
    async with database.write() as tx:
        await create_runbook(tx, runbook)
        await set_runbook_traits(tx, runbook.uuid, ["CUSTOM_A"])
        await delete_runbook(tx, runbook.uuid)
        await create_runbook(tx, runbook)
        assert await list_runbook_traits(tx, [runbook.uuid]) == {runbook.uuid: []}
    with pytest.raises(NotFound):
        async with database.write() as tx:
            await add_runbook_trait(tx, new_uuid(), "CUSTOM_A")


async def test_rules_are_listed_by_phase_and_deleted_at_once(database: Database) -> None:
    async with database.write() as tx:
        rules = [await create_inspection_rule(tx, a_rule(priority=n)) for n in (1, 3, 2)]
        assert await list_inspection_rules(tx) == rules
        assert await list_inspection_rules(tx, "early") == []
        assert len(await list_inspection_rule_rows(tx, ["uuid"], EVERYTHING, phase="main")) == 3
        assert await list_inspection_rule_rows(tx, ["uuid"], EVERYTHING, phase="early") == []
        assert await delete_inspection_rules(tx) == 3
        assert await delete_inspection_rules(tx) == 0
        assert await list_inspection_rules(tx) == []


async def test_a_rule_of_an_unknown_phase_is_refused(database: Database) -> None:
    with pytest.raises(InvalidValue):
        async with database.write() as tx:
            await create_inspection_rule(tx, a_rule(phase="early"))
