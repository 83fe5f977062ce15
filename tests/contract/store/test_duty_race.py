"""Duties of nodes that somebody else is changing at the same moment: only PostgreSQL lets both go on."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy import delete, text, update

from bessemer.kernel.clock import timestamp
from bessemer.store.database import Database
from bessemer.store.duty import EVENTS, POWER, claim_node_duties, ensure_node_duties
from bessemer.store.node import delete_node, update_node
from bessemer.store.table import NODE_DUTIES
from fakes.clock import FakeClock
from fakes.engine import PATIENCE_S, eventually
from fakes.store import add_nodes


@pytest.fixture
def family() -> str:
    return "postgresql"


async def claim(database: Database, duty: str, *drivers: str) -> list[str]:
    async with database.write() as tx:
        until = timestamp(database.clock, after_s=60)
        found = await claim_node_duties(tx, duty, "", limit=9, claimed_until=until, drivers=drivers)
    return [one.node_uuid for one in found]


async def while_a_node_changes(
    database: Database, node_uuid: str, is_deleted: bool, work: Callable[[], Awaitable[None]]
) -> None:
    """``work`` begins before a change of the node is committed, and ends after that."""

    async def is_waited_for() -> bool:
        async with database.read() as tx:
            return bool((await tx.execute(text("SELECT 1 FROM pg_locks WHERE NOT granted"))).first())

    async with asyncio.timeout(PATIENCE_S):
        async with database.write() as tx:
            if is_deleted:
                await delete_node(tx, node_uuid)
            else:
                await update_node(tx, node_uuid, driver="redfish")
            working = asyncio.ensure_future(work())
            await eventually(is_waited_for)
        await working


async def test_hardware_that_is_being_changed_is_learnt_another_time(
    database: Database, clock: FakeClock
) -> None:
    [node] = await add_nodes(database, {"driver": "ipmi"})
    async with database.write() as tx:
        await tx.execute(update(NODE_DUTIES).values(driver=None))
    async with asyncio.timeout(PATIENCE_S), database.write() as tx:
        await update_node(tx, node.uuid, driver="redfish")
        assert await claim(database, POWER, "ipmi") == [node.uuid]
    clock.advance(61)
    assert await claim(database, POWER, "ipmi") == [node.uuid]  # not learnt yet
    clock.advance(61)
    assert await claim(database, POWER, "ipmi") == []
    assert await claim(database, POWER, "redfish") == [node.uuid]


@pytest.mark.parametrize("is_deleted", [True, False])
async def test_a_node_gets_a_duty_as_it_is_when_it_has_been_changed(
    database: Database, is_deleted: bool
) -> None:
    [node] = await add_nodes(database, {"driver": "ipmi"})
    async with database.write() as tx:
        await tx.execute(delete(NODE_DUTIES).where(NODE_DUTIES.c.duty == EVENTS))

    async def ensure() -> None:
        async with database.write() as tx:
            await ensure_node_duties(tx, EVENTS)

    await while_a_node_changes(database, node.uuid, is_deleted, ensure)
    assert await claim(database, EVENTS, "ipmi") == []
    assert await claim(database, EVENTS, "redfish") == ([] if is_deleted else [node.uuid])
