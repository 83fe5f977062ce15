"""Faults a test can put into a BMC."""

import asyncio
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase


class FaultKind(StrEnum):
    STATUS = "status"
    HANG = "hang"
    DROP = "drop"


@dataclass(slots=True, kw_only=True)
class Fault:
    """What happens to the next ``remaining`` requests whose method and path match the shell patterns."""

    kind: FaultKind
    method: str
    path: str
    remaining: int
    #: The HTTP status of the answer; for STATUS only.
    status: int = 0

    def matches(self, method: str, path: str) -> bool:
        return self.remaining > 0 and fnmatchcase(method, self.method) and fnmatchcase(path, self.path)


class Faults:
    """What goes wrong with one BMC. Nothing does until a test says so; ``clear`` makes all well again."""

    def __init__(self) -> None:
        #: Added to the answer of every request, in seconds.
        self.delay_s: float = 0.0
        #: Whether right credentials are refused too.
        self.refuses_logins: bool = False
        self._faults: list[Fault] = []
        self._released = asyncio.Event()

    def fail_next(self, status: int, *, count: int = 1, method: str = "*", path: str = "*") -> None:
        """Answer the next ``count`` matching requests with an HTTP status, without doing what they ask."""
        if not 400 <= status <= 599:
            raise ValueError(f"{status} is not the status of an error")
        self._add(Fault(kind=FaultKind.STATUS, method=method, path=path, remaining=count, status=status))

    def hang_next(self, *, count: int = 1, method: str = "*", path: str = "*") -> None:
        """Never answer the next ``count`` matching requests; until ``clear``, which lets them go on."""
        self._add(Fault(kind=FaultKind.HANG, method=method, path=path, remaining=count))

    def drop_next(self, *, count: int = 1, method: str = "*", path: str = "*") -> None:
        """Close the connection of the next ``count`` matching requests without an answer."""
        self._add(Fault(kind=FaultKind.DROP, method=method, path=path, remaining=count))

    def clear(self) -> None:
        """Remove every fault and release the requests that hang. Idempotent."""
        self.delay_s = 0.0
        self.refuses_logins = False
        self._faults.clear()
        self._released.set()
        self._released = asyncio.Event()

    def take(self, method: str, path: str) -> Fault | None:
        """The fault for a request, used up by one; None when it is to be served."""
        for fault in self._faults:
            if fault.matches(method, path):
                fault.remaining -= 1
                return fault
        return None

    async def wait_for_release(self) -> None:
        """Wait until ``clear``."""
        await self._released.wait()

    def _add(self, fault: Fault) -> None:
        if fault.remaining < 1:
            raise ValueError(f"{fault.remaining} requests cannot fail: the count must be at least 1")
        self._faults.append(fault)
