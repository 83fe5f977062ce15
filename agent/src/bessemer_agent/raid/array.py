"""Arrays as the kernel has them, and mdadm, which makes and ends them. Source: md(4), mdadm(8)."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from bessemer_agent.child import Run
from bessemer_agent.error import ChildFailed, DeviceError

_TIMEOUT_S = 120.0


class RaidError(DeviceError):
    """A RAID array could not be made or ended."""


class Array(NamedTuple):
    """A running array."""

    #: "/dev/md0".
    name: str
    #: Disks that parts of it are on: "/dev/sda".
    disks: tuple[str, ...]
    #: These parts: "/dev/sda2".
    parts: tuple[str, ...]


def list_arrays(root: Path = Path("/")) -> list[Array]:
    """The running arrays, in name order."""
    folder = root / "sys/block"
    entries = sorted(folder.glob("md*")) if folder.is_dir() else []
    return [_read_array(root, entry) for entry in entries if (entry / "md").is_dir()]


def _read_array(root: Path, entry: Path) -> Array:
    slaves = sorted(slave.name for slave in (entry / "slaves").iterdir())
    disks = dict.fromkeys(_disk_of(root, name) for name in slaves)
    return Array(_node(entry.name), tuple(map(_node, disks)), tuple(map(_node, slaves)))


def _disk_of(root: Path, name: str) -> str:
    """The disk that a partition is on; a disk is on itself."""
    place = (root / "sys/class/block" / name).resolve()
    return place.parent.name if (place / "partition").exists() else name


def _node(name: str) -> str:
    return "/dev/" + name.replace("!", "/")


def assemble_arrays(run: Run) -> None:
    """Start every array that the disks know of, also one that lacks a disk. Idempotent.

    mdadm's status says nothing here: none at all is a failure to it.
    """
    run(["mdadm", "--assemble", "--scan", "--run"], timeout_s=_TIMEOUT_S, check=False)


def read_name(array: Array, run: Run) -> str | None:
    """What the array was called when it was made; None when that cannot be found out."""
    told = run(["mdadm", "--detail", "--export", array.name], timeout_s=_TIMEOUT_S, check=False).stdout
    names = (line.partition("=")[2] for line in told.splitlines() if line.startswith("MD_NAME="))
    # The home host may stand before the name.
    return next((name.rpartition(":")[2] for name in names), None)


def create_array(number: int, level: str, parts: Sequence[str], run: Run, *, name: str | None = None) -> str:
    """Make an array of these partitions, whatever was on them; its device node.

    Raises:
        RaidError: mdadm or the kernel refused, with their words.
    """
    node = f"/dev/md{number}"
    # Any machine may be the array's home: an instance has another host name than this ramdisk.
    argv = ["mdadm", "--create", node, "--run", "--metadata=1.2", "--homehost=any", f"--level={level}"]
    argv += [f"--name={name or number}", f"--raid-devices={len(parts)}", *parts]
    try:
        run(argv, timeout_s=_TIMEOUT_S)
    except ChildFailed as error:
        raise RaidError(f"RAID {level} of {', '.join(parts)}: {error.details}") from error
    return node


def stop_arrays(arrays: Iterable[Array], run: Run) -> None:
    """End arrays; what is on them stays on the disks.

    Raises:
        RaidError: One is in use.
    """
    for array in arrays:
        try:
            run(["mdadm", "--stop", array.name], timeout_s=_TIMEOUT_S)
        except ChildFailed as error:
            raise RaidError(f"{array.name} cannot be stopped: {error.details}") from error
