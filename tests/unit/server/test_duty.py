"""Duties of a conductor: one that fails by a defect begins again, and ends nothing else."""

import asyncio

from structlog.testing import capture_logs

from bessemer.server.process import keep_up


async def test_a_duty_that_fails_by_a_defect_is_told_of_and_begins_again() -> None:
    begun = 0

    async def fail_twice() -> None:
        nonlocal begun
        begun += 1
        if begun < 3:
            raise ExceptionGroup("both", [ValueError("a defect")])

    with capture_logs() as logs:
        async with asyncio.timeout(20):
            await keep_up("sweep the floor", fail_twice, pause_s=0)
    assert [(line["log_level"], line["duty"]) for line in logs] == [("error", "sweep the floor")] * 2
