"""Looks that begin together read together."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import text

from bessemer.kernel.error import NotFound, Unavailable
from bessemer.kernel.seal import SealBroken
from bessemer.store.database import Database, Transaction
from bessemer.workflow.reconcile.node_reader import MOST, NodeReader
from fakes.store import add_nodes

NOBODY = "11111111-2222-4333-8444-555555555555"


class CountingDatabase:
    """Counts reading blocks; fails when told to."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.reads = 0
        self.is_gone = False

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Transaction]:
        self.reads += 1
        if self.is_gone:
            raise Unavailable("gone")
        async with self._database.read() as tx:
            yield tx


async def test_looks_that_begin_in_one_turn_are_one_statement(database: Database) -> None:
    nodes = await add_nodes(database, *({} for _ in range(5)))
    counting = CountingDatabase(database)
    reader = NodeReader(counting)  # type: ignore[arg-type]
    found = await asyncio.gather(*(reader.get(node.uuid) for node in [*nodes, nodes[0]]))
    assert [view.node for view in found] == [*nodes, nodes[0]]
    assert counting.reads == 1
    await reader.get(nodes[0].uuid)
    assert counting.reads == 2


async def test_a_node_that_is_gone_fails_its_own_look_alone(database: Database) -> None:
    [node] = await add_nodes(database, {})
    reader = NodeReader(database)
    found, missing = await asyncio.gather(reader.get(node.uuid), reader.get(NOBODY), return_exceptions=True)
    assert not isinstance(found, BaseException)
    assert isinstance(missing, NotFound)


async def test_everybody_learns_that_the_database_is_gone(database: Database) -> None:
    counting = CountingDatabase(database)
    counting.is_gone = True
    reader = NodeReader(counting)  # type: ignore[arg-type]
    found = await asyncio.gather(*(reader.get(NOBODY) for _ in range(3)), return_exceptions=True)
    assert [type(error) for error in found] == [Unavailable] * 3
    counting.is_gone = False
    with pytest.raises(NotFound):
        await reader.get(NOBODY)


async def test_no_statement_asks_for_more_nodes_than_it_should(database: Database) -> None:
    counting = CountingDatabase(database)
    reader = NodeReader(counting)  # type: ignore[arg-type]
    asked = [f"11111111-2222-4333-8444-{number:012}" for number in range(2 * MOST + 1)]
    await asyncio.gather(*(reader.get(uuid) for uuid in asked), return_exceptions=True)
    assert counting.reads == 3


async def test_a_look_that_was_given_up_does_not_hurt_the_others(database: Database) -> None:
    [node] = await add_nodes(database, {})
    reader = NodeReader(database)
    given_up = asyncio.create_task(reader.get(node.uuid))
    other = asyncio.create_task(reader.get(node.uuid))
    await asyncio.sleep(0)
    given_up.cancel()
    assert (await other).node == node


async def test_a_node_whose_secrets_do_not_open_fails_its_own_look_alone(database: Database) -> None:
    sealed = {"driver_info": {"redfish_address": "https://bmc", "redfish_password": "secret"}}
    whole, broken = await add_nodes(database, sealed, sealed)
    async with database.write() as tx:
        copied = "(SELECT driver_info FROM nodes WHERE uuid = :whole)"
        statement = text("UPDATE nodes SET driver_info = " + copied + " WHERE uuid = :broken")  # noqa: S608
        of_another = {"whole": whole.uuid, "broken": broken.uuid}
        await tx.execute(statement, of_another)
    reader = NodeReader(database)
    found, failed = await asyncio.gather(
        reader.get(whole.uuid), reader.get(broken.uuid), return_exceptions=True
    )
    assert isinstance(failed, SealBroken)
    assert not isinstance(found, BaseException)
    assert found.node.driver_info["redfish_password"] == "secret"
