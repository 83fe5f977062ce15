"""The live display: one line that moves on a terminal, one line per change elsewhere."""

import sys
import time
from typing import TextIO

from bessemer_lab.demo.operator import Sight

_BAR = 24


class Display:
    """Shows what is happening and how long each phase took."""

    def __init__(self, out: TextIO = sys.stdout) -> None:
        self._out = out
        self._is_live = out.isatty()
        self._started = time.monotonic()
        self._phase_started = self._started
        self._phase = ""
        self._last = ""
        self.phases: list[tuple[str, float]] = []

    def begin(self, phase: str) -> None:
        self._phase, self._phase_started, self._last = phase, time.monotonic(), ""
        self._print(f"{self._clock()}  {phase}")

    def end(self, detail: str = "") -> None:
        took = time.monotonic() - self._phase_started
        self.phases.append((self._phase, took))
        self._clear()
        self._print(f"{self._clock()}  {self._phase}: {took:.1f} s{'  ' + detail if detail else ''}")

    def watch(self, sight: Sight) -> None:
        """Show one look at the node."""
        words = f"{sight.state:<15} {sight.step}"
        if self._is_live:
            self._out.write(f"\r\x1b[K{self._clock()}  {words} {_bar(sight.percent)}")
            self._out.flush()
        elif words != self._last:
            self._print(f"{self._clock()}    {words}")
        self._last = words

    def say(self, text: str = "") -> None:
        self._clear()
        self._print(text)

    def summary(self) -> None:
        self.say()
        for phase, took in self.phases:
            self.say(f"  {took:7.1f} s  {phase}")
        self.say(f"  {time.monotonic() - self._started:7.1f} s  altogether")

    def _clear(self) -> None:
        if self._is_live:
            self._out.write("\r\x1b[K")

    def _print(self, text: str) -> None:
        self._out.write(text + "\n")
        self._out.flush()

    def _clock(self) -> str:
        minutes, seconds = divmod(time.monotonic() - self._started, 60)
        return f"{int(minutes):02}:{seconds:04.1f}"


def _bar(percent: float | None) -> str:
    if percent is None:
        return ""
    full = round(_BAR * percent / 100)
    return f"[{'#' * full}{'.' * (_BAR - full)}] {percent:.0f} %"
