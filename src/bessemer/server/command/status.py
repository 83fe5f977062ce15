"""``bessemer status``: who is alive, what is queued, what waits for long, and what nobody will ever do."""

import argparse
import dataclasses
from functools import partial
from typing import TYPE_CHECKING, Any

from bessemer.server.command.opened import add_config_file, run_on_database

if TYPE_CHECKING:
    from bessemer.config.settings import Settings
    from bessemer.store.database import Database
    from bessemer.store.status import OpenOperation, Status


def register(commands: Any) -> None:
    """Add the command to the sub-parsers of ``bessemer``."""
    parser = commands.add_parser("status", help="conductors, the queue, and what needs a look")
    parser.add_argument("--json", action="store_true", help="for programs")
    add_config_file(parser)
    parser.set_defaults(run=partial(run_on_database, work=_status))


async def _status(arguments: argparse.Namespace, settings: "Settings", database: "Database") -> int:
    """Exit status 1 when something needs a look."""
    import msgspec

    from bessemer.store.migration import HEAD
    from bessemer.store.status import read_status

    async with database.read() as tx:
        status = await read_status(tx)
    needs = list(_needs(status))
    if arguments.json:
        document = {"schema": HEAD, **dataclasses.asdict(status), "needs": needs}
        document["conductors"] = status.conductors
        _print(msgspec.json.encode(document).decode())
        return 1 if needs else 0
    _print(f"schema      {HEAD}")
    for line in _lines(status):
        _print(line)
    for line in needs:
        _print(f"! {line}")
    return 1 if needs else 0


def _lines(status: "Status") -> "list[str]":
    lines = []
    for one in status.conductors:
        state = "alive" if status.is_alive(one) else "lost" if one.is_online else "stopped"
        held = status.held.get(one.incarnation, 0)
        group = one.conductor_group or "(default group)"
        lines.append(
            f"conductor   {one.hostname}  {state}  {group}  {one.version or 'unknown version'}"
            f"  at work on {held}  last sign {one.updated_at[:19]}"
        )
    lines += [f"operations  {kind}  {state}  {count}" for kind, state, count in status.counts]
    for operation in (*status.oldest_queued, *status.oldest_waiting):
        since = operation.waiting_since or operation.created_at
        lines.append(
            f"{operation.state:<11} {operation.uuid}  {operation.node}  {operation.kind}  since {since[:19]}"
            f"  {operation.progress_text}".rstrip()
        )
    return lines


def _needs(status: "Status") -> "list[str]":
    """What will not come right by itself, a sentence each."""
    found = [
        f"Conductor {one.hostname} was lost without signing off."
        for one in status.conductors
        if one.is_online and not status.is_alive(one)
    ]
    if not any(status.is_alive(one) for one in status.conductors):
        found.append("No conductor is alive: nothing is carried out.")
    else:
        found += [_nobody(one) for one in status.oldest_queued if status.nobody_for(one)]
    reserved = status.reserved_for_nothing
    return found + [f"Node {node} is reserved although nothing works on it." for node in reserved]


def _nobody(operation: "OpenOperation") -> str:
    group = operation.conductor_group or "default"
    return (
        f"No living conductor of the {group} group can carry out '{operation.kind}' version"
        f" {operation.version} on node {operation.node} ({operation.driver})."
    )


def _print(line: str) -> None:
    print(line)  # noqa: T201  a command's own output
