"""Commands of the ``system`` extension."""

import threading
from pathlib import Path

from bessemer_agent.child import Run
from bessemer_agent.context import Context
from bessemer_agent.journal import say
from bessemer_agent.progress import Progress

#: Seconds between the answer and the end of the network.
_GRACE_S = 1.0


def lockdown(context: Context, progress: Progress) -> None:
    """Take all network interfaces down shortly after the answer, before the machine is moved to its tenant.

    Only a power cycle brings the agent back.
    """
    del progress
    machine = context.machine
    names = sorted(entry.name for entry in (Path(machine.root) / "sys/class/net").iterdir())
    timer = threading.Timer(_GRACE_S, _take_down, (names, machine.run))
    timer.daemon = True
    timer.start()


def _take_down(names: list[str], run: Run) -> None:
    for name in names:
        if name != "lo":
            run(["busybox", "ip", "link", "set", "dev", name, "down"], timeout_s=20, check=False)
    say("network is down", interfaces=",".join(names))
