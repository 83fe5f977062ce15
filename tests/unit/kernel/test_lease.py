"""A lease covers what was begun under it for as long as it is renewed in time, and not a moment longer."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from bessemer.kernel.error import FenceLost, LeaseEnded
from bessemer.kernel.lease import Lease, Tenure, act_under, check_may_act, elapsed_s


@dataclass
class Hand:
    """A clock's hand that tests move."""

    at: float = 1000.0

    def __call__(self) -> float:
        return self.at


def is_refused(act: Callable[[], None]) -> bool:
    try:
        act()
    except FenceLost:
        return True
    return False


def test_a_lease_that_was_never_granted_covers_nothing() -> None:
    with pytest.raises(LeaseEnded, match="lease"):
        Lease().tenure.check()


def test_a_lease_counts_from_when_it_was_asked_for_not_from_the_answer() -> None:
    now = Hand()
    lease = Lease(now)
    asked_at = lease.now()
    now.at += 9
    lease.grant(asked_at, 10)
    tenure = lease.tenure
    tenure.check()
    now.at += 1
    assert is_refused(tenure.check)


def test_a_renewal_in_time_keeps_what_was_begun() -> None:
    now = Hand()
    lease = Lease(now)
    lease.grant(now.at, 10)
    tenure = lease.tenure
    for _ in range(5):
        now.at += 9
        lease.grant(now.at, 10)
    tenure.check()


def test_a_renewal_that_came_too_late_does_not_bring_back_what_was_begun_before() -> None:
    now = Hand()
    lease = Lease(now)
    lease.grant(now.at, 10)
    before = lease.tenure
    now.at += 11
    lease.grant(now.at, 10)
    assert is_refused(before.check)
    assert not is_refused(lease.tenure.check)


def test_who_works_for_no_operation_may_always_act() -> None:
    check_may_act()


async def test_a_task_stands_under_the_tenure_it_was_begun_with_and_others_do_not() -> None:
    now = Hand()
    lease = Lease(now)
    lease.grant(now.at, 10)

    async def worker(tenure: Tenure) -> None:
        act_under(tenure)
        check_may_act()
        now.at += 10
        assert is_refused(check_may_act)

    await asyncio.create_task(worker(lease.tenure))
    check_may_act()


def test_the_clock_goes_on_while_the_host_sleeps_where_there_is_such_a_clock() -> None:
    assert abs(elapsed_s() - time.clock_gettime(time.CLOCK_BOOTTIME)) < 1


def test_asking_costs_next_to_nothing() -> None:
    lease = Lease()
    lease.grant(lease.now(), 3600)

    def ask_often() -> float:
        began = time.process_time()
        for _ in range(10_000):
            lease.tenure.check()
        return (time.process_time() - began) / 10_000

    assert min(ask_often() for _ in range(5)) < 20e-6  # a microsecond, and room for slow machines
