"""Processes on PostgreSQL go by the database's clock, whatever their hosts believe."""

from datetime import UTC, datetime, timedelta

import pytest

from bessemer.kernel.clock import SteadyClock
from bessemer.store.database import Database
from bessemer.store.shared_clock import set_clock
from fakes.clock import FakeClock


@pytest.mark.parametrize("hours", [-1000, 1000])
async def test_a_wrong_host_is_set_right(database_url: str, family: str, hours: int) -> None:
    wrong = datetime.now(UTC) + timedelta(hours=hours)
    clock = SteadyClock(FakeClock(wrong))
    database = await Database.open(database_url, clock=clock)
    await set_clock(database)
    off = abs(clock.now() - datetime.now(UTC))
    await database.close()
    if family == "postgresql":
        assert off < timedelta(seconds=2)
    else:
        assert off > timedelta(hours=999)  # one machine, one clock


async def test_a_clock_that_is_not_steady_is_left_alone(database: Database, clock: FakeClock) -> None:
    before = clock.now()
    await set_clock(database)
    assert clock.now() == before
