"""How fast one address may try passwords: a few at once, then ever more slowly."""

import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(slots=True)
class _Record:
    failures: int = 0
    last: float = 0.0


class Throttle:
    """Addresses of one IPv6 network of 64 bits count as one: they belong to one holder."""

    def __init__(
        self,
        *,
        free: int = 5,
        most_s: float = 30.0,
        forget_s: float = 600.0,
        addresses: int = 10_000,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """``free`` failures cost nothing; each further one doubles the wait, from 1 to ``most_s`` seconds.
        An address that was quiet for ``forget_s`` starts afresh."""
        self._free = free
        self._most_s = most_s
        self._forget_s = forget_s
        self._addresses = addresses
        self._monotonic = monotonic
        self._records: OrderedDict[str, _Record] = OrderedDict()

    def wait_s(self, address: str) -> float:
        """How long this address has to wait before it may try again; 0: not at all."""
        record = self._records.get(_network(address))
        if record is None or record.failures < self._free:
            return 0.0
        penalty_s = min(self._most_s, 2.0 ** min(record.failures - self._free, 16))
        return max(0.0, record.last + penalty_s - self._monotonic())

    def count(self, address: str) -> None:
        """Note a try. It counts as a failure until it is taken back, so that many at once gain nothing."""
        key, now = _network(address), self._monotonic()
        record = self._records.setdefault(key, _Record())
        if now - record.last > self._forget_s:
            record.failures = 0
        record.failures += 1
        record.last = now
        self._records.move_to_end(key)
        if len(self._records) > self._addresses:
            self._records.popitem(last=False)

    def take_back(self, address: str) -> None:
        """The try was right. Earlier failures stay: one good account does not pay for guesses at others."""
        record = self._records.get(_network(address))
        if record is not None:
            record.failures = max(0, record.failures - 1)


def _network(address: str) -> str:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4:
        return address
    return str(ipaddress.ip_network((parsed, 64), strict=False))
