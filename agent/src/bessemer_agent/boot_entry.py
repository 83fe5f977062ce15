"""The UEFI boot entry of the deployed system.

The entry points at the loader the image itself recommends (``EFI/*/BOOTX64.CSV``, as written by
distributions for shim's fallback), else at the removable-media path. Ours are told by their label, so that
a machine deployed a hundred times has one of them, not a hundred.

Source: UEFI Specification 2.10, chapters 3.1 (boot manager) and 3.5.1.1 (removable media); efibootmgr(8).
"""

import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from bessemer_agent.child import Run
from bessemer_agent.error import BootEntryError, ChildFailed
from bessemer_agent.journal import say

#: First word of the label of every entry made here.
OWN_LABEL = "Bessemer"
_TIMEOUT_S = 60.0
_ENTRY = re.compile(r"Boot([0-9A-Fa-f]{4})\*? +([^\t]*)(?:\t(.*))?")
#: Entries that ``clean_uefi_nvram`` removes unless told otherwise: those of operating systems on disks.
DISK_ENTRY_PATTERN = r"\bHD\("


class Loader(NamedTuple):
    """A boot loader on an EFI system partition."""

    #: As UEFI writes paths: ``\\EFI\\debian\\shimx64.efi``.
    path: str
    label: str


class BootEntry(NamedTuple):
    """An entry of the firmware's boot manager."""

    #: Four hexadecimal digits.
    number: str
    label: str
    #: The device path as text; empty when not shown.
    path: str


def find_loader(esp: Path) -> Loader:
    """The loader on a mounted EFI system partition.

    Raises:
        BootEntryError: There is none for this architecture.
    """
    name = {"aarch64": "AA64", "x86_64": "X64"}.get(os.uname().machine, "X64")
    efi = _find_entry(esp, "EFI")
    for folder in sorted(efi.iterdir()) if efi else []:
        csv = _find_entry(folder, f"BOOT{name}.CSV")
        if csv:
            file, label = _parse_csv(csv.read_bytes())
            found = _find_entry(folder, file) if file else None
            if found:
                return Loader(f"\\EFI\\{folder.name}\\{found.name}", f"{OWN_LABEL}: {label or folder.name}")
    boot = _find_entry(efi, "BOOT") if efi else None
    found = _find_entry(boot, f"BOOT{name}.EFI") if boot else None
    if boot is None or found is None:
        raise BootEntryError(
            f"the image's EFI system partition has no boot loader (no EFI/BOOT/BOOT{name}.EFI)"
        )
    return Loader(f"\\EFI\\{boot.name}\\{found.name}", OWN_LABEL)


def list_boot_entries(run: Run) -> list[BootEntry]:
    """The firmware's entries.

    Raises:
        BootEntryError: They cannot be read.
    """
    try:
        text = run(["efibootmgr", "-v"], timeout_s=_TIMEOUT_S).stdout
    except ChildFailed as error:
        raise BootEntryError(f"the firmware's boot entries cannot be read: {error.details}") from error
    found = (_ENTRY.fullmatch(line) for line in text.splitlines())
    return [BootEntry(match[1].upper(), match[2].strip(), match[3] or "") for match in found if match]


def ensure_boot_entry(disk_path: str, esp_number: int, loader: Loader, run: Run) -> None:
    """As ``ensure_boot_entries``, for one disk."""
    ensure_boot_entries([(disk_path, esp_number)], loader, run)


def ensure_boot_entries(places: Sequence[tuple[str, int]], loader: Loader, run: Run) -> None:
    """Make an entry for the loader on each disk and EFI system partition, and put them first, in this order;
    former ones of ours are removed. Idempotent.

    Raises:
        BootEntryError: The firmware refused (often: its variable store is full or read-only).
    """
    for entry in list_boot_entries(run):
        if entry.label == OWN_LABEL or entry.label.startswith(OWN_LABEL + ":"):
            delete_boot_entry(entry, run)
    # A new entry is also put first in the boot order.
    for disk_path, esp_number in reversed(places):
        argv = ["efibootmgr", "--create", "--disk", disk_path, "--part", str(esp_number)]
        try:
            run([*argv, "--label", loader.label, "--loader", loader.path], timeout_s=_TIMEOUT_S)
        except ChildFailed as error:
            raise BootEntryError(f"for {loader.path}: {error.details}") from error
        say("boot entry made", label=loader.label, loader=loader.path, disk=disk_path)


def delete_boot_entry(entry: BootEntry, run: Run) -> None:
    """Remove an entry from the firmware.

    Raises:
        BootEntryError: The firmware refused.
    """
    try:
        run(["efibootmgr", "--bootnum", entry.number, "--delete-bootnum"], timeout_s=_TIMEOUT_S)
    except ChildFailed as error:
        raise BootEntryError(
            f"entry {entry.number} ({entry.label}) cannot be removed: {error.details}"
        ) from error
    say("boot entry removed", number=entry.number, label=entry.label)


def clean_boot_entries(patterns: Sequence[str], run: Run) -> list[str]:
    """Remove the entries whose label or path matches one of the regular expressions; their labels.

    Raises:
        BootEntryError: A pattern is none, or the firmware refused.
    """
    try:
        expressions = [re.compile(pattern) for pattern in patterns]
    except re.error as error:
        raise BootEntryError(f"not a regular expression: {error}") from error
    matching = _matching(expressions)
    doomed = [entry for entry in list_boot_entries(run) if matching(entry)]
    for entry in doomed:
        delete_boot_entry(entry, run)
    return [entry.label for entry in doomed]


def _matching(expressions: Sequence["re.Pattern[str]"]) -> Callable[[BootEntry], bool]:
    return lambda entry: any(expression.search(f"{entry.label}\t{entry.path}") for expression in expressions)


def _find_entry(folder: Path, name: str) -> Path | None:
    """FAT names compare without case, whatever the mount does."""
    if not folder.is_dir():
        return None
    return next((entry for entry in sorted(folder.iterdir()) if entry.name.lower() == name.lower()), None)


def _parse_csv(data: bytes) -> tuple[str, str]:
    """File and label of the first line; the file is UTF-16 with or without byte-order mark."""
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-16-le"
    lines = data.decode(encoding, "replace").splitlines()
    file, _, rest = (lines[0] if lines else "").partition(",")
    # A name with a separator would lead out of the folder.
    return ("", "") if "\\" in file or "/" in file else (file.strip(), rest.partition(",")[0].strip())
