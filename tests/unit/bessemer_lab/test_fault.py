"""Faults of a BMC, and its journal."""

import asyncio

import pytest

from bessemer_lab.bmc.fault import FaultKind, Faults
from bessemer_lab.bmc.journal import RequestJournal


async def test_a_fault_strikes_as_often_as_it_was_told() -> None:
    faults = Faults()
    faults.fail_next(503, count=2, method="GET", path="*/Systems/*")
    assert faults.take("POST", "/redfish/v1/Systems/1") is None
    assert faults.take("GET", "/redfish/v1/Managers/1") is None
    kinds = [faults.take("GET", "/redfish/v1/Systems/1") for _ in range(3)]
    assert [fault.kind if fault else None for fault in kinds] == [FaultKind.STATUS, FaultKind.STATUS, None]


async def test_faults_are_taken_in_the_order_they_were_made() -> None:
    faults = Faults()
    faults.drop_next()
    faults.hang_next()
    kinds = [faults.take("GET", "/") for _ in range(3)]
    assert [fault.kind if fault else None for fault in kinds] == [FaultKind.DROP, FaultKind.HANG, None]


async def test_clearing_removes_faults_and_releases_who_waits() -> None:
    faults = Faults()
    faults.refuses_logins, faults.delay_s = True, 5.0
    faults.fail_next(500)
    waiting = asyncio.create_task(faults.wait_for_release())
    await asyncio.sleep(0)
    faults.clear()
    async with asyncio.timeout(30):
        await waiting
    assert faults.take("GET", "/") is None
    assert (faults.refuses_logins, faults.delay_s) == (False, 0.0)


async def test_faults_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ValueError, match="200 is not the status of an error"):
        Faults().fail_next(200)
    with pytest.raises(ValueError, match="at least 1"):
        Faults().drop_next(count=0)


def test_the_journal_counts_by_method_path_and_status() -> None:
    times = iter(range(100))
    journal = RequestJournal(clock=lambda: float(next(times)))
    journal.record("GET", "/a/b", 200, 0.0)
    journal.record("GET", "/a/c", 404, 0.0)
    journal.record("POST", "/a/b", 204, 0.0)
    assert journal.count() == 3
    assert journal.count("GET", "/a/*") == 2
    assert journal.count(path="/a/b", status=204) == 1
    assert journal.list("POST")[0].duration_s == 2.0
    journal.clear()
    assert journal.count() == 0


def test_the_journal_keeps_the_newest_only() -> None:
    journal = RequestJournal(length=2)
    for number in range(3):
        journal.record("GET", f"/{number}", 200, 0.0)
    assert [entry.path for entry in journal.list()] == ["/1", "/2"]
