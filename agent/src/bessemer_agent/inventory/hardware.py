"""The whole inventory, as ``poll.get_hardware_info`` answers it.

Source: the hardware inventory documented for ironic-python-agent.
"""

from pathlib import Path

from bessemer_agent.inventory.block_device import BlockDevice
from bessemer_agent.inventory.cpu import read_cpu
from bessemer_agent.inventory.firmware import read_boot, read_system_vendor
from bessemer_agent.inventory.memory import read_memory
from bessemer_agent.inventory.nic import list_nics


def collect_hardware(
    disks: list[BlockDevice], boot_mac: str | None = None, root: Path = Path("/")
) -> dict[str, object]:
    """The inventory: ``interfaces, cpu, disks, memory, system_vendor, boot, hostname`` and the BMC's
    addresses.

    The BMC's addresses are None: asking it in-band is not built yet, and the service found the machine by
    them.
    """
    import os

    vendor = read_system_vendor(root)
    return {
        "interfaces": [nic._asdict() for nic in list_nics(root)],
        "cpu": read_cpu(root).to_wire(),
        "disks": [disk.to_wire() for disk in disks],
        "memory": read_memory(root)._asdict(),
        "system_vendor": {**vendor._asdict(), "firmware": vendor.firmware._asdict()},
        "boot": read_boot(boot_mac, root)._asdict(),
        "hostname": os.uname().nodename,
        "bmc_address": None,
        "bmc_v6address": None,
        "bmc_mac": None,
    }
