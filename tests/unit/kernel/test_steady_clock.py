"""A clock that the host's clock does not move."""

from datetime import timedelta

from bessemer.kernel.clock import SteadyClock
from fakes.clock import FakeClock


class Machine:
    """Time since the machine was started."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def test_it_begins_at_the_hosts_time_and_goes_on_by_the_machines() -> None:
    host, machine = FakeClock(), Machine()
    began = host.now()
    clock = SteadyClock(host, machine)
    machine.seconds += 5
    assert clock.now() == began + timedelta(seconds=5)


def test_moving_the_hosts_clock_does_not_move_it() -> None:
    host, machine = FakeClock(), Machine()
    began = host.now()
    clock = SteadyClock(host, machine)
    host.advance(-36000)
    machine.seconds += 1
    assert clock.now() == began + timedelta(seconds=1)


def test_it_goes_on_from_where_it_is_set() -> None:
    host, machine = FakeClock(), Machine()
    clock = SteadyClock(host, machine)
    machine.seconds += 100
    there = host.now() + timedelta(days=1)
    clock.set(there)
    machine.seconds += 2
    assert clock.now() == there + timedelta(seconds=2)
