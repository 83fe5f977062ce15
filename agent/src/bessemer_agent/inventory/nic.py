"""The network interfaces, physical ones only."""

import socket
import struct
from pathlib import Path
from typing import NamedTuple

from bessemer_agent.inventory.sysfs import read_int, read_link_name, read_text

_SIOCGIFADDR = 0x8915  # linux/sockios.h
_LINK_LOCAL_SCOPE = 0x20  # /proc/net/if_inet6


class Nic(NamedTuple):
    """One interface. ``lldp``, ``client_id`` and ``biosdevname`` are part of the protocol and not collected
    yet.
    """

    name: str
    mac_address: str
    ipv4_address: str | None
    ipv6_address: str | None
    has_carrier: bool
    speed_mbps: int | None
    #: PCI identifiers such as "0x8086".
    vendor: str | None
    product: str | None
    pci_address: str | None
    driver: str | None
    lldp: list[object] | None = None
    client_id: str | None = None
    biosdevname: str | None = None


def list_nics(root: Path = Path("/")) -> list[Nic]:
    """Interfaces backed by a device, in name order; bonds, bridges, VLANs and loopback have none."""
    folder = root / "sys/class/net"
    names = sorted(entry.name for entry in folder.iterdir() if (entry / "device").exists())
    return [_read_nic(root, name) for name in names]


def list_macs(root: Path = Path("/")) -> list[str]:
    """MAC addresses of the physical interfaces, in name order: what lookup sends."""
    return [nic.mac_address for nic in list_nics(root) if nic.mac_address]


def _read_nic(root: Path, name: str) -> Nic:
    entry = root / "sys/class/net" / name
    function = (entry / "device").resolve()
    if function.name.startswith("virtio"):
        function = function.parent  # the PCI function is one above the virtio device
    speed = read_int(entry / "speed")
    return Nic(
        name=name,
        mac_address=(read_text(entry / "address") or "").lower(),
        ipv4_address=find_ipv4(name),
        ipv6_address=find_ipv6(name, root),
        has_carrier=read_int(entry / "carrier") == 1,
        speed_mbps=speed if speed is not None and speed > 0 else None,
        vendor=read_text(function / "vendor"),
        product=read_text(function / "device"),
        pci_address=function.name if function.name.count(":") == 2 else None,
        driver=read_link_name(entry / "device/driver"),
    )


def find_ipv4(name: str) -> str | None:
    """The interface's first IPv4 address; None when it has none."""
    import fcntl

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            answer = fcntl.ioctl(probe, _SIOCGIFADDR, struct.pack("256s", name.encode()[:15]))
        except OSError:
            return None
    return socket.inet_ntoa(answer[20:24])


def find_ipv6(name: str, root: Path = Path("/")) -> str | None:
    """The interface's IPv6 address, a global one before a link-local one; None when it has none."""
    found: dict[bool, str] = {}
    for line in (read_text(root / "proc/net/if_inet6") or "").splitlines():
        packed, _index, _prefix, scope, _flags, interface = line.split()
        if interface == name:
            address = socket.inet_ntop(socket.AF_INET6, bytes.fromhex(packed))
            found.setdefault(int(scope, 16) == _LINK_LOCAL_SCOPE, address)
    return found.get(False) or found.get(True)
