"""Duties of a conductor: the settings choose them; one that fails by a defect begins again, and ends nothing
else."""

import asyncio
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bessemer.config.load import load_settings
from bessemer.server.duty import duties
from bessemer.server.foundation import open_foundation
from bessemer.server.process import keep_up


@pytest.mark.parametrize(("interval", "is_there"), [("1", True), ("0", False), ("-1", False)])
async def test_power_sync_is_a_duty_where_it_has_an_interval(
    tmp_path: Path, interval: str, is_there: bool
) -> None:
    path = tmp_path / "bessemer.ini"
    path.write_text(
        f"[DEFAULT]\nstate_path = {tmp_path / 'state'}\n[conductor]\nsync_power_state_interval = {interval}\n"
    )
    settings, _ = load_settings(path)
    async with open_foundation(settings) as foundation:
        assert ("power sync" in duties(foundation)) is is_there


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
