"""Steps that clean what the firmware keeps."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bessemer_agent.boot_entry import DISK_ENTRY_PATTERN, clean_boot_entries
from bessemer_agent.context import Context
from bessemer_agent.error import ChildFailed, EraseFailed, InvalidRequest
from bessemer_agent.inventory.firmware import read_boot_mode
from bessemer_agent.progress import Progress

_Node = Mapping[str, Any]
_Ports = Sequence[Mapping[str, Any]]


def erase_pstore(context: Context, progress: Progress, *, node: _Node, ports: _Ports) -> int:
    """Remove the crash logs kernels left in the firmware; their number. Idempotent.

    Raises:
        EraseFailed: One could not be removed.
    """
    del node, ports
    progress.begin("erase pstore")
    folder = Path(context.machine.root) / "sys/fs/pstore"
    if not folder.is_dir():
        return 0
    if not folder.is_mount():
        try:
            context.machine.run(["mount", "-t", "pstore", "pstore", str(folder)], timeout_s=30, check=False)
        except ChildFailed as error:
            raise EraseFailed(f"pstore cannot be mounted: {error.details}") from error
    entries = sorted(folder.iterdir())
    try:
        for entry in entries:
            entry.unlink()
    except OSError as error:
        raise EraseFailed(f"pstore: {error}") from error
    return len(entries)


def clean_uefi_nvram(
    context: Context, progress: Progress, *, node: _Node, ports: _Ports, match_patterns: object = None
) -> list[str]:
    """Remove boot entries of operating systems; the removed entries' labels. Nothing to do under BIOS.
    Idempotent.

    Raises:
        InvalidRequest: ``match_patterns`` is not a list of texts.
        BootEntryError: A pattern is not a regular expression, or the firmware refused.
    """
    del node, ports
    progress.begin("clean boot entries")
    patterns = [DISK_ENTRY_PATTERN] if match_patterns is None else match_patterns
    if not isinstance(patterns, list) or not all(isinstance(pattern, str) for pattern in patterns):
        raise InvalidRequest("match_patterns must be a list of regular expressions")
    if read_boot_mode(Path(context.machine.root)) != "uefi":
        return []
    return clean_boot_entries(patterns, context.machine.run)
