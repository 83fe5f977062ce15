"""The database of a settings file, opened for a command, and how such a command ends."""

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bessemer.config.settings import Settings
    from bessemer.store.database import Database

    Plain = Callable[[argparse.Namespace, Settings], Coroutine[Any, Any, int]]
    Work = Callable[[argparse.Namespace, Settings, Database], Coroutine[Any, Any, int]]


def add_config_file(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config-file", type=Path, help="INI file of the service")


def run_on_settings(arguments: argparse.Namespace, work: "Plain") -> int:
    """The exit status of ``work``, which opens what it needs itself; 2 when it cannot."""
    from bessemer.config.load import load_settings
    from bessemer.kernel.error import BessemerError

    async def run() -> int:
        settings, _ = load_settings(arguments.config_file)
        return await work(arguments, settings)

    try:
        return asyncio.run(run())
    except BessemerError as error:
        print(f"bessemer: {error}", file=sys.stderr)  # noqa: T201  a command's own output
        return 2


def run_on_database(arguments: argparse.Namespace, work: "Work") -> int:
    """The exit status of ``work``; 2 when the settings, the key file or the database cannot be used."""
    from bessemer.config.load import load_settings
    from bessemer.kernel.error import BessemerError

    async def run() -> int:
        settings, _ = load_settings(arguments.config_file)
        async with _opened(settings) as database:
            return await work(arguments, settings, database)

    try:
        return asyncio.run(run())
    except BessemerError as error:
        print(f"bessemer: {error}", file=sys.stderr)  # noqa: T201  a command's own output
        return 2


@asynccontextmanager
async def _opened(settings: "Settings") -> "AsyncIterator[Database]":
    from bessemer.store.database import Database
    from bessemer.store.key import unlock

    Path(settings.default.state_path).mkdir(mode=0o700, parents=True, exist_ok=True)  # noqa: ASYNC240  once
    database = await Database.open(settings.database.connection, pool_size=2)
    try:
        await unlock(database, Path(settings.database.key_file))
        yield database
    finally:
        await database.close()
