"""``bessemer serve``: the whole service in one process."""

import argparse
import asyncio
import sys
from pathlib import Path
from typing import Any


def register(commands: Any) -> None:
    """Add the command to the sub-parsers of ``bessemer`` (entry point ``bessemer.commands``)."""
    parser = commands.add_parser("serve", help="run the API and a conductor in one process")
    parser.add_argument(
        "--config-file", type=Path, help="INI file; without it, defaults for this machine alone"
    )
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    """Serve until told to stop. Exit status 2 when the settings or the database cannot be used."""
    import structlog
    import uvloop

    from bessemer.config.load import load_settings
    from bessemer.kernel.error import BessemerError
    from bessemer.server.logging import set_up_logging
    from bessemer.server.process import run

    try:
        settings, unknown = load_settings(arguments.config_file)
        set_up_logging(debug=settings.default.debug)
        for option in unknown:
            structlog.get_logger(__name__).warning("unknown option in the settings file", option=option)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(run(settings))
    except BessemerError as error:
        print(f"bessemer: {error}", file=sys.stderr)  # noqa: T201  before or after logging exists
        return 2
    return 0
