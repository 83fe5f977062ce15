"""Turning the machine off and on again, and the end of the agent alone."""

import os
import threading
from collections.abc import Callable
from pathlib import Path

from bessemer_agent.child import Run, run
from bessemer_agent.error import ChildFailed
from bessemer_agent.journal import say

#: Seconds between a command's answer and its effect, so that the answer still gets out.
_GRACE_S = 1.0
#: Seconds until the agent ends by itself: a service that was restarted can still see how its command ended.
_LEAVE_S = 60.0
_SYSRQ = {"poweroff": "o", "reboot": "b"}


class Power:
    """Ends this ramdisk's life, shortly after being asked.

    Args:
        run_child: Runs busybox.
        later: Calls a function after so many seconds.
        leave: Ends this program at once.
    """

    def __init__(
        self,
        run_child: Run = run,
        later: Callable[[float, Callable[[], None]], None] | None = None,
        leave: Callable[[], None] = lambda: os._exit(0),
    ) -> None:
        self._run = run_child
        self._leave = leave
        self._later = later or _call_later

    def turn_off(self) -> None:
        """Power off soon, without the service managers this ramdisk does not have."""
        self._schedule("poweroff")

    def reboot(self) -> None:
        """Reboot soon, into whatever the firmware boots next."""
        self._schedule("reboot")

    def leave(self) -> None:
        """End the agent after a while and leave the machine to whoever uses it."""
        self._later(_LEAVE_S, self._leave)

    def _schedule(self, action: str) -> None:
        say("ending", how=action)
        self._later(_GRACE_S, lambda: self._end(action))

    def _end(self, action: str) -> None:
        os.sync()
        try:
            self._run(["busybox", action, "-f"], timeout_s=30)
        except ChildFailed as error:
            say("busybox could not, asking the kernel directly", why=error)
            Path("/proc/sysrq-trigger").write_text(_SYSRQ[action])


def _call_later(delay_s: float, action: Callable[[], None]) -> None:
    timer = threading.Timer(delay_s, action)
    timer.daemon = True
    timer.start()
