"""``bessemer db``, ``backup``, ``restore`` and ``move``: looking after the database itself."""

import argparse
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bessemer.server.command.opened import add_config_file, run_on_database, run_on_settings
from bessemer.server.command.trail import host_user

if TYPE_CHECKING:
    from bessemer.config.settings import Settings
    from bessemer.store.database import Database


def register(commands: Any) -> None:
    """Add the commands to the sub-parsers of ``bessemer``."""
    actions = commands.add_parser("db", help="look after the database").add_subparsers(
        required=True, metavar="ACTION"
    )
    upgrade = actions.add_parser("upgrade", help="make or upgrade the tables; processes do so at start too")
    check = actions.add_parser("check", help="whether it is whole, and of which schema; changes nothing")
    prune = actions.add_parser("prune", help="delete what is old now; conductors do so every hour")
    backup = commands.add_parser("backup", help="copy the database to a file while the service runs")
    backup.add_argument("file", type=Path)
    restore = commands.add_parser("restore", help="put a copy in the place of the database; stop the service")
    restore.add_argument("file", type=Path)
    restore.add_argument("--replace", action="store_true", help="lose the database that is there")
    restore.add_argument("--force", action="store_true", help="even while processes seem to use it")
    move = commands.add_parser("move", help="copy everything from SQLite to PostgreSQL; stop the service")
    move.add_argument("--to", required=True, metavar="URL", help="postgresql://USER@HOST/NAME, empty")
    for parser, run in (
        (upgrade, partial(run_on_database, work=_upgrade)),
        (check, partial(run_on_settings, work=_check)),
        (prune, partial(run_on_database, work=_prune)),
        (backup, partial(run_on_settings, work=_backup)),
        (restore, partial(run_on_settings, work=_restore)),
        (move, partial(run_on_database, work=_move)),
    ):
        add_config_file(parser)
        parser.set_defaults(run=run)


async def _upgrade(arguments: argparse.Namespace, settings: "Settings", database: "Database") -> int:
    from bessemer.store.migration import HEAD

    _print(f"The schema is at revision {HEAD}.")  # opening has brought it there
    return 0


async def _check(arguments: argparse.Namespace, settings: "Settings") -> int:
    """Exit status 1 when something is wrong."""
    from bessemer.store.check import check_database

    revision, wrong = await check_database(settings.database.connection)
    for sentence in wrong or [f"The database is whole, at revision {revision}."]:
        _print(sentence)
    return 1 if wrong else 0


async def _prune(arguments: argparse.Namespace, settings: "Settings", database: "Database") -> int:
    from bessemer.engine.reconcile.prune import audit_chore, prune_chores

    kept = settings.database
    chores = prune_chores(
        database,
        operation_days=kept.keep_operations_days,
        event_days=kept.keep_events_days,
        conductor_days=kept.keep_conductors_days,
        interval_s=0,
    )
    if settings.audit.keep_days > 0:
        days, who = settings.audit.keep_days, host_user()
        command = "bessemer db prune"
        chores.append(audit_chore(database, keep_days=days, interval_s=0, command=command, user=who))
    for chore in chores:
        _print(f"{chore.name}: {await chore.run()} rows")
    return 0


async def _backup(arguments: argparse.Namespace, settings: "Settings") -> int:
    from bessemer.store.backup import back_up

    await back_up(settings.database.connection, arguments.file)
    _print(f"Copied to {arguments.file}. Keep {settings.database.key_file} too, in another place.")
    return 0


async def _restore(arguments: argparse.Namespace, settings: "Settings") -> int:
    from bessemer.store.backup import restore
    from bessemer.store.database import Database

    connection = settings.database.connection
    if arguments.replace and not arguments.force:
        await _check_unused(connection)
        await _check_alone(connection)
    await restore(connection, arguments.file, replace=arguments.replace)
    await (await Database.open(connection, pool_size=2)).close()
    _print("Restored, and at the schema of this version.")
    return 0


async def _move(arguments: argparse.Namespace, settings: "Settings", database: "Database") -> int:
    from bessemer.kernel.error import Conflict
    from bessemer.store.database import Database
    from bessemer.store.move import move

    await _check_unused(settings.database.connection)
    target = await Database.open(arguments.to, pool_size=2)
    try:
        if database.is_postgresql or not target.is_postgresql:
            raise Conflict("Only from SQLite to PostgreSQL can be moved.")
        counts = await move(database, target)
    finally:
        await target.close()
    for table, count in counts.items():
        _print(f"{table:<24} {count:>9} rows, the same on both sides")
    _print("Now set [database]connection to the new place, and start the service.")
    return 0


async def _check_unused(connection: str) -> None:
    """Raises Conflict while a conductor lives on the database. One that cannot be read is in nobody's use."""
    from bessemer.kernel.error import Conflict, Unavailable
    from bessemer.store.check import list_holders

    try:
        holders = await list_holders(connection)
    except Unavailable:
        return
    if holders:
        raise Conflict(f"The service is running: {', '.join(holders)}.", hint="Stop all of its processes.")


async def _check_alone(connection: str) -> None:
    """Raises Conflict while other processes of ours are connected: of the API, say, which hold no lease."""
    from bessemer.kernel.error import Conflict
    from bessemer.store.check import list_clients

    clients = await list_clients(connection)
    if clients:
        raise Conflict(
            f"The database is in use by {len(clients)} connections (from {clients[0]}).",
            hint="Stop all processes of the service, or use --force.",
        )


def _print(line: str) -> None:
    print(line)  # noqa: T201  a command's own output
