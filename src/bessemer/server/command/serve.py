"""``bessemer serve``, ``api`` and ``conductor``: the processes of the service."""

import argparse
import asyncio
import os
import signal
import socket
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bessemer.config.settings import Settings
    from bessemer.server.reload import Reload

    Run = Callable[[Settings, Reload], Coroutine[Any, Any, None]]


def register(commands: Any) -> None:
    """Add the commands to the sub-parsers of ``bessemer``."""
    serve = commands.add_parser("serve", help="run the API and a conductor in one process")
    conductor = commands.add_parser("conductor", help="run a conductor alone")
    api = commands.add_parser("api", help="run the API alone, in [api]api_workers processes")
    for parser, run in ((serve, _serve), (conductor, _conductor), (api, _api)):
        parser.add_argument(
            "--config-file", type=Path, help="INI file; without it, defaults for this machine alone"
        )
        parser.set_defaults(run=run)
    # What a worker inherits: the listening socket and the pipe by which its parent tells it; its number.
    api.add_argument("--worker", help=argparse.SUPPRESS)


def _serve(arguments: argparse.Namespace) -> int:
    from bessemer.server.process import run_all

    return _run(arguments, run_all)


def _conductor(arguments: argparse.Namespace) -> int:
    from bessemer.server.process import run_conductor

    return _run(arguments, run_conductor)


def _api(arguments: argparse.Namespace) -> int:
    from bessemer.server.process import run_api, run_api_worker

    if arguments.worker is None:
        return _run(arguments, lambda settings, reload: run_api(settings, reload, arguments.config_file))
    listener, pipe, number = (int(text) for text in arguments.worker.split(","))
    os.set_inheritable(listener, False)
    os.set_inheritable(pipe, False)
    with socket.socket(fileno=listener) as shared:
        return _run(
            arguments, lambda settings, reload: run_api_worker(settings, reload, shared, pipe, number)
        )  # fmt: skip


def _run(arguments: argparse.Namespace, run: "Run") -> int:
    """Run until told to stop. Exit status 2 when the settings, the database or the address cannot be used."""
    # Until ``Life`` hears it, it would end the process; it waits instead.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
    _leave_out("rich")
    import structlog
    import uvloop

    from bessemer.config.load import load_settings
    from bessemer.kernel.error import BessemerError
    from bessemer.server.logging import set_up_logging
    from bessemer.server.reload import Reload

    try:
        settings, unknown = load_settings(arguments.config_file)
        set_up_logging(debug=settings.default.debug, use_json=settings.default.use_json)
        for option in unknown:
            structlog.get_logger(__name__).warning("unknown option in the settings file", option=option)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(run(settings, Reload(arguments.config_file, settings)))
    except (BessemerError, OSError) as error:
        print(f"bessemer: {error}", file=sys.stderr)  # noqa: T201  before or after logging exists
        return 2
    return 0


def _leave_out(package: str) -> None:
    """Let nobody take in a package only because it is installed: rich comes along with oslo.config, and costs
    every process of ours 5 MiB for pretty tracebacks that we do not show."""
    sys.modules.setdefault(package, None)  # type: ignore[arg-type]
