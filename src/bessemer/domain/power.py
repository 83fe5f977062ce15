"""Power: what a machine is, and what may be asked of it. Values are those of the v1 API."""

from enum import StrEnum


class PowerState(StrEnum):
    ON = "power on"
    OFF = "power off"
    ERROR = "error"


class PowerTarget(StrEnum):
    ON = "power on"
    OFF = "power off"
    REBOOT = "rebooting"
    SOFT_REBOOT = "soft rebooting"
    SOFT_OFF = "soft power off"

    @property
    def result(self) -> PowerState:
        """The state the machine is in when the request has been carried out."""
        return PowerState.OFF if self in (PowerTarget.OFF, PowerTarget.SOFT_OFF) else PowerState.ON

    @property
    def is_soft(self) -> bool:
        return self in (PowerTarget.SOFT_OFF, PowerTarget.SOFT_REBOOT)


class BootDevice(StrEnum):
    PXE = "pxe"
    DISK = "disk"
    CDROM = "cdrom"
    BIOS = "bios"
    SAFE = "safe"
    WANBOOT = "wanboot"
    ISCSIBOOT = "iscsiboot"
    FLOPPY = "floppy"
    UEFIHTTP = "uefihttp"


class BootMode(StrEnum):
    UEFI = "uefi"
    BIOS = "bios"
