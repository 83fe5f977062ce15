"""The thirteen kinds of interface that make up a driver."""

from enum import StrEnum


class InterfaceType(StrEnum):
    BIOS = "bios"
    BOOT = "boot"
    CONSOLE = "console"
    DEPLOY = "deploy"
    FIRMWARE = "firmware"
    INSPECT = "inspect"
    MANAGEMENT = "management"
    NETWORK = "network"
    POWER = "power"
    RAID = "raid"
    RESCUE = "rescue"
    STORAGE = "storage"
    VENDOR = "vendor"

    @property
    def node_field(self) -> str:
        """The node field that names the chosen implementation."""
        return f"{self.value}_interface"
