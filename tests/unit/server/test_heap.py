"""What the service frees is the operating system's again."""

import subprocess
import sys

#: Large blocks come and go, a small one stays beside each: how much is left resident, in MiB.
_PROGRAM = """
from pathlib import Path
from bessemer.server.heap import keep_large_blocks_apart
def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 2**20
if {apart}:
    keep_large_blocks_apart()
bytes(1024 * 1024)  # glibc learns from the first large block that is freed
before, large, small = resident(), [], []
for _ in range(300):
    large.append(bytearray(b"x") * (200 * 1024))
    small.append(bytearray(1000))
large.clear()
print(resident() - before)
"""


def _left_mib(*, apart: bool) -> float:
    program = [sys.executable, "-c", _PROGRAM.format(apart=apart)]
    return float(subprocess.run(program, capture_output=True, check=True, text=True).stdout)


def test_large_blocks_that_are_freed_go_back_although_small_ones_beside_them_stay() -> None:
    assert _left_mib(apart=True) < 5 < _left_mib(apart=False)
