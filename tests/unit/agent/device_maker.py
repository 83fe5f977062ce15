"""A disk as the inventory describes it; tests change what matters to them."""

from bessemer_agent.inventory.block_device import BlockDevice
from bessemer_agent.root_device import GIB

PLAIN = BlockDevice(
    name="/dev/sda",
    size=100 * GIB,
    model="SuperDisk 9000",
    vendor="Acme",
    serial="S3R14L",
    wwn="0x5000c50015ea71ac",
    wwn_with_extension="0x5000c50015ea71aceui",
    wwn_vendor_extension="eui",
    rotational=True,
    hctl="1:0:0:0",
    by_path="/dev/disk/by-path/pci-0000:00:07.0",
    tran="sata",
    logical_sectors=512,
    is_read_only=False,
    is_removable=False,
)
