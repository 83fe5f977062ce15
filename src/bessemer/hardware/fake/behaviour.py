"""How the fake interfaces behave: how long things take, and what goes wrong."""

import asyncio
from collections import Counter
from random import Random

from bessemer.config.load import BadSettings
from bessemer.config.settings import FakeSettings
from bessemer.domain.interface import InterfaceType
from bessemer.domain.step import HardwareStep
from bessemer.hardware.fake.fault import Fault, parse_fault
from bessemer.hardware.interface import InProgress, Task
from bessemer.kernel.clock import Clock, seconds_between, timestamp

#: Where a step that takes time notes when it began and how long it lasts.
STEP_KEY = "fake_step"


class Behaviour:
    """Shared by all fake interfaces of a process. Raises BadSettings for a delay or fault it cannot read."""

    def __init__(self, settings: FakeSettings, clock: Clock, random: Random | None = None) -> None:
        self._clock = clock
        self._random = random or Random()  # noqa: S311  chance in tests, not a secret
        self._delays = {kind: _parse_delay(kind, settings) for kind in InterfaceType}
        self._faults = {where: parse_fault(text) for where, text in settings.faults.items()}
        self._calls: Counter[tuple[str, str]] = Counter()
        for where in self._faults:
            _check_place(where)

    async def call(self, task: Task, kind: InterfaceType, method: str) -> None:
        """Take the time that a call of ``kind`` takes, then fail if it is to fail."""
        delay_s = self._delay_s(kind)
        if delay_s:
            await asyncio.sleep(delay_s)
        await self._fail(task, kind, method)

    async def start_step(self, task: Task, step: HardwareStep) -> InProgress | None:
        """Begin a step: complete at once, or a durable note of when it will be (see ``poll_step``)."""
        await self._fail(task, step.interface, step.step)
        duration_s = self._delay_s(step.interface)
        if not duration_s:
            return None
        await task.remember(**{STEP_KEY: {"since": timestamp(self._clock), "duration_s": duration_s}})
        return self.poll_step(task)

    def poll_step(self, task: Task) -> InProgress | None:
        """How the step that ``start_step`` noted is doing; None when its time is over."""
        note = task.node.driver_internal_info.get(STEP_KEY)
        if note is None:
            return None
        passed_s = seconds_between(note["since"], timestamp(self._clock))
        if passed_s >= note["duration_s"]:
            return None
        left_s = note["duration_s"] - passed_s
        percent = 100.0 * max(0.0, passed_s) / note["duration_s"]
        return InProgress(percent=round(percent, 1), text="pretending to work", poll_s=min(5.0, left_s))

    def _delay_s(self, kind: InterfaceType) -> float:
        low, high = self._delays[kind]
        return low if low == high else self._random.uniform(low, high)

    async def _fail(self, task: Task, kind: InterfaceType, method: str) -> None:
        for where in (f"{kind}.{method}", f"{kind}.*"):
            fault = self._faults.get(where)
            if fault is not None and self._strikes(fault, task, where):
                await fault.happen(f"{kind}.{method}")

    def _strikes(self, fault: Fault, task: Task, where: str) -> bool:
        self._calls[task.node.uuid, where] += 1
        return fault.strikes(self._calls[task.node.uuid, where], self._random)


def _parse_delay(kind: InterfaceType, settings: FakeSettings) -> tuple[float, float]:
    """Read ``seconds`` or ``low,high``. Kinds without an option of their own take no time."""
    option = f"{kind}_delay"
    text = str(getattr(settings, option, "0"))
    try:
        low, high = (float(part) for part in (text.split(",") if "," in text else (text, text)))
    except ValueError:
        low, high = 1.0, 0.0
    if not 0.0 <= low <= high:
        raise BadSettings(f"[fake]{option} is '{text}'.", hint="Write seconds, or 'low,high'.")
    return low, high


def _check_place(where: str) -> None:
    kind, dot, method = where.partition(".")
    if kind not in set(InterfaceType) or not dot or not method:
        raise BadSettings(f"[fake]faults: '{where}' is not interface.method.")
