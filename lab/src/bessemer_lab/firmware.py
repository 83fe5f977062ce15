"""Firmware of a machine: OVMF's files for UEFI, SeaBIOS (QEMU's own) for BIOS, and each machine's NVRAM."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from bessemer_lab.error import MissingPackage

_OVMF = Path("/usr/share/OVMF")


@dataclass(frozen=True, slots=True)
class UefiFirmware:
    """A build of OVMF: its code, and the two states of NVRAM a machine may begin with."""

    code: Path
    variables: Path
    has_smm: bool


#: Ordinary UEFI without Secure Boot.
PLAIN = UefiFirmware(_OVMF / "OVMF_CODE_4M.fd", _OVMF / "OVMF_VARS_4M.fd", has_smm=False)
#: Secure Boot with Microsoft's and Debian's keys enrolled.
SECURE = UefiFirmware(_OVMF / "OVMF_CODE_4M.secboot.fd", _OVMF / "OVMF_VARS_4M.ms.fd", has_smm=True)
#: The same code in setup mode: no keys, so nothing is enforced until somebody enrols some.
SETUP = UefiFirmware(_OVMF / "OVMF_CODE_4M.secboot.fd", _OVMF / "OVMF_VARS_4M.fd", has_smm=True)


def choose_uefi(*, is_secure_boot: bool, is_setup_mode: bool) -> UefiFirmware:
    """The OVMF build for a machine's Secure Boot settings."""
    if not is_secure_boot:
        return PLAIN
    return SETUP if is_setup_mode else SECURE


def ensure_nvram(firmware: UefiFirmware, directory: Path) -> Path:
    """The machine's own variable store for this firmware, made from the template when it is not there yet.

    Idempotent: an existing store, with the boot entries an operating system wrote to it, is left alone.

    Raises:
        MissingPackage: OVMF is not installed.
    """
    if not firmware.code.exists() or not firmware.variables.exists():
        raise MissingPackage(f"{firmware.code} is not there: install the package ovmf")
    name = "secure" if firmware is SECURE else "setup" if firmware is SETUP else "uefi"
    nvram = directory / f"nvram-{name}.fd"
    if not nvram.exists():
        fresh = nvram.with_suffix(".new")
        shutil.copyfile(firmware.variables, fresh)
        fresh.replace(nvram)
    return nvram


def remove_secure_nvram(directory: Path) -> None:
    """Forget the variable stores of Secure Boot; the next start makes new ones. Idempotent."""
    for name in ("secure", "setup"):
        (directory / f"nvram-{name}.fd").unlink(missing_ok=True)
