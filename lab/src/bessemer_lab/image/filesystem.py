"""File systems in plain files: FAT through mtools, ext4 through mke2fs; no mounts, no root."""

import os
from pathlib import Path

from bessemer_lab.process import run_child

_TIMEOUT_S = 60.0
#: 1 January 2024, the age of everything in the image.
EPOCH_S = 1704067200
_ENVIRONMENT = {
    "SOURCE_DATE_EPOCH": str(EPOCH_S),
    "E2FSPROGS_FAKE_TIME": str(EPOCH_S),
    "MTOOLS_SKIP_CHECK": "1",
}


async def make_fat(image: Path, tree: Path, *, size_bytes: int, label: str) -> None:
    """A FAT32 file system with the files of a directory."""
    _reserve(image, size_bytes)
    sectors = str(size_bytes // 512)
    # one sector a cluster: fewer than 65525 clusters are not FAT32; heads and sectors have to be given
    geometry = ("-h", "16", "-s", "64", "-T", sectors)
    await _run(["mformat", "-i", image, "-F", "-c", "1", "-v", label, "-N", "be55e3e0", *geometry, "::"])
    members = sorted(tree.iterdir())  # noqa: ASYNC240  a handful of local files
    await _run(["mcopy", "-i", image, "-s", "-m", *members, "::/"])


async def make_ext4(image: Path, tree: Path, *, size_bytes: int, label: str, identity: str) -> None:
    """An ext4 file system with the files of a directory, all of them root's."""
    _reserve(image, size_bytes)
    command: list[str | Path] = [
        *("mke2fs", "-q", "-t", "ext4", "-L", label, "-U", identity),
        *("-E", f"hash_seed={identity},root_owner=0:0", "-d", tree, image),
    ]
    if os.geteuid() != 0:
        command = ["fakeroot", "--", *command]
    await _run(command)


def _reserve(image: Path, size_bytes: int) -> None:
    with image.open("wb") as file:
        file.truncate(size_bytes)


async def _run(command: list[str | Path]) -> None:
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    await run_child(command, timeout_s=_TIMEOUT_S, environment={**os.environ, **_ENVIRONMENT, "PATH": path})
