"""``bessemer-lab fleet``: a simulated fleet until Ctrl-C."""

import argparse
import asyncio
import importlib
import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bessemer_lab.error import LabError
from bessemer_lab.fleet.fault import Chance
from bessemer_lab.fleet.fleet import Fleet
from bessemer_lab.fleet.machine import Pace
from bessemer_lab.fleet.record import Record


def register(commands: Any) -> None:
    """Add the command to the sub-parsers of ``bessemer-lab``."""
    pace, chance = Pace(), Chance()
    parser = commands.add_parser("fleet", help="thousands of simulated servers, BMCs and agents only")
    parser.add_argument("--size", type=int, required=True, metavar="N", help="how many servers")
    parser.add_argument("--port", type=int, default=0, help="the same for all servers (default: a free one)")
    parser.add_argument("--tls", type=Path, metavar="DIR", help="speak https, with a certificate kept there")
    parser.add_argument("--record", type=Path, metavar="FILE", help="write every call there, as JSON lines")
    for name, meaning in (
        ("answer", "a call to a BMC takes"),
        ("power", "a change of power takes"),
        ("boot", "the ramdisk takes to boot"),
        ("command", "a long command of the agent takes"),
    ):
        default = getattr(pace, f"{name}_s")
        parser.add_argument(f"--{name}-s", type=float, default=default, help=f"{meaning} (%(default)s s)")
    for name, meaning in (("error", "that fail"), ("hang", "that are never answered")):
        default = getattr(chance, f"{name}_share")
        parser.add_argument(f"--{name}-share", type=float, default=default, help=f"of BMC calls {meaning}")
    parser.add_argument("--no-events", action="store_true", help="BMCs without an event service")
    parser.add_argument("--seed", type=int, default=chance.seed, help="of what goes wrong")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(_keep_running(options))
    except (OSError, ValueError) as error:
        raise LabError(f"the fleet cannot be run: {error}") from error
    return 0


async def _keep_running(options: argparse.Namespace) -> None:
    is_over = asyncio.Event()
    for end in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(end, is_over.set)
    fleet = Fleet(
        options.size,
        pace=Pace(options.answer_s, options.power_s, options.boot_s, options.command_s),
        chance=Chance(options.error_share, options.hang_share, options.seed),
        record=Record(options.record),
        directory=options.tls,
        port=options.port,
        has_events=not options.no_events,
    )
    async with fleet:
        told = {"control_url": fleet.control_url, "port": fleet.port, "size": options.size}
        if options.size:
            told["first"] = {**fleet.driver_info(0), "mac": fleet.servers[0].mac}
        print(json.dumps(told), flush=True)
        await is_over.wait()


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop where it is installed: asyncio's own TLS keeps 256 KiB for each connection."""
    try:
        factory: Callable[[], asyncio.AbstractEventLoop] = importlib.import_module("uvloop").new_event_loop
    except ImportError:
        return None
    return factory
