"""Databases for tests: SQLite files, and a PostgreSQL server of our own for the session.

Each test gets a fresh database, copied from one that was migrated once.
"""

import asyncio
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio

from bessemer.kernel.seal import Keyring
from bessemer.store.database import Database
from bessemer.store.vault import Vault
from fakes.clock import FakeClock
from fakes.port import free_port

#: What secrets in the databases of tests are sealed with.
KEYS = Keyring([b"a key for tests, of 32 bytes: 32"])

_TEMPLATE = "template_bessemer"
_OPTIONS = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=150"


@dataclass
class PostgresqlServer:
    """A server on a private port of 127.0.0.1 that any local user may connect to."""

    programs: Path
    directory: Path
    port: int
    user: str | None
    options: str = _OPTIONS

    def url(self, name: str) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/{name}"

    def run(self, program: str, *arguments: str) -> str:
        """Run one of PostgreSQL's programs as the server's user; what it printed."""
        done = subprocess.run(
            [str(self.programs / program), *arguments],
            user=self.user,
            group=self.user and pwd.getpwnam(self.user).pw_gid,
            extra_groups=[] if self.user else None,
            cwd=self.directory,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, f"{program} failed: {done.stdout}\n{done.stderr}"
        return done.stdout

    def start(self) -> None:
        data = str(self.directory / "data")
        self.run("initdb", "-D", data, "-U", "postgres", "-A", "trust", "-N", "--locale=C.UTF-8")
        self._launch()

    def stop(self) -> None:
        self._end("immediate")

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Until the end of the block: who reads a pipe of ours ends the server when we are killed."""
        ending = 'cat; [ ! -e "$1" ] || "$0" -D "$1" -m immediate stop; rm -rf "$2"'
        pg_ctl, data = str(self.programs / "pg_ctl"), str(self.directory / "data")
        watcher = subprocess.Popen(
            ["sh", "-c", ending, pg_ctl, data, str(self.directory)],
            user=self.user,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            yield
        finally:
            watcher.communicate(timeout=60)

    def restart(self, mode: str) -> None:
        """End it as ``pg_ctl -m`` does ("fast": in order; "immediate": as by a crash), and start it again."""
        self._end(mode)
        self._launch()

    def _launch(self) -> None:
        data, log = str(self.directory / "data"), str(self.directory / "log")
        options = f"-h 127.0.0.1 -p {self.port} -k {self.directory} {self.options}"
        self.run("pg_ctl", "-D", data, "-w", "-t", "50", "-l", log, "-o", options, "start")

    def _end(self, mode: str) -> None:
        self.run("pg_ctl", "-D", str(self.directory / "data"), "-w", "-m", mode, "stop")

    async def command(self, *statements: str) -> None:
        connection = await asyncpg.connect(self.url("postgres"), timeout=20)
        try:
            for statement in statements:
                await connection.execute(statement, timeout=60)
        finally:
            await connection.close()


@contextmanager
def start_postgresql(options: str = _OPTIONS) -> Iterator[PostgresqlServer]:
    """A server that runs while the block does. By default it forgets in a crash what was just committed."""
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    assert versions, "PostgreSQL is needed: apt-get install postgresql"
    user = "postgres" if os.getuid() == 0 else None  # the server refuses to run as root
    # Not below pytest's own directory, which nobody but its owner may enter.
    directory = Path(tempfile.mkdtemp(prefix=f"bessemer-pg-{os.getpid()}-", dir="/tmp"))
    if user:
        shutil.chown(directory, user)
    server = PostgresqlServer(versions[-1].parent, directory, free_port(), user, options)
    try:
        with server.watched():
            server.start()
            yield server
            server.stop()
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgresqlServer]:
    with start_postgresql() as server:
        yield server


@pytest.fixture(scope="session")
def postgresql_template(postgresql: PostgresqlServer) -> str:
    async def prepare() -> None:
        await postgresql.command(f"CREATE DATABASE {_TEMPLATE}")
        await (await Database.open(postgresql.url(_TEMPLATE))).close()

    asyncio.run(prepare())
    return _TEMPLATE


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "bessemer.sqlite"

    async def prepare() -> None:
        await (await Database.open(f"sqlite:///{path}")).close()

    asyncio.run(prepare())
    return path


_number = count(1)


@pytest.fixture(params=["sqlite", "postgresql"])
def family(request: pytest.FixtureRequest) -> str:
    """Which kind of database the test runs on; it runs on each."""
    return str(request.param)


@pytest.fixture
def database_url(family: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a fresh, migrated database."""
    if family == "sqlite":
        path = tmp_path / "bessemer.sqlite"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}?synchronous=off"
        return
    server: PostgresqlServer = request.getfixturevalue("postgresql")
    template = request.getfixturevalue("postgresql_template")
    name = f"test_{next(_number)}"
    asyncio.run(server.command(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy"))
    yield server.url(name)
    asyncio.run(server.command(f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest_asyncio.fixture
async def database(database_url: str, clock: FakeClock) -> AsyncIterator[Database]:
    """A fresh database whose clock stands still until the test moves it."""
    opened = await Database.open(database_url, clock=clock, vault=Vault(KEYS))
    yield opened
    await opened.close()
