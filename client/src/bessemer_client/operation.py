"""``bessemer operation``: what is being done to a node, how far it is, and what each step did."""

import argparse
from typing import Any

from bessemer_client.connection import Connection


def register(commands: Any) -> None:
    """Add the command to the sub-parsers."""
    parser = commands.add_parser("operation", help="what is being done to a node, and what was done")
    parser.add_argument("--endpoint", help="API address (default: OS_ENDPOINT or the local service)")
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    every = actions.add_parser("list", help="operations of a node, newest first")
    every.add_argument("node", help="name or UUID of the node")
    every.set_defaults(run=_list)
    one = actions.add_parser("show", help="one operation with its journal")
    one.add_argument("operation", help="UUID of the operation")
    one.set_defaults(run=_show)


async def _list(arguments: argparse.Namespace) -> int:
    async with Connection(arguments.endpoint) as connection:
        document = await connection.get(f"/v2/nodes/{arguments.node}/operations")
    for operation in document["operations"]:
        print(operation_line(operation))
    return 0


async def _show(arguments: argparse.Namespace) -> int:
    async with Connection(arguments.endpoint) as connection:
        operation = await connection.get(f"/v2/operations/{arguments.operation}")
    print(operation_line(operation))
    for entry in operation["journal"]:
        print(f"  {entry_line(entry)}")
    if operation["error"]:
        print(f"  {operation['error']['message']} {operation['error']['hint']}".rstrip())
    return 0


def operation_line(operation: dict[str, Any]) -> str:
    """One operation as a line of text: what it is, how far, and its place in the queue while it has one."""
    steps = len(operation["plan"])
    where = f"step {min(operation['position'] + 1, steps)} of {steps}"
    kind, state = operation["kind"], operation["state"]
    line = f"{operation['uuid']}  {kind:<10} {state:<10} {where:<14} {operation['created_at']}"
    return line + _place(operation.get("queue"))


def _place(queue: dict[str, Any] | None) -> str:
    """Where in the queue it is, and what it waits for besides its turn."""
    if queue is None:
        return ""
    waits = [f"behind {queue['behind']}"] if queue["behind"] else []
    if queue["pool"]:
        waits.append(f"counts against the limit of '{queue['pool']}'")
    return f"  number {queue['position']} in the queue" + "".join(f", {wait}" for wait in waits)


def entry_line(entry: dict[str, Any]) -> str:
    """One journal entry as a line of text: time, what happened, step, duration, detail."""
    took = f"{entry['duration_s']:7.1f}s" if entry["duration_s"] is not None else " " * 8
    name = entry["title"] or entry["step"]
    return f"{entry['at'][11:23]} {took}  {entry['event']:<11} {name:<28} {entry['detail']}".rstrip()
