"""Operations are claimed only for nodes whose hardware the conductor drives; the same on both databases."""

from typing import Any

import pytest
from sqlalchemy import text

from bessemer.domain.conductor import ConductorInterface
from bessemer.domain.interface import InterfaceType
from bessemer.domain.operation import NewOperation, Operation
from bessemer.kernel.clock import timestamp
from bessemer.store.claim import claim_operations, next_wake, release_operations
from bessemer.store.conductor import register_conductor
from bessemer.store.database import Database
from bessemer.store.node import update_node
from bessemer.store.operation import enqueue, put_to_sleep
from bessemer.store.status import read_status
from fakes.explaining import ExplainingTransaction
from fakes.store import add_nodes

KINDS = [("deploy", 1)]


def offering(*drivers: str) -> list[ConductorInterface]:
    return [
        ConductorInterface(hardware_type=name, interface_type=InterfaceType.POWER, interface_name=name)
        for name in drivers
    ]


async def ask(database: Database, driver: str, **more: Any) -> Operation:
    [node] = await add_nodes(database, {"driver": driver})
    async with database.write() as tx:
        return await enqueue(tx, NewOperation(node_uuid=node.uuid, kind="deploy", **more), ())


async def claim(database: Database, drivers: list[str] | None, owner: str = "me") -> set[str]:
    async with database.write() as tx:
        found = await claim_operations(
            tx, owner=owner, group="", kinds=KINDS, limit=100, drivers=drivers, slots={"deploy": 9}
        )
    return {operation.uuid for operation in found}


@pytest.fixture(autouse=True)
async def alive(database: Database) -> None:
    async with database.write() as tx:
        await register_conductor(tx, "host-a", "me", "", offering("redfish"), kinds=KINDS)
        await register_conductor(tx, "host-b", "other", "", offering("ipmi"), kinds=KINDS)


@pytest.mark.parametrize("terms", [{}, {"is_exclusive": False}, {"pool": "deploy"}])
async def test_each_conductor_takes_what_it_drives(database: Database, terms: dict[str, Any]) -> None:
    mine, theirs = await ask(database, "redfish", **terms), await ask(database, "ipmi", **terms)
    assert await claim(database, ["fake-hardware"]) == set()
    assert await claim(database, ["redfish", "fake-hardware"]) == {mine.uuid}
    assert await claim(database, ["ipmi"], owner="other") == {theirs.uuid}


async def test_a_conductor_that_names_no_hardware_takes_any(database: Database) -> None:
    both = {(await ask(database, "redfish")).uuid, (await ask(database, "ipmi")).uuid}
    assert await claim(database, None) == both


async def test_what_nobody_here_drives_does_not_keep_others_from_their_turn(database: Database) -> None:
    for _ in range(5):
        await ask(database, "ipmi")
    last = await ask(database, "redfish")
    async with database.write() as tx:
        found = await claim_operations(
            tx, owner="me", group="", kinds=KINDS, limit=1, drivers=["redfish"], slots={}
        )
    assert [operation.uuid for operation in found] == [last.uuid]


async def test_sleepers_and_orphans_of_other_hardware_are_left_to_others(database: Database) -> None:
    sleeper, orphan = await ask(database, "ipmi"), await ask(database, "ipmi")
    assert await claim(database, ["ipmi"], owner="other") == {sleeper.uuid, orphan.uuid}
    async with database.write() as tx:
        wake_at = timestamp(tx.clock, after_s=-1)
        await put_to_sleep(tx, sleeper.uuid, 1, wait_for="x", wake_at=wake_at, deadline_at=None, seen=0)
        await release_operations(tx, "other", [orphan.uuid])
        long_ago = timestamp(tx.clock, after_s=-600)
        assert await next_wake(tx, "", KINDS, long_ago, drivers=["redfish"]) is None
        assert await next_wake(tx, "", KINDS, long_ago, drivers=["ipmi"]) == wake_at
    assert await claim(database, ["redfish"]) == set()
    assert await claim(database, ["ipmi"], owner="other") == {sleeper.uuid, orphan.uuid}


async def test_the_hardware_type_is_the_one_the_node_has_now(database: Database) -> None:
    asked = await ask(database, "ipmi")
    async with database.write() as tx:
        await update_node(tx, asked.node_uuid, driver="redfish")
    assert await claim(database, ["ipmi"], owner="other") == set()
    assert await claim(database, ["redfish"]) == {asked.uuid}


async def test_the_claim_reads_no_table_from_end_to_end(database: Database) -> None:
    for number in range(300):
        await ask(database, "redfish" if number % 3 else "ipmi")
    async with database.write() as tx:
        if tx.is_postgresql:
            await tx.execute(text("ANALYZE"))
            # A table of a few hundred rows is read whole for good reason; a big one would not be.
            await tx.execute(text("SET LOCAL enable_seqscan = off"))
        explaining: Any = ExplainingTransaction(tx)
        terms: dict[str, Any] = {"owner": "me", "group": "", "kinds": KINDS, "limit": 50}
        await claim_operations(explaining, **terms, drivers=["redfish"], slots={"deploy": 9})
        await next_wake(explaining, "", KINDS, tx.now(), drivers=["redfish"])
    for plan in explaining.plans:
        assert not plan.whole_tables() - {"conductors"}, "\n".join([plan.statement, *plan.lines])


async def test_status_tells_of_work_on_hardware_that_no_living_conductor_drives(database: Database) -> None:
    for driver in ("redfish", "ipmi", "fake-hardware"):
        await ask(database, driver)
    async with database.read() as tx:
        status = await read_status(tx)
    assert [one.driver for one in status.oldest_queued if status.nobody_for(one)] == ["fake-hardware"]
