"""``bessemer serve`` with a clock beside it that notes how late the event loop is.

    python -m bench.fleet.served CONFIG LAG_FILE

Each line of LAG_FILE is a moment (seconds since the epoch) and the delay found then, in seconds.
"""

import asyncio
import sys
import time
from pathlib import Path
from typing import TextIO

import uvloop

from bessemer.config.load import load_settings
from bessemer.server.logging import set_up_logging
from bessemer.server.process import run_all
from bessemer.server.reload import Reload

#: Between looks at the clock.
EVERY_S = 0.02
_LINES = 100


async def note_lag(file: TextIO) -> None:
    loop, lines = asyncio.get_running_loop(), []
    while True:
        due = loop.time() + EVERY_S
        await asyncio.sleep(EVERY_S)
        lines.append(f"{time.time():.3f} {max(0.0, loop.time() - due):.4f}\n")
        if len(lines) == _LINES:
            file.writelines(lines)
            file.flush()
            lines.clear()


async def serve(config: Path, lag: Path) -> None:
    settings, _ = load_settings(config)
    with lag.open("a") as file:
        noting = asyncio.create_task(note_lag(file))
        try:
            await run_all(settings, Reload(config, settings))
        finally:
            noting.cancel()


def main() -> None:
    set_up_logging(debug=False)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(Path(sys.argv[1]), Path(sys.argv[2])))


if __name__ == "__main__":
    main()
