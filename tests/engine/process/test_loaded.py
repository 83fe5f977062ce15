"""What a process has in memory: no library that it does not need."""

import subprocess
import sys
from pathlib import Path

#: Libraries of several MiB, and when they come.
LATER = {
    "alembic": "when tables are upgraded",
    "asyncpg": "with the first connection to PostgreSQL",
    "cryptography.x509": "with the first certificate of an agent",
    "pycdlib": "with the first ISO image",
    "redfish": "with the first login at a BMC",
    "requests": "with redfish, which wants it",
    "rich": "never",
    "sqlalchemy.orm": "never",
    "urllib3": "with redfish",
}

PROGRAM = """
import asyncio, sys
from pathlib import Path
from bessemer.server.command.serve import _leave_out
_leave_out("rich")
from bessemer.config.load import load_settings
from bessemer.server.process import assembled

async def run() -> None:
    settings, _ = load_settings(Path(sys.argv[1]))
    async with assembled(settings) as process:
        assert await process.services.health.complaints() == []
        print(*(name for name, module in sys.modules.items() if module is not None))

asyncio.run(run())
"""


def loaded_by_a_process(settings: Path) -> set[str]:
    """What ``bessemer serve`` with a new SQLite database has loaded when it is about to answer."""
    command = [sys.executable, "-c", PROGRAM, str(settings)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.splitlines()[-1].split())


def test_a_process_that_begins_has_loaded_nothing_that_it_may_never_need(tmp_path: Path) -> None:
    settings = tmp_path / "bessemer.conf"
    settings.write_text(
        f"[DEFAULT]\nstate_path = {tmp_path}\nenabled_hardware_types = fake-hardware,redfish\n"
    )
    loaded = loaded_by_a_process(settings)
    assert {"sqlalchemy", "aiohttp", "bessemer.hardware.redfish.pool"} <= loaded
    assert loaded & LATER.keys() == set()
