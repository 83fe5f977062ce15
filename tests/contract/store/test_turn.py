"""Blocks that write to SQLite at once: they share commits, and nothing else."""

import asyncio
import sqlite3
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from bessemer.domain.node import Node
from bessemer.kernel.error import DatabaseLost, InternalError
from bessemer.store.database import Database, Transaction
from bessemer.store.node import create_node, find_node, get_node, update_node
from bessemer.store.sqlite import WholeConnection

MANY = 20


@pytest.fixture
async def sqlite(tmp_path: Path) -> Any:
    database = await Database.open(f"sqlite:///{tmp_path}/turn.sqlite")
    yield database
    await database.close()


@pytest.fixture
def commits(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    found: list[str] = []
    original = WholeConnection.run

    async def run(self: WholeConnection, sql: str, *more: Any, **how: Any) -> Any:
        if sql == "COMMIT":
            found.append(sql)
        return await original(self, sql, *more, **how)

    monkeypatch.setattr(WholeConnection, "run", run)
    return found


def node(number: int) -> Node:
    return Node(
        uuid=f"00000000-0000-4000-8000-{number:012}",
        name=f"n{number}",
        driver="fake-hardware",
        created_at="x",
    )


async def add(
    database: Database, number: int, also: Callable[[Transaction], Awaitable[None]] | None = None
) -> None:
    async with database.write() as tx:
        await create_node(tx, node(number))
        if also is not None:
            await also(tx)


async def names(database: Database) -> set[str]:
    async with database.read() as tx:
        return {f"n{number}" for number in range(MANY) if await find_node(tx, f"n{number}")}


async def test_writers_at_once_share_commits(sqlite: Database, commits: list[str]) -> None:
    await asyncio.gather(*(add(sqlite, number) for number in range(MANY)))
    assert await names(sqlite) == {f"n{number}" for number in range(MANY)}
    assert 1 < len(commits) <= 4


async def test_what_a_writer_returned_from_is_true_for_others(sqlite: Database) -> None:
    async def write_and_look(number: int) -> bool:
        await add(sqlite, number)
        return f"n{number}" in await names(sqlite)

    assert all(await asyncio.gather(*(write_and_look(number) for number in range(MANY))))


async def test_one_that_fails_takes_back_its_own_and_no_more(sqlite: Database) -> None:
    async def fail(tx: Transaction) -> None:
        raise LookupError

    odd = [add(sqlite, number, fail if number % 2 else None) for number in range(MANY)]
    outcomes = await asyncio.gather(*odd, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [type(None), LookupError] * (MANY // 2)
    assert await names(sqlite) == {f"n{number}" for number in range(0, MANY, 2)}


async def test_a_commit_that_fails_fails_for_all_who_joined_it(
    sqlite: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[int] = []
    original = WholeConnection.run
    failing = 1

    async def run(self: WholeConnection, sql: str, *more: Any, **how: Any) -> Any:
        nonlocal failing
        if sql == "COMMIT" and failing:
            failing -= 1
            sql = "SELECT no_such_function()"
        return await original(self, sql, *more, **how)

    async def tell(number: int) -> None:
        async def also(tx: Transaction) -> None:
            tx.after_commit(lambda: told.append(number))

        await add(sqlite, number, also)

    monkeypatch.setattr(WholeConnection, "run", run)
    outcomes = await asyncio.gather(*(tell(number) for number in range(MANY)), return_exceptions=True)
    lost = {number for number, outcome in enumerate(outcomes) if isinstance(outcome, DatabaseLost)}
    assert 1 < len(lost) < MANY
    assert set(told) == set(range(MANY)) - lost
    assert await names(sqlite) == {f"n{number}" for number in told}


async def test_a_writer_that_is_cancelled_in_line_holds_up_nobody(sqlite: Database) -> None:
    tasks = [asyncio.create_task(add(sqlite, number)) for number in range(MANY)]
    await asyncio.sleep(0)
    for task in tasks[5:10]:
        task.cancel()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    written = {f"n{number}" for number, outcome in enumerate(outcomes) if outcome is None}
    assert written >= {f"n{number}" for number in (*range(1, 5), *range(10, MANY))}
    assert await names(sqlite) == written


async def test_the_turn_does_not_last_for_ever(sqlite: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite._turn, "_patience_s", 0.01)
    async with sqlite.write() as tx:
        await create_node(tx, node(1))
        with pytest.raises(DatabaseLost, match="busy"):
            await asyncio.create_task(add(sqlite, 2))
    assert await names(sqlite) == {"n1"}


async def test_a_block_within_a_block_is_refused(sqlite: Database) -> None:
    async with sqlite.write():
        with pytest.raises(InternalError, match="inside another"):
            await add(sqlite, 1)


async def test_another_process_in_the_way_is_waited_for(sqlite: Database, tmp_path: Path) -> None:
    """Two databases open on one file stand for two processes."""
    other = await Database.open(f"sqlite:///{tmp_path}/turn.sqlite")
    try:
        async with other.write() as tx:
            await create_node(tx, node(1))
            waiting = asyncio.create_task(add(sqlite, 2))
            await asyncio.sleep(0)
            assert not waiting.done()
        await waiting
        assert await names(sqlite) == {"n1", "n2"}
    finally:
        await other.close()


async def test_a_locked_node_is_known_as_it_was_written(sqlite: Database) -> None:
    await add(sqlite, 1)
    uuid = node(1).uuid
    async with sqlite.write() as tx:
        await get_node(tx, uuid, lock=True)
        info = {"list": (1, 2), "none": None}
        known = await update_node(tx, uuid, extra=info, maintenance=True, provision_state="available")
        assert await get_node(tx, uuid) is known
    async with sqlite.read() as tx:
        assert await get_node(tx, uuid) == known
    assert known.extra == {"list": [1, 2], "none": None}


async def test_a_block_is_committed_although_all_behind_it_give_up_at_that_moment(sqlite: Database) -> None:
    begun, free = asyncio.Event(), asyncio.Event()

    async def first(_: Transaction) -> None:
        begun.set()
        await free.wait()

    async with asyncio.timeout(10):
        holder = asyncio.create_task(add(sqlite, 0, first))
        waiting = [asyncio.create_task(add(sqlite, number)) for number in (1, 2)]
        await begun.wait()
        free.set()
        for task in waiting:
            task.cancel()
        await holder
        assert [type(end) for end in await asyncio.gather(*waiting, return_exceptions=True)] == [
            asyncio.CancelledError,
            asyncio.CancelledError,
        ]
        await add(sqlite, 3)
    assert await names(sqlite) == {"n0", "n3"}


async def test_who_is_cancelled_hears_of_that_although_the_commit_fails_too(sqlite: Database) -> None:
    """Loops that try again after a failure would otherwise never end."""
    begun = asyncio.Event()

    async def joined(_: Transaction) -> None:
        begun.set()

    async def in_between(tx: Transaction) -> None:
        done.cancel()
        await tx.execute(text("ROLLBACK"))  # as SQLite itself does over some errors

    async with asyncio.timeout(10):
        done = asyncio.create_task(add(sqlite, 0, joined))
        other = asyncio.create_task(add(sqlite, 1, in_between))
        with pytest.raises(asyncio.CancelledError):
            await done
        with pytest.raises(DatabaseLost):
            await other
    assert not await names(sqlite)


@pytest.mark.parametrize("cancellations", [1, 2])
async def test_who_is_cancelled_in_a_statement_takes_nothing_of_others_with_him(
    sqlite: Database, monkeypatch: pytest.MonkeyPatch, cancellations: int
) -> None:
    """SQLAlchemy throws a connection away when a task is cancelled in one of its statements."""
    begun, free = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()
    patiently = WholeConnection._run_patiently

    def run(self: WholeConnection, sql: str, *more: Any) -> Any:
        if "in the way" in sql:
            loop.call_soon_threadsafe(begun.set)
            free.wait(60)
        return patiently(self, sql, *more)

    async def wait_long(tx: Transaction) -> None:
        await tx.execute(text("SELECT 'in the way'"))

    monkeypatch.setattr(WholeConnection, "_run_patiently", run)
    joined = asyncio.create_task(add(sqlite, 0))
    cancelled = asyncio.create_task(add(sqlite, 1, wait_long))
    following = asyncio.create_task(add(sqlite, 2))
    async with asyncio.timeout(60):
        await begun.wait()
        for _ in range(cancellations):
            cancelled.cancel()
            for _ in range(5):
                await asyncio.sleep(0)
        free.set()
        with pytest.raises(asyncio.CancelledError):
            await cancelled
        await asyncio.gather(joined, following)
    assert await names(sqlite) == {"n0", "n2"}


async def test_those_who_joined_hear_when_their_connection_had_to_be_thrown_away(
    sqlite: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the next would begin a part of a transaction that is not there, and make it true for them."""

    async def fail(tx: Transaction) -> None:
        monkeypatch.setattr(WholeConnection, "roll_back", cannot)
        raise LookupError

    async def let_others_wait(_: Transaction) -> None:
        await asyncio.sleep(0)

    async def cannot(*_: Any) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    async with asyncio.timeout(60):
        adding = [add(sqlite, 0, let_others_wait), add(sqlite, 1, fail), add(sqlite, 2)]
        followed = await asyncio.gather(*adding, return_exceptions=True)
        adding = [add(sqlite, 3, let_others_wait), add(sqlite, 4, fail)]
        last = await asyncio.gather(*adding, return_exceptions=True)
    assert [type(outcome) for outcome in followed] == [DatabaseLost, LookupError, type(None)]
    assert [type(outcome) for outcome in last] == [DatabaseLost, LookupError]
    assert await names(sqlite) == {"n2"}
