"""The chaos test in small: everything fails, and every machine gets its instance once. See ``play``."""

from pathlib import Path

from engine.chaos.mischief import Mishaps
from engine.chaos.play import play

#: Each kind of mishap comes to pass within a minute.
MISHAPS = Mishaps(
    conductor_pause_s=(4.0, 12.0), api_pause_s=(30.0, 60.0), away_s=(0.1, 1.0), frozen_s=(1.0, 13.0)
)
PACE = {"answer": 0.02, "power": 0.2, "boot": 1.0, "command": 1.0}


async def test_machines_are_deployed_once_each_while_processes_database_and_bmcs_fail(
    tmp_path: Path,
) -> None:
    report = await play(tmp_path, 30, seed=5, mishaps=MISHAPS, pace=PACE, limit_s=300.0)
    assert report.findings == []
    assert report.failures == []
    assert report.mishaps["database restarted"] == 2
    assert report.mishaps["killed"] > 0
    assert report.calls.get("bmc GET 0", 0) > 0, "no call to a BMC was lost: nothing was tried"
