"""The ``bessemer`` command: what the service adds, and a look at operations through the API.

Sub-commands come from the entry-point group ``bessemer.commands``: a function that is given the sub-parsers
and adds its own. So a laptop has the client's commands only, and a server also ``serve``.
"""

import argparse
import asyncio
import sys
from importlib.metadata import entry_points

from bessemer_client import operation
from bessemer_client.connection import ApiError


def main(argv: list[str] | None = None) -> int:
    """Run one command; the result is the exit status (0 done, 1 refused or failed, 2 wrong words)."""
    arguments = _parser().parse_args(argv)
    try:
        outcome = arguments.run(arguments)
        return int(asyncio.run(outcome)) if asyncio.iscoroutine(outcome) else int(outcome)
    except ApiError as error:
        print(f"bessemer: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bessemer", description="Bare-metal provisioning.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    operation.register(commands)
    for entry_point in sorted(entry_points(group="bessemer.commands"), key=lambda entry: entry.name):
        entry_point.load()(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
