"""The two doors of the database; the same on SQLite and PostgreSQL."""

import asyncio
import os
import socket
from pathlib import Path

import pytest
from sqlalchemy import insert, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from bessemer.kernel.error import Duplicate, InternalError, NotFound, Unavailable
from bessemer.kernel.ident import new_uuid
from bessemer.store.database import Database
from bessemer.store.node import create_node, find_node, get_node, merge_node, update_node
from bessemer.store.table import NODE_TRAITS, NODES
from fakes.engine import eventually
from fakes.store import a_node, add_nodes
from fakes.wait import until
from fixture_database import PostgresqlServer


async def test_nothing_is_written_in_a_reading_block(database: Database) -> None:
    async with database.read() as tx:
        with pytest.raises(InternalError, match="reading"):
            await create_node(tx, a_node())


async def test_a_writing_block_is_not_opened_inside_another_on_sqlite(database: Database) -> None:
    if database.is_postgresql:
        pytest.skip("PostgreSQL has many writers; a second block is another transaction")

    async def nest() -> None:
        async with database.write(), database.write():
            pass

    with pytest.raises(InternalError, match="inside another"):
        await nest()
    await add_nodes(database, {})  # and the turn was given back


async def test_after_a_broken_constraint_a_block_can_only_be_left(database: Database) -> None:
    [node] = await add_nodes(database, {"name": "taken"})

    async def go_on() -> None:
        async with database.write() as tx:
            await create_node(tx, a_node(uuid=(other := new_uuid())))
            with pytest.raises(Duplicate):
                await create_node(tx, a_node(name="taken"))
            await find_node(tx, other)

    with pytest.raises(InternalError, match="constraint"):
        await go_on()

    async def commit_all_the_same() -> None:
        async with database.write() as tx:
            await update_node(tx, node.uuid, description="lost")
            with pytest.raises(Duplicate):
                await create_node(tx, a_node(name="taken"))

    with pytest.raises(InternalError, match="constraint"):
        await commit_all_the_same()
    async with database.read() as tx:
        assert (await get_node(tx, node.uuid)).description is None


async def test_callbacks_run_once_it_is_true_and_never_when_it_is_not(database: Database) -> None:
    called: list[str] = []

    async def fail() -> None:
        async with database.write() as tx:
            tx.after_commit(lambda: called.append("failed"))
            raise RuntimeError("on purpose")

    with pytest.raises(RuntimeError):
        await fail()
    async with database.write() as tx:
        await create_node(tx, a_node(name="n"))
        tx.after_commit(lambda: called.append("first"))
        tx.after_commit(lambda: called.append("second"))
        assert called == []
    assert called == ["first", "second"]


async def test_no_update_is_lost_among_many_at_once(database: Database) -> None:
    [node] = await add_nodes(database, {})

    async def add(number: int) -> None:
        async with database.write() as tx:
            found = await get_node(tx, node.uuid, lock=True)
            await merge_node(tx, node.uuid, "extra", {f"key{number}": number})
            await update_node(tx, node.uuid, properties={"sum": found.properties.get("sum", 0) + number})

    await asyncio.gather(*(add(number) for number in range(40)))
    async with database.read() as tx:
        found = await get_node(tx, node.uuid)
    assert found.extra == {f"key{number}": number for number in range(40)}
    assert found.properties == {"sum": sum(range(40))}


async def test_no_update_is_lost_among_many_that_know_the_node_by_its_name(database: Database) -> None:
    await add_nodes(database, {"name": "n"})

    async def add() -> None:
        async with database.write() as tx:
            found = await find_node(tx, "n", lock=True)
            assert found is not None
            await update_node(tx, found.uuid, extra={"sum": found.extra.get("sum", 0) + 1})

    await asyncio.gather(*(add() for _ in range(40)))
    async with database.read() as tx:
        found = await find_node(tx, "n")
    assert found is not None
    assert found.extra == {"sum": 40}


async def test_readers_see_what_was_committed_and_nothing_else(database: Database) -> None:
    [node] = await add_nodes(database, {"description": "before"})
    async with database.write() as tx:
        await update_node(tx, node.uuid, description="after")
        async with database.read() as reader:
            assert (await get_node(reader, node.uuid)).description == "before"
    async with database.read() as reader:
        assert (await get_node(reader, node.uuid)).description == "after"


async def test_a_cancelled_block_leaves_the_database_usable(database: Database) -> None:
    inside = asyncio.Event()

    async def hang() -> None:
        async with database.write() as tx:
            await create_node(tx, a_node(name="half"))
            inside.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(hang())
    await inside.wait()
    task.cancel()
    await asyncio.wait((task,))
    assert task.cancelled()
    async with database.write() as tx:
        assert await find_node(tx, "half") is None
        await create_node(tx, a_node(name="half"))


@pytest.mark.parametrize("turns", range(0, 60, 3))
async def test_cancelling_at_any_moment_never_leaves_a_block_half_true(
    database: Database, turns: int
) -> None:
    [node] = await add_nodes(database, {})
    told: list[str] = []

    async def write() -> None:
        async with database.write() as tx:
            await update_node(tx, node.uuid, name="new", description="new")
            tx.after_commit(lambda: told.append("true"))

    task = asyncio.create_task(write())
    # A turn of the loop is quicker than PostgreSQL: let the later cancellations meet the commit there too.
    for _ in range(turns * 50 if database.is_postgresql else turns):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait((task,))
    async with database.read() as tx:
        found = await get_node(tx, node.uuid)
    assert (found.name, found.description) in ((None, None), ("new", "new"))
    assert told == (["true"] if found.name else [])
    await add_nodes(database, {})


async def test_broken_references_are_found_out(database: Database) -> None:
    values = {"node_uuid": new_uuid(), "trait": "CUSTOM_A"}
    with pytest.raises(IntegrityError):
        async with database.write() as tx:
            await tx.execute(insert(NODE_TRAITS), values)


async def test_an_unknown_provision_state_is_not_stored(database: Database) -> None:
    await add_nodes(database, {})
    with pytest.raises(IntegrityError):
        async with database.write() as tx:
            await tx.execute(update(NODES).values(provision_state="lost"))


async def test_listeners_hear_of_what_became_true_and_of_nothing_else(database: Database) -> None:
    heard: list[str] = []
    wrong: list[str] = []
    async with database.listen("news", heard.append), database.listen("other", wrong.append):
        heard.clear()
        wrong.clear()

        async def fail() -> None:
            async with database.write() as tx:
                await tx.notify("news", "never")
                raise RuntimeError("on purpose")

        with pytest.raises(RuntimeError):
            await fail()
        async with database.write() as tx:
            await tx.notify("news", "one two")
            await asyncio.sleep(0)
            assert heard == []

        async def has_heard() -> bool:
            return heard == ["one two"]

        await eventually(has_heard)
    async with database.write() as tx:
        await tx.notify("news", "too late")
    async with database.read() as tx:
        await tx.execute(select(NODES.c.id).limit(1))
    assert heard == ["one two"]
    assert wrong == []


async def test_other_processes_hear_too(database: Database, database_url: str) -> None:
    heard: list[str] = []
    other = await Database.open(database_url)
    async with other.listen("news", heard.append):
        async with database.write() as tx:
            await tx.notify("news", "hello")

        async def has_heard() -> bool:
            return "hello" in heard

        await eventually(has_heard)
    await other.close()


async def test_sockets_of_dead_processes_are_in_nobodys_way(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    if database.is_postgresql:
        pytest.skip("only SQLite's notifications travel by sockets")
    heard: list[str] = []
    other = await Database.open(database_url)
    async with other.listen("news", heard.append), database.listen("news", lambda _: None):
        directory = tmp_path / "bessemer.sqlite-notify"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as dying:
            dying.bind(str(directory / "dead"))
        (directory / "no socket at all").touch()
        async with database.write() as tx:
            await tx.notify("news", "hello")

        async def has_heard() -> bool:
            return heard == ["hello"]

        await eventually(has_heard)
        left = {entry.name for entry in os.scandir(directory)}
        assert not left & {"dead", "no socket at all"}
        assert len(left) == 2
    await other.close()
    assert len(list(os.scandir(directory))) == 1


async def test_a_broken_listening_connection_is_made_again(
    database: Database, postgresql: PostgresqlServer
) -> None:
    if not database.is_postgresql:
        pytest.skip("only PostgreSQL has a listening connection")
    heard: list[str] = []
    async with database.listen("news", heard.append):
        heard.clear()
        await postgresql.command(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'"
        )

        async def is_told_to_look() -> bool:
            return heard == [""]  # what was told meanwhile may have been missed

        await eventually(is_told_to_look)
        async with database.write() as tx:
            await tx.notify("news", "hello again")

        async def has_heard() -> bool:
            return "hello again" in heard

        await eventually(has_heard)


async def test_connections_that_broke_while_nobody_used_them_are_replaced(
    database: Database, postgresql: PostgresqlServer
) -> None:
    if not database.is_postgresql:
        pytest.skip("SQLite cannot go away")
    [node] = await add_nodes(database, {})
    await postgresql.command(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname LIKE 'test%'"
    )

    async def is_back() -> bool:
        try:
            async with database.read() as tx:
                return (await get_node(tx, node.uuid)).uuid == node.uuid
        except Unavailable:  # the end of the connection had not come to our ears yet
            return False

    await eventually(is_back)
    with pytest.raises(NotFound):
        async with database.read() as tx:
            await get_node(tx, new_uuid())


async def test_a_connection_that_breaks_in_a_block_makes_it_fail_and_is_replaced(
    database: Database, postgresql: PostgresqlServer
) -> None:
    if not database.is_postgresql:
        pytest.skip("SQLite cannot go away")
    [node] = await add_nodes(database, {})

    async def write() -> None:
        async with database.write() as tx:
            await update_node(tx, node.uuid, description="lost")
            await postgresql.command(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname LIKE 'test%'"
            )
            await update_node(tx, node.uuid, description="lost too")

    with pytest.raises(Unavailable):
        await write()
    async with database.write() as tx:
        assert (await update_node(tx, node.uuid, name="back")).description is None


async def test_a_failure_that_was_caught_does_not_become_a_commit_of_nothing(database: Database) -> None:
    if not database.is_postgresql:
        pytest.skip("SQLite takes back the failed statement alone")
    [node] = await add_nodes(database, {})

    async def go_on() -> None:
        async with database.write() as tx:
            await update_node(tx, node.uuid, description="lost")
            with pytest.raises(DBAPIError):
                await tx.execute(text("SELECT 1/0"))

    with pytest.raises(InternalError, match="had failed"):
        await go_on()
    async with database.read() as tx:
        assert (await get_node(tx, node.uuid)).description is None


async def test_what_is_urgent_goes_before_all_that_waits(database: Database) -> None:
    free = asyncio.Event()
    order: list[str] = []

    async def write(name: str, *, is_urgent: bool = False) -> None:
        async with database.write(is_urgent=is_urgent):
            order.append(name)
            if not is_urgent:
                await free.wait()

    pool = database.pools.get("write") or database.pools["both"]
    size = pool.usage[2]
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        for number in range(size + 5):
            group.create_task(write(f"usual {number}"))
        await until(lambda: len(order) == size)
        urgent = group.create_task(write("urgent", is_urgent=True))
        await asyncio.sleep(0)
        if database.is_postgresql:
            await urgent
        free.set()
    assert len(order) == size + 6
    assert order.index("urgent") == size
