"""``bessemer key``: the keys that secrets in the database are sealed with."""

import argparse
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bessemer.server.command.opened import add_config_file, run_on_database
from bessemer.server.command.trail import record

if TYPE_CHECKING:
    from bessemer.config.settings import Settings
    from bessemer.store.database import Database

_ROTATE = "bessemer key rotate"


def register(commands: Any) -> None:
    """Add the command to the sub-parsers of ``bessemer``."""
    parser = commands.add_parser("key", help="manage the keys that secrets in the database are sealed with")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    show = actions.add_parser("show-ids", help="list the keys by name: the one that seals comes first")
    add = actions.add_parser("add", help="add a key that opens only, to be copied to other hosts")
    rotate = actions.add_parser("rotate", help="seal everything with a new key, while the service runs")
    rotate.add_argument(
        "--keep", action="store_true", help="no new key: only seal what is not sealed with the present one"
    )
    prune = actions.add_parser("prune", help="remove keys from the file that nothing is sealed with")
    for action, work in ((show, _show), (add, _add), (rotate, _rotate), (prune, _prune)):
        add_config_file(action)
        action.set_defaults(run=partial(run_on_database, work=work))


async def _show(arguments: argparse.Namespace, settings: "Settings", database: "Database") -> int:
    from bessemer.store.reseal import list_key_names_in_use

    in_use = await list_key_names_in_use(database)
    for position, name in enumerate(database.vault.keys.ids):
        role = "seals" if position == 0 else "opens"
        _print(f"{name}  {role}  {'in use' if name in in_use else 'not in use'}")
    return 0


async def _add(arguments: argparse.Namespace, settings: "Settings", database: "Database") -> int:
    from bessemer.store.key_change import add_key

    name = add_key(_path(settings))
    await record(database, "bessemer key add", resource_type="key", resource=name)
    _print(f"key {name} added to {settings.database.key_file}")
    return 0


async def _rotate(arguments: argparse.Namespace, settings: "Settings", database: "Database") -> int:
    from bessemer.store.key_change import begin_rotation, complete_rotation

    if not arguments.keep:
        name = await begin_rotation(database, _path(settings))
        await record(database, _ROTATE, resource_type="key", resource=name, detail="seals from now on")
        _print(f"key {name} seals from now on: keep a copy of {settings.database.key_file}")
    changed = await complete_rotation(database)
    present, detail = database.vault.keys.ids[0], f"{changed} rows sealed anew"
    await record(database, _ROTATE, resource_type="key", resource=present, detail=detail)
    _print(detail)
    return 0


async def _prune(arguments: argparse.Namespace, settings: "Settings", database: "Database") -> int:
    from bessemer.store.key_change import prune_keys

    for name in await prune_keys(database, _path(settings)):
        await record(database, "bessemer key prune", resource_type="key", resource=name)
        _print(f"key {name} removed")
    return 0


def _path(settings: "Settings") -> Path:
    return Path(settings.database.key_file)


def _print(line: str) -> None:
    print(line)  # noqa: T201  a command's own output
