"""Disks of a machine: sparse qcow2 files."""

import json
from pathlib import Path

from bessemer_lab.error import InvalidSpec
from bessemer_lab.process import run_child
from bessemer_lab.spec import DiskSpec

_TIMEOUT_S = 60.0


async def ensure_disk(disk: DiskSpec, path: Path) -> None:
    """Make the disk's file when it is not there yet.

    Idempotent: an existing disk keeps its content.

    Raises:
        InvalidSpec: The existing disk has another size, or the backing image is missing or larger than the
            disk.
        MissingPackage: qemu-img is not installed.
        ChildFailed: qemu-img refused.
    """
    if path.exists():  # noqa: ASYNC240  a look at a local directory
        size = await _read_size(path)
        if size != disk.size_bytes:
            raise InvalidSpec(
                f"{path} holds {size} bytes, not {disk.size_gib} GiB: delete it or use another directory"
            )
        return
    backing: list[str] = []
    if disk.backing is not None:
        if not disk.backing.is_file():
            raise InvalidSpec(f"the backing image {disk.backing} is not there")
        if disk.backing.stat().st_size > disk.size_bytes:
            raise InvalidSpec(f"the backing image {disk.backing} is larger than {disk.size_gib} GiB")
        backing = ["-b", str(disk.backing.resolve()), "-F", "raw"]
    fresh = path.with_suffix(".new")
    await run_child(
        ["qemu-img", "create", "-q", "-f", "qcow2", *backing, fresh, str(disk.size_bytes)],
        timeout_s=_TIMEOUT_S,
    )
    fresh.replace(path)


async def _read_size(path: Path) -> int:
    answer = await run_child(["qemu-img", "info", "--output=json", path], timeout_s=_TIMEOUT_S)
    size: int = json.loads(answer)["virtual-size"]
    return size
