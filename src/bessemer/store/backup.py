"""Copies of the database, and putting one in its place.

SQLite is copied page by page while it is in use (its online backup); PostgreSQL by pg_dump in its custom
format, and put back by pg_restore. Secrets in a copy are sealed: keep the key file too, apart from it.
Source: SQLite, "Using the SQLite Online Backup API"; PostgreSQL, pg_dump and pg_restore.
"""

import asyncio
import os
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import URL, make_url

from bessemer.kernel.error import Conflict, InvalidValue, Unavailable

#: Longest time for a dump or its restoration, in seconds.
LIMIT_S = 6 * 3600.0
#: Longest wait for those who still use what is to be replaced.
WAIT_S = 20.0


class ProgramFailed(Unavailable):
    """One of PostgreSQL's programs ended with an error."""


async def back_up(connection: str, target: Path) -> None:
    """Copy the database to the file ``target``, which must not exist. It appears when it is complete, and
    only its owner can read it.

    Raises:
        Conflict: The file exists.
        Unavailable: The database, a program or the place for the file is missing; nothing is left behind.
    """
    if target.exists():  # noqa: ASYNC240  one look
        raise Conflict(f"The file '{target}' exists already.")
    url = make_url(connection)
    partial = target.with_name(f".{target.name}.partial")
    try:
        os.close(os.open(partial, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600))
        if url.get_backend_name() == "sqlite":
            await asyncio.to_thread(_copy, Path(url.database or ""), partial)
        else:
            await _run(url, ["pg_dump", "--format=custom", "--no-owner", f"--file={partial}"])
        partial.rename(target)
    except (OSError, sqlite3.Error) as error:
        raise Unavailable(f"The backup could not be made: {error}.") from error
    finally:
        partial.unlink(missing_ok=True)


async def restore(connection: str, source: Path, *, replace: bool = False) -> None:
    """Put the copy ``source`` in the place of the database, which must be empty or absent unless ``replace``.
    Nobody may be using it. All of it is put back or nothing: what is there goes when the copy is in place.

    Raises:
        InvalidValue: There is no such file, or it is no copy of such a database; nothing was changed.
        Conflict: There is a database, and it is not to be replaced.
        Unavailable: The database or a program is missing, or failed; nothing was changed.
    """
    if not source.is_file():  # noqa: ASYNC240  one look
        raise InvalidValue(f"There is no file '{source}'.")
    url = make_url(connection)
    if url.get_backend_name() == "sqlite":
        await asyncio.to_thread(_put_back, source, Path(url.database or ""), replace)
        return
    is_empty = await _run(url, ["psql", "--tuples-only", "--no-align", f"--command={_TABLES}"]) == b"0\n"
    if not is_empty and not replace:
        raise Conflict("The database is not empty.", hint="Use --replace to lose what is in it.")
    with TemporaryDirectory(prefix="bessemer-restore-") as directory:
        await _replay(url, source, Path(directory))


async def _replay(url: URL, source: Path, directory: Path) -> None:
    """Put a dump in the place of everything, in one transaction. ``directory`` takes the dump as SQL.

    The dump is unpacked first, as a whole: a damaged one is found out before the database is touched.
    """
    script = directory / "dump.sql"
    try:
        await _run(url, ["pg_restore", "--no-owner", "--exit-on-error", f"--file={script}", str(source)])
    except ProgramFailed as error:
        raise InvalidValue(f"'{source}' is no copy of a database: {error.message}") from error
    (directory / "before.sql").write_text(_ASIDE)
    (directory / "after.sql").write_text(_COMPLETE)
    files = [f"--file={directory / name}" for name in ("before.sql", "dump.sql", "after.sql")]
    options = ["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--single-transaction"]
    try:
        await _run(url, ["psql", *options, *files])
    except ProgramFailed as error:
        raise Unavailable(
            f"The copy could not be put in place; nothing was changed. {error.message}"
        ) from error


_TABLES = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
#: What is there makes room, under a name that nothing else has. Whoever still uses it is not waited for.
_ASIDE = f"""
SET LOCAL lock_timeout = '{WAIT_S:g}s';
ALTER SCHEMA public RENAME TO bessemer_replaced;
CREATE SCHEMA public;
"""
#: An error when the copy has no schema of ours.
_COMPLETE = """
SELECT 1 / count(*) AS is_ours FROM public.alembic_version \\g /dev/null
DROP SCHEMA bessemer_replaced CASCADE;
"""


def _copy(source: Path, target: Path) -> None:
    uri = f"{source.absolute().as_uri()}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True)) as reading, closing(sqlite3.connect(target)) as writing:
        reading.backup(writing, pages=4096, sleep=0.01)
        # Else it would say, as ours does, that there is a log beside it, and want one where none can be made.
        writing.execute("PRAGMA journal_mode = DELETE")
    _check(target)


def _put_back(source: Path, target: Path, replace: bool) -> None:
    if target.exists() and not replace:
        raise Conflict(f"There is a database at '{target}'.", hint="Use --replace to lose it.")
    partial = target.with_name(f".{target.name}.partial")
    try:
        os.close(os.open(partial, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600))
        with closing(_opened(source)) as reading, closing(sqlite3.connect(partial)) as writing:
            reading.backup(writing)
        _check(partial)
        for left in ("-wal", "-shm"):  # of the database that was here
            target.with_name(f"{target.name}{left}").unlink(missing_ok=True)
        partial.rename(target)
    except sqlite3.DatabaseError as error:
        raise InvalidValue(f"'{source}' is no copy of a database: {error}.") from error
    except OSError as error:
        raise Unavailable(f"The copy could not be put in place: {error}.") from error
    finally:
        partial.unlink(missing_ok=True)


def _opened(copy: Path) -> sqlite3.Connection:
    """A copy to read from. Without a log beside it everything is in the file, and none is made, though older
    copies speak of one: the place may be read-only. Source: SQLite, "Uniform Resource Identifiers"."""
    logs = (copy.with_name(f"{copy.name}{end}") for end in ("-wal", "-journal"))
    mode = "rw" if any(log.exists() for log in logs) else "ro&immutable=1"
    return sqlite3.connect(f"{copy.absolute().as_uri()}?mode={mode}", uri=True)


def _check(path: Path) -> None:
    """Raises sqlite3.DatabaseError when the file is damaged or not one of ours."""
    with closing(sqlite3.connect(path)) as connection:
        [verdict] = connection.execute("PRAGMA integrity_check(1)").fetchone()
        if verdict != "ok":
            raise sqlite3.DatabaseError(verdict)
        connection.execute("SELECT version_num FROM alembic_version").fetchone()


async def _run(url: URL, command: Sequence[str]) -> bytes:
    """Run one of PostgreSQL's programs; what it printed. Where to connect to, and the password, go by the
    environment: command lines are for everybody on the host to read."""
    given = {
        "PGHOST": url.host,
        "PGPORT": url.port,
        "PGUSER": url.username,
        "PGPASSWORD": url.password,
        "PGDATABASE": url.database,
    }
    environment = {**os.environ, **{name: str(value) for name, value in given.items() if value is not None}}
    try:
        child = await asyncio.create_subprocess_exec(
            *command,
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
    except FileNotFoundError as error:
        raise Unavailable(
            f"The program '{command[0]}' is missing.", hint="Install PostgreSQL's client programs."
        ) from error
    try:
        async with asyncio.timeout(LIMIT_S):
            output, errors = await child.communicate()
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    if child.returncode != 0:
        reason = errors.decode(errors="replace").strip().rpartition("\n")[2]
        raise ProgramFailed(f"{command[0]} failed: {reason}")
    return output
