"""Which ports a node gets, keeps and loses by an inspection. Pure.

Source: v1 contract, settings of section ``inspector``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from bessemer.domain.inspection.report import NetworkCard, Report, boot_mac, list_cards
from bessemer.domain.port import Port

#: The key of internal_info that says a tenant's virtual interface is attached.
_TENANT_VIF = "tenant_vif_port_id"


class AddPorts(StrEnum):
    """Which network cards become ports: every one, those with an IP address, the one the machine booted from
    (those with an address, when it booted otherwise), none."""

    ALL = "all"
    ACTIVE = "active"
    PXE = "pxe"
    DISABLED = "disabled"


class KeepPorts(StrEnum):
    """Which ports stay: every one, those whose card is in the machine, those whose card would be added."""

    ALL = "all"
    PRESENT = "present"
    ADDED = "added"


@dataclass(frozen=True, slots=True)
class PortPolicy:
    add: AddPorts = AddPorts.PXE
    keep: KeepPorts = KeepPorts.ALL
    #: Whether ``pxe_enabled`` of ports follows from what the machine booted from.
    update_pxe: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class PortPlan:
    #: MAC address (lower case) and ``pxe_enabled`` of ports to make.
    create: tuple[tuple[str, bool], ...] = ()
    #: UUID and ``pxe_enabled`` of ports to change.
    change: tuple[tuple[str, bool], ...] = ()
    #: UUIDs.
    delete: tuple[str, ...] = ()


def plan_ports(policy: PortPolicy, report: Report, ports: Sequence[Port]) -> PortPlan:
    """What is to be done to the ``ports`` of a node.

    Ports in use stay: those that a tenant's interface is attached to are not deleted, members of port groups
    neither deleted nor changed. A report that names the ports itself (``macs``) only adds.
    """
    known = {port.address for port in ports}
    if report.macs is not None:
        macs = dict.fromkeys(mac.lower() for mac in report.macs)
        return PortPlan(create=tuple((mac, True) for mac in macs if mac not in known))
    cards, booted = list_cards(report.inventory), boot_mac(report)
    added = [card.mac for card in cards if _is_added(policy.add, card, booted)]
    deleted = tuple(port.uuid for port in ports if _is_gone(policy, port, cards, added))
    return PortPlan(
        create=tuple((mac, booted in (None, mac)) for mac in added if mac not in known),
        change=tuple(
            (port.uuid, port.address == booted)
            for port in ports
            if policy.update_pxe
            and booted is not None
            and port.uuid not in deleted
            and port.portgroup_uuid is None
            and port.pxe_enabled is not (port.address == booted)
        ),
        delete=deleted,
    )


def _is_added(rule: AddPorts, card: NetworkCard, booted: str | None) -> bool:
    match rule:
        case AddPorts.ALL:
            return True
        case AddPorts.DISABLED:
            return False
        case AddPorts.PXE if booted is not None:
            return card.mac == booted
        case _:
            return card.has_address


def _is_gone(policy: PortPolicy, port: Port, cards: Sequence[NetworkCard], added: Sequence[str]) -> bool:
    if port.portgroup_uuid is not None or port.internal_info.get(_TENANT_VIF):
        return False
    if policy.keep is KeepPorts.PRESENT:
        return port.address not in {card.mac for card in cards}
    # Where no port is ever added, none would be kept: that is nobody's wish.
    return (
        policy.keep is KeepPorts.ADDED and policy.add is not AddPorts.DISABLED and port.address not in added
    )
