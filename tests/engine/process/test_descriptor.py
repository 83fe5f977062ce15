"""A conductor sees to it that it may have a connection to every BMC, or says that it may not."""

import subprocess
import sys

from structlog.testing import capture_logs

from bessemer.server.descriptor import check_descriptors
from bessemer.store.database import Database
from fakes.store import add_nodes

_PROGRAM = """
import resource
from bessemer.server.descriptor import take_descriptors
resource.setrlimit(resource.RLIMIT_NOFILE, (256, 900))
print(take_descriptors(), *resource.getrlimit(resource.RLIMIT_NOFILE))
"""


def test_all_is_taken_that_the_operating_system_grants() -> None:
    program = subprocess.run([sys.executable, "-c", _PROGRAM], capture_output=True, check=True, text=True)
    assert program.stdout.split() == ["900", "900", "900"]


async def test_a_limit_below_the_number_of_nodes_is_told_once_with_what_is_needed(database: Database) -> None:
    await add_nodes(database, *({"name": f"node-{number}"} for number in range(20)))
    with capture_logs() as logs:
        await check_descriptors(database, "", 510)
    (told,) = logs
    assert told["log_level"] == "warning"
    assert (told["limit"], told["nodes"], told["needed"]) == (510, 20, 520)


async def test_a_limit_that_suffices_and_nodes_of_other_groups_are_nothing_to_tell(
    database: Database,
) -> None:
    await add_nodes(database, *({"name": f"n{number}", "conductor_group": "far"} for number in range(20)))
    with capture_logs() as logs:
        await check_descriptors(database, "", 510)
        await check_descriptors(database, "far", 520)
    assert logs == []
