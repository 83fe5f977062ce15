"""What the agent's tests share."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bessemer_agent.disk import MIB, Disk, open_disk
from unit.agent.image_server import ImageServer, running_image_server


@pytest.fixture
def image_server() -> Iterator[ImageServer]:
    with running_image_server() as server:
        yield server


@pytest.fixture
def make_disk(tmp_path: Path) -> Iterator[Callable[..., Disk]]:
    """Make files that stand in for disks, filled with 0xAA unless told otherwise, and open them."""
    opened: list[Disk] = []

    def make(size_bytes: int = 16 * MIB, fill: bytes = b"\xaa") -> Disk:
        path = tmp_path / f"disk{len(opened)}"
        path.write_bytes(fill * (size_bytes // len(fill)))
        opened.append(open_disk(str(path)))
        return opened[-1]

    yield make
    for disk in opened:
        disk.close()
