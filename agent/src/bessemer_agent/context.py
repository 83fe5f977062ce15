"""What commands work with: this machine, the node it is to the service, and what the service allows."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from bessemer_agent.child import Run, run
from bessemer_agent.disk import Disk, open_disk
from bessemer_agent.http_client import HttpClient
from bessemer_agent.inventory.block_device import BlockDevice, wait_for_block_devices
from bessemer_agent.mount import Mount, mounted
from bessemer_agent.power import Power
from bessemer_agent.root_device import choose_root_device, read_skipped
from bessemer_agent.secret import Secret
from bessemer_agent.settings import Settings


class Machine:
    """The doors to the hardware, each replaceable.

    Args:
        list_devices: The disks, after waiting a while for a first one.
        open_disk: Opens a disk exclusively.
        run: Runs a program.
        mount: Mounts a file system for a while.
        power: Ends this ramdisk's life.
        root: The file system the kernel's and firmware's files are read from.
    """

    def __init__(
        self,
        list_devices: Callable[[], list[BlockDevice]],
        *,
        open_disk: Callable[[str], Disk] = open_disk,
        run: Run = run,
        mount: Mount = mounted,
        power: Power | None = None,
        root: str = "/",
    ) -> None:
        self.list_devices = list_devices
        self.open_disk = open_disk
        self.run = run
        self.mount = mount
        self.power = power or Power()
        self.root = root


class Context:
    """One life of the agent. Changed by lookup (node, config, token) and by commands."""

    def __init__(self, settings: Settings, machine: Machine) -> None:
        self.settings = settings
        self.machine = machine
        #: The node as the service last showed it.
        self.node: Mapping[str, Any] = {}
        #: The service's ``config`` answer to lookup.
        self.config: Mapping[str, Any] = {}
        self.token: Secret | None = settings.agent_token
        #: Disks that read as zeros since an erasure of this life.
        self.zeroed_disks: set[str] = set()
        #: The disk the last image went to, and the identifiers found on it.
        self.root_disk: str | None = None
        self.partition_uuids: dict[str, object] = {}

    @property
    def image_client(self) -> HttpClient:
        """Makes requests to image servers."""
        settings = self.settings
        return HttpClient(settings.image_download_connection_timeout, settings.cafile, settings.insecure)

    def choose_root_device(self) -> BlockDevice:
        """The node's root disk: hints of the instance, else of the node; else the root array where there are
        arrays, else the smallest disk that fits.

        Raises:
            DeviceNotFound: No disk fits, or the node's arrays are gone.
            InvalidRequest: A hint, or what is to be skipped, is not understood.
        """
        from bessemer_agent.raid.root import MADE, find_root_arrays, root_candidates, software_disks

        properties = _mapping(self.node.get("properties"))
        instance = _mapping(self.node.get("instance_info"))
        hints = instance.get("root_device") or properties.get("root_device")
        skip = read_skipped(self.node)
        arrays = find_root_arrays(self.node, self.machine.run, Path(self.machine.root))
        is_raided = bool(software_disks(self.node, MADE))
        devices = self.machine.list_devices()
        devices = root_candidates(devices, arrays, has_hints=bool(hints), is_raided=is_raided)
        return choose_root_device(devices, _mapping(hints), skip)


def build_machine(settings: Settings) -> Machine:
    """This very machine. Only the first look at the disks waits for one to appear."""
    attempts = [settings.disk_wait_attempts]

    def list_devices() -> list[BlockDevice]:
        return wait_for_block_devices(attempts.pop() if attempts else 0, settings.disk_wait_delay)

    return Machine(list_devices)


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
