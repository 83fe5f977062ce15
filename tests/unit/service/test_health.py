"""What a health check complains of."""

import asyncio

import pytest

from bessemer.kernel.error import Unavailable
from bessemer.service.health import HealthService


class Conductors:
    """Tells of these live ones, or fails like a database that is gone."""

    def __init__(self, *live: str, error: Exception | None = None, is_silent: bool = False) -> None:
        self._live = frozenset(live)
        self._error = error
        self._is_silent = is_silent

    async def list_alive(self) -> frozenset[str]:
        if self._is_silent:
            await asyncio.Event().wait()
        if self._error is not None:
            raise self._error
        return self._live


@pytest.mark.parametrize(
    ("conductors", "with_conductors", "complaints"),
    [
        (Conductors("a"), True, []),
        (Conductors(), False, []),
        (Conductors(), True, ["No conductor is alive."]),
        (Conductors(error=Unavailable("gone")), False, ["The database does not answer."]),
        (Conductors(error=Unavailable("gone")), True, ["The database does not answer."]),
        (Conductors("a", is_silent=True), False, ["The database does not answer."]),
    ],
)
async def test_it_complains_of_what_keeps_requests_from_being_served(
    conductors: Conductors, with_conductors: bool, complaints: list[str]
) -> None:
    health = HealthService(conductors, answer_s=0.05)
    assert await health.complaints(with_conductors=with_conductors) == complaints
