"""Who made the machine and how it was booted.

Source: SMBIOS as the kernel shows it in ``/sys/class/dmi/id``.
"""

from pathlib import Path
from typing import NamedTuple

from bessemer_agent.inventory.sysfs import read_text


class Firmware(NamedTuple):
    """The machine's firmware."""

    vendor: str
    version: str
    build_date: str


class SystemVendor(NamedTuple):
    """Whose product this is."""

    product_name: str
    serial_number: str
    manufacturer: str
    firmware: Firmware


class Boot(NamedTuple):
    """How this ramdisk was started."""

    #: "uefi" or "bios".
    current_boot_mode: str
    #: The MAC the firmware booted from, as the boot loader passed it.
    pxe_interface: str | None


def read_system_vendor(root: Path = Path("/")) -> SystemVendor:
    """The SMBIOS identity; what the firmware does not say is empty."""

    def dmi(name: str) -> str:
        return read_text(root / "sys/class/dmi/id" / name) or ""

    return SystemVendor(
        product_name=dmi("product_name"),
        serial_number=dmi("product_serial"),
        manufacturer=dmi("sys_vendor"),
        firmware=Firmware(dmi("bios_vendor"), dmi("bios_version"), dmi("bios_date")),
    )


def read_boot_mode(root: Path = Path("/")) -> str:
    """ "uefi" when the kernel was started by UEFI, else "bios"."""
    return "uefi" if (root / "sys/firmware/efi").is_dir() else "bios"


def read_boot(boot_mac: str | None, root: Path = Path("/")) -> Boot:
    """How the machine was booted; ``boot_mac`` is the boot loader's BOOTIF."""
    return Boot(read_boot_mode(root), boot_mac)
