"""An operation that nobody can open: it fails, and everything else goes on."""

import asyncio

import pytest
from sqlalchemy import text

from bessemer.domain.operation import Operation, OperationState
from bessemer.engine.engine import Engine
from bessemer.kernel.seal import Keyring, UnknownKey, new_key
from bessemer.store.database import Database
from bessemer.store.key import note_key
from bessemer.store.node import get_node, update_node
from bessemer.store.operation import list_operations
from fakes.engine import PATIENCE_S, SETTINGS, Record, carry_out, enqueue, running

WORKFLOWS = [Record().workflow(Record().step("a"))]


def engine(database: Database) -> Engine:
    return Engine(database, WORKFLOWS, None, SETTINGS, database.clock)


async def enqueue_sealed(database: Database, sealed: str) -> Operation:
    """An operation that is queued, with a password that was sealed so."""
    operation = await enqueue(engine(database), database)
    async with database.write() as tx:
        values = {"args": f'{{"password":"{sealed}"}}', "uuid": operation.uuid}
        await tx.execute(text("UPDATE operations SET args = :args WHERE uuid = :uuid"), values)
        await update_node(tx, operation.node_uuid, reservation="host-a")
    return operation


@pytest.mark.parametrize(
    ("sealed", "code"),
    [("sealed:1:00000000:AAAA", "unknown-key"), ("sealed:1:{known}:AAAA", "seal-broken")],
    ids=["unknown key", "broken seal"],
)
async def test_it_fails_and_the_others_are_carried_out(database: Database, sealed: str, code: str) -> None:
    bad = await enqueue_sealed(database, sealed.format(known=database.vault.keys.ids[0]))
    async with running(database, WORKFLOWS) as running_engine:
        good = await carry_out(running_engine, database)
        assert good.state is OperationState.SUCCEEDED
    async with database.read() as tx:
        ended = {operation.uuid: operation for operation in await list_operations(tx)}[bad.uuid]
        node = await get_node(tx, bad.node_uuid)
    assert ended.state is OperationState.FAILED
    assert ended.owner is None
    assert ended.error is not None
    assert ended.error.code == code
    assert node.reservation is None


async def test_a_host_whose_key_file_is_short_leaves_it_to_others(database: Database) -> None:
    theirs = Keyring([new_key()])
    async with database.write() as tx:
        await note_key(tx, theirs.ids[0])
    await enqueue_sealed(database, theirs.seal(b'"secret"', "operations/x/args/password"))
    with pytest.raises(UnknownKey):
        async with asyncio.timeout(PATIENCE_S):
            await engine(database).run()
