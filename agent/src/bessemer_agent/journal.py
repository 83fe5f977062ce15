"""The agent's own log: lines for the console, the latest of them kept for the service to collect.

One line is a constant phrase and fields, stamped with the seconds since the kernel started, because that is
the clock an operator sees beside the kernel's own lines and because the wall clock of bare metal is often
wrong.
"""

import sys
import time
from collections import deque

#: Lines kept for ``log.collect_system_logs``.
KEPT_LINES = 5000

_kept: deque[str] = deque(maxlen=KEPT_LINES)


def say(phrase: str, **fields: object) -> None:
    """Print one line to the console and keep it. Secrets are never passed here."""
    uptime_s = time.clock_gettime(time.CLOCK_BOOTTIME)
    told = "".join(f" {name}={_one_line(value)}" for name, value in fields.items() if value is not None)
    line = f"[{uptime_s:9.3f}] bessemer-agent: {phrase}{told}"
    _kept.append(line)
    try:
        print(line, flush=True)
    except (OSError, ValueError):
        sys.stdout = sys.__stderr__  # a console that went away must not take the agent with it


def kept_lines() -> list[str]:
    """The latest lines, oldest first."""
    return list(_kept)


def _one_line(value: object) -> str:
    text = str(value).replace("\n", " | ")
    return repr(text) if " " in text else text
