"""Commands that look after the database: copies, moves and looks, on both databases."""

import asyncio
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from bessemer.domain.operation import NewOperation
from bessemer.kernel.clock import SystemClock
from bessemer.kernel.error import Conflict, InternalError, InvalidValue, Unavailable
from bessemer.store import connect
from bessemer.store.backup import back_up, restore
from bessemer.store.check import check_database, list_clients, list_holders
from bessemer.store.conductor import register_conductor, unregister_conductor
from bessemer.store.database import Database
from bessemer.store.duty import EVERY_NODE
from bessemer.store.event import add_event
from bessemer.store.migration import HEAD
from bessemer.store.move import fingerprint, move
from bessemer.store.node_list import NodeFilter, list_node_rows
from bessemer.store.operation import enqueue
from bessemer.store.page import Page
from bessemer.store.status import read_status
from bessemer.store.table import DUTIES, EVENTS, METADATA
from fakes.store import add_nodes
from fixture_database import PostgresqlServer


@pytest.fixture
def clock() -> SystemClock:
    return SystemClock()


async def fill(database: Database, names: list[str]) -> None:
    for node in await add_nodes(database, *({"name": name} for name in names)):
        async with database.write() as tx:
            await enqueue(tx, NewOperation(node_uuid=node.uuid, kind="deploy", args={"a": "ö"}), ())
            await add_event(tx, node_uuid=node.uuid, kind="a", duration_s=0.1)


async def names(url: str) -> list[str]:
    database = await Database.open(url)
    async with database.read() as tx:
        rows = await list_node_rows(tx, ["name"], NodeFilter(), Page(100))
    await database.close()
    return [row[0] for row in rows]


@pytest.fixture
def empty_url(postgresql: PostgresqlServer, request: pytest.FixtureRequest) -> str:
    name = f"empty_{abs(hash(request.node.name)) % 10**9}"
    asyncio.run(postgresql.command(f"CREATE DATABASE {name}"))
    return postgresql.url(name)


async def test_a_copy_made_while_the_service_writes_brings_everything_back(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    await fill(database, ["one", "two"])
    copy = tmp_path / "copy"
    await back_up(database_url, copy)
    assert copy.stat().st_mode & 0o777 == 0o600
    await fill(database, ["later"])
    await database.close()
    with pytest.raises(Conflict, match="replace"):
        await restore(database_url, copy)
    await restore(database_url, copy, replace=True)
    assert await names(database_url) == ["one", "two"]
    with pytest.raises(Conflict, match="exists"):
        await back_up(database_url, copy)


async def test_a_copy_of_a_file_is_read_where_nothing_can_be_written_beside_it(tmp_path: Path) -> None:
    url, copy = f"sqlite:///{tmp_path / 'one.sqlite'}", tmp_path / "copies" / "copy"
    copy.parent.mkdir()
    database = await Database.open(url)
    await fill(database, ["one"])
    await back_up(url, copy)
    await database.close()
    with closing(sqlite3.connect(f"{copy.as_uri()}?mode=ro", uri=True)) as reading:
        assert reading.execute("SELECT name FROM nodes").fetchall() == [("one",)]
        assert os.listdir(copy.parent) == ["copy"]  # noqa: PTH208


async def test_a_copy_that_speaks_of_a_log_beside_it_is_put_back_where_none_can_be_made(
    tmp_path: Path,
) -> None:
    url, copy = f"sqlite:///{tmp_path / 'one.sqlite'}", tmp_path / "copy"
    database = await Database.open(url)
    await fill(database, ["one"])
    await back_up(url, copy)
    await database.close()
    with closing(sqlite3.connect(copy)) as older:
        older.execute("PRAGMA journal_mode = WAL")
    # Keeps even root from making that file.
    (tmp_path / "copy-shm").symlink_to(tmp_path / "missing" / "shm")
    await restore(url, copy, replace=True)
    assert await names(url) == ["one"]


async def test_what_a_log_beside_the_copy_says_is_put_back_too(tmp_path: Path) -> None:
    url, copy = f"sqlite:///{tmp_path / 'one.sqlite'}", tmp_path / "copy"
    database = await Database.open(url)
    await fill(database, ["one"])
    for end in ("", "-wal"):
        (tmp_path / f"copy{end}").write_bytes((tmp_path / f"one.sqlite{end}").read_bytes())
    await database.close()
    await restore(url, copy, replace=True)
    assert await names(url) == ["one"]


async def test_what_is_no_copy_is_refused_and_changes_nothing(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    await fill(database, ["one"])
    await database.close()
    (tmp_path / "junk").write_bytes(b"no database" * 1000)
    with pytest.raises(InvalidValue, match="junk"):
        await restore(database_url, tmp_path / "junk", replace=True)
    assert await names(database_url) == ["one"]
    with pytest.raises(InvalidValue, match="no file"):
        await restore(database_url, tmp_path / "missing", replace=True)


async def test_a_damaged_copy_leaves_the_old_database_as_it_was(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    await fill(database, ["one"])
    copy, damaged = tmp_path / "copy", tmp_path / "damaged"
    await back_up(database_url, copy)
    await fill(database, ["later"])
    await database.close()
    whole = copy.read_bytes()
    damaged.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InvalidValue, match="damaged"):
        await restore(database_url, damaged, replace=True)
    assert await names(database_url) == ["one", "later"]


async def test_a_dump_of_something_else_leaves_the_old_database_as_it_was(
    postgresql: PostgresqlServer, empty_url: str, tmp_path: Path
) -> None:
    await (await Database.open(empty_url)).close()
    await postgresql.command("CREATE DATABASE something_else")
    await back_up(postgresql.url("something_else"), tmp_path / "copy")
    with pytest.raises(Unavailable, match="nothing was changed"):
        await restore(empty_url, tmp_path / "copy", replace=True)
    assert await names(empty_url) == []
    assert (await check_database(empty_url)) == (HEAD, [])


async def test_a_restored_database_can_be_backed_up_and_restored_again(
    postgresql: PostgresqlServer, empty_url: str, tmp_path: Path
) -> None:
    database = await Database.open(empty_url)
    await fill(database, ["one"])
    await database.close()
    for turn in ("first", "second"):
        await back_up(empty_url, tmp_path / turn)
        await restore(empty_url, tmp_path / turn, replace=True)
    assert await names(empty_url) == ["one"]
    found = postgresql.run("psql", "-At", "-d", empty_url, "-c", "SELECT nspname FROM pg_namespace")
    assert "bessemer_replaced" not in found


async def test_a_database_that_processes_are_connected_to_is_not_replaced(
    empty_url: str, tmp_path: Path, command_on: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    database = await Database.open(empty_url)
    async with database.read() as tx:  # as an API process, which holds no lease
        await list_node_rows(tx, ["name"], NodeFilter(), Page(1))
    await back_up(empty_url, tmp_path / "copy")
    words = (empty_url, "restore", "--replace", str(tmp_path / "copy"))
    refused = await asyncio.to_thread(command_on, *words)
    assert (refused.returncode, "in use by" in refused.stderr) == (2, True), refused.stderr
    assert len(await list_clients(empty_url)) >= 1
    forced = await asyncio.to_thread(command_on, *words, "--force")
    assert forced.returncode == 0, forced.stderr
    await database.close()
    assert await list_clients(empty_url) == []
    assert (await asyncio.to_thread(command_on, *words)).returncode == 0


async def test_an_sqlite_file_that_a_process_has_open_is_not_replaced(
    tmp_path: Path, command_on: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    url = f"sqlite:///{tmp_path}/one.sqlite"
    database = await Database.open(url)
    async with database.read() as tx:  # as an API process, which holds no lease, and is idle now
        await list_node_rows(tx, ["name"], NodeFilter(), Page(1))
    await back_up(url, tmp_path / "copy")
    words = (url, "restore", "--replace", str(tmp_path / "copy"))
    refused = await asyncio.to_thread(command_on, *words)
    assert refused.returncode == 2
    assert f"this host, process {os.getpid()}" in refused.stderr
    await database.close()
    done = await asyncio.to_thread(command_on, *words)
    assert done.returncode == 0, done.stderr
    (tmp_path / "one.sqlite").write_bytes(b"damaged")
    assert (await asyncio.to_thread(command_on, *words)).returncode == 0


async def test_a_dump_fails_without_telling_the_password(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="pg_dump failed") as caught:
        await back_up("postgresql://somebody:sesame@127.0.0.1:1/nothing", tmp_path / "copy")
    assert "sesame" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []  # noqa: ASYNC240


async def test_everything_moves_from_sqlite_to_postgresql_and_goes_on_there(
    tmp_path: Path, empty_url: str
) -> None:
    source = await Database.open(f"sqlite:///{tmp_path / 'source.sqlite'}", clock=SystemClock())
    target = await Database.open(empty_url, clock=SystemClock())
    await fill(source, [f"node-{number}" for number in range(20)])
    counts = await move(source, target)
    assert set(counts) == set(METADATA.tables)
    assert (counts["nodes"], counts["operations"], counts["node_duties"]) == (20, 20, 20 * len(EVERY_NODE))
    await fill(target, ["one more"])  # its numbers follow those that came
    with pytest.raises(Conflict, match="not empty"):
        await move(source, target)
    await source.close()
    await target.close()
    assert len(await names(empty_url)) == 21


async def test_a_large_table_moves_however_little_the_target_likes_to_wait(
    tmp_path: Path, empty_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(connect._POSTGRESQL_SETTINGS, "idle_in_transaction_session_timeout", "100ms")
    source = await Database.open(f"sqlite:///{tmp_path / 'source.sqlite'}", clock=SystemClock())
    target = await Database.open(empty_url, clock=SystemClock())
    async with source.write() as tx:
        rows = [{"name": f"duty {number}", "next_due_at": "x" * 400} for number in range(20_000)]
        await tx.execute(insert(DUTIES), rows)
    assert (await move(source, target))["duties"] == 20_000
    await source.close()
    await target.close()


async def test_rows_that_differ_have_different_fingerprints(database: Database) -> None:
    async with database.write() as tx:
        empty = await fingerprint(tx, EVENTS)
        await add_event(tx, node_uuid=None, kind="a")
        one = await fingerprint(tx, EVENTS)
    assert (empty[0], one[0]) == (0, 1)
    assert empty[1] != one[1]


async def test_a_move_that_loses_something_is_undone(
    tmp_path: Path, empty_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = await Database.open(f"sqlite:///{tmp_path / 'source.sqlite'}", clock=SystemClock())
    target = await Database.open(empty_url, clock=SystemClock())
    await fill(source, ["one"])

    async def differs(tx: Any, table: Any) -> tuple[int, str]:
        return 1, str(id(tx))

    monkeypatch.setattr("bessemer.store.move.fingerprint", differs)
    with pytest.raises(InternalError, match="did not arrive"):
        await move(source, target)
    await source.close()
    await target.close()
    assert await names(empty_url) == []


async def test_a_check_tells_schema_and_damage_and_makes_nothing(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    assert await check_database(database_url) == (HEAD, [])
    missing = tmp_path / "missing.sqlite"
    revision, [sentence] = await check_database(f"sqlite:///{missing}")
    assert revision is None
    assert "db upgrade" in sentence
    assert not missing.exists()


async def test_living_conductors_hold_a_database(database: Database, database_url: str) -> None:
    async with database.write() as tx:
        await register_conductor(tx, "alive", "a", "", [])
        await register_conductor(tx, "lost", "b", "", [], lease_s=-1)
        await register_conductor(tx, "stopped", "c", "", [])
        await unregister_conductor(tx, "stopped", "c")
    assert await list_holders(database_url) == ["alive"]


async def test_status_tells_who_is_lost_and_what_nobody_will_do(database: Database) -> None:
    [node] = await add_nodes(database, {"name": "n1", "reservation": "host-z"})
    async with database.write() as tx:
        await register_conductor(tx, "alive", "a", "", [], version="1.2", kinds=[("deploy", 1)])
        await register_conductor(tx, "lost", "b", "", [], lease_s=-1)
    async with database.read() as tx:
        assert (await read_status(tx)).reserved_for_nothing == ["n1"]
    async with database.write() as tx:
        for kind in ("deploy", "clean"):
            await enqueue(tx, NewOperation(node_uuid=node.uuid, kind=kind), ())
        await enqueue(tx, NewOperation(node_uuid=node.uuid, kind="deploy", conductor_group="rack9"), ())
    async with database.read() as tx:
        status = await read_status(tx)
    assert {one.hostname: status.is_alive(one) for one in status.conductors} == {
        "alive": True, "lost": False,
    }  # fmt: skip
    assert status.counts == [("clean", "queued", 1), ("deploy", "queued", 2)]
    orphaned = [(one.kind, one.conductor_group) for one in status.oldest_queued if status.nobody_for(one)]
    assert orphaned == [("clean", ""), ("deploy", "rack9")]
    assert status.reserved_for_nothing == []


@pytest.fixture
def command(command_on: Callable[..., Any]) -> Callable[..., subprocess.CompletedProcess[str]]:
    """``bessemer`` on the database of one who set none."""
    return lambda *words: command_on("", *words)


@pytest.fixture
def command_on(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """``bessemer`` with a settings file of its own, on the database at a URL."""
    settings = tmp_path / "bessemer.ini"

    def run(url: str, *words: str) -> subprocess.CompletedProcess[str]:
        state = tmp_path / "state"
        settings.write_text(f"[DEFAULT]\nstate_path = {state}\nhost = here\n[database]\nconnection = {url}\n")
        program = str(Path(sys.executable).with_name("bessemer"))
        return subprocess.run(
            [program, *words, "--config-file", str(settings)],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    return run


def test_the_commands_do_what_they_say(
    command: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    assert command("db", "check").returncode == 1
    assert command("db", "upgrade").returncode == 0
    assert "is whole" in command("db", "check").stdout
    assert "prune operations: 0 rows" in command("db", "prune").stdout
    status = command("status")
    assert (status.returncode, "No conductor is alive" in status.stdout) == (1, True)
    assert command("status", "--json").stdout.startswith('{"schema"')
    copy = str(tmp_path / "copy")
    assert command("backup", copy).returncode == 0
    refused = command("restore", copy)
    assert (refused.returncode, "--replace" in refused.stderr) == (2, True)
    assert command("restore", "--replace", copy).returncode == 0
