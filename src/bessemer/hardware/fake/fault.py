"""Faults that fake interfaces can be told to have, and the grammar in which an operator tells them.

``[fake]faults`` is a list of ``interface.method:kind@when`` items. ``interface`` is one of the thirteen
kinds, ``method`` a method of its protocol (for steps: the step's name), or ``*`` for all of them::

    power.request_power:unreachable@0.1       one call in ten finds no BMC
    boot.prepare_ramdisk:refused@first2       each node's first two calls are refused, the third works
    deploy.deploy:deadline@nth3               each node's third call runs out of time
    management.*:unreachable                  every call fails
    inspect.inspect:hang@first1               the first call never returns

Kinds: ``unreachable``, ``refused``, ``deadline``, ``unsupported``, ``bug`` raise the error of that name;
``hang`` waits for ever (until the caller's own deadline). Without ``@when`` every call fails. Calls are
counted per node since the process started.
"""

import asyncio
import re
from dataclasses import dataclass
from enum import StrEnum
from random import Random

from bessemer.config.load import BadSettings
from bessemer.kernel.error import (
    BessemerError,
    DeadlineExceeded,
    DeviceRefused,
    DeviceUnreachable,
    InternalError,
    Unsupported,
)

_WHEN = re.compile(r"(?:first(?P<first>[1-9]\d*)|nth(?P<nth>[1-9]\d*)|(?P<share>0?\.\d+|1(?:\.0*)?))")


class FaultKind(StrEnum):
    UNREACHABLE = "unreachable"
    REFUSED = "refused"
    DEADLINE = "deadline"
    UNSUPPORTED = "unsupported"
    BUG = "bug"
    HANG = "hang"


_ERRORS: dict[FaultKind, type[BessemerError]] = {
    FaultKind.UNREACHABLE: DeviceUnreachable,
    FaultKind.REFUSED: DeviceRefused,
    FaultKind.DEADLINE: DeadlineExceeded,
    FaultKind.UNSUPPORTED: Unsupported,
    FaultKind.BUG: InternalError,
}


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong, and in which calls: a share of all, the first few, or exactly one of each node."""

    kind: FaultKind
    share: float = 1.0
    first: int | None = None
    nth: int | None = None

    def strikes(self, call: int, random: Random) -> bool:
        """Whether a node's ``call``-th call (1 or more) fails."""
        if self.first is not None:
            return call <= self.first
        if self.nth is not None:
            return call == self.nth
        return random.random() < self.share

    async def happen(self, where: str) -> None:
        """Raises the error of this kind, or never returns."""
        if self.kind is FaultKind.HANG:
            await asyncio.Event().wait()
        raise _ERRORS[self.kind](f"Injected fault in {where}: {self.kind}.")


def parse_fault(text: str) -> Fault:
    """Read ``kind[@when]``. Raises BadSettings."""
    kind, _, when = text.partition("@")
    if kind not in set(FaultKind):
        raise BadSettings(
            f"[fake]faults: '{kind}' is no kind of fault.", hint=f"There are: {', '.join(FaultKind)}."
        )
    if not when and "@" not in text:
        return Fault(FaultKind(kind))
    found = _WHEN.fullmatch(when)
    if found is None:
        raise BadSettings(
            f"[fake]faults: '{when}' does not say when.", hint="Write a share (0.1), firstN or nthN."
        )
    return Fault(
        FaultKind(kind),
        share=float(found["share"] or 1.0),
        first=int(found["first"]) if found["first"] else None,
        nth=int(found["nth"]) if found["nth"] else None,
    )
