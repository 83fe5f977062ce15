"""Remote volumes: how a node reaches storage (connectors), and what it finds there (targets)."""

from typing import Any, Final

import msgspec

from bessemer.domain.node import Node, label
from bessemer.domain.power import PowerState
from bessemer.domain.provision import ProvisionState
from bessemer.kernel.clock import Timestamp
from bessemer.kernel.error import InvalidValue

JsonObject = dict[str, Any]

#: The ``boot_index`` of the volume a node boots from.
BOOT_VOLUME: Final = 0

_PARKED = frozenset({ProvisionState.ENROLL, ProvisionState.MANAGEABLE, ProvisionState.ADOPT_FAILED})


class VolumeConnector(msgspec.Struct, frozen=True, kw_only=True):
    """The node's side: one name it goes by in a storage network. Names as in the v1 API.

    ``type`` is by convention one of iqn, ip, mac, wwnn, wwpn, port, portgroup; nobody checks.
    """

    uuid: str
    node_uuid: str
    type: str
    connector_id: str
    created_at: Timestamp
    updated_at: Timestamp | None = None
    extra: JsonObject = {}


class VolumeTarget(msgspec.Struct, frozen=True, kw_only=True):
    """The storage's side: one volume of the node. Names and meanings are those of the v1 API.

    ``properties`` is how to reach it (portal, LUN, credentials), filled in by the storage interface.
    """

    uuid: str
    node_uuid: str
    volume_type: str
    boot_index: int
    volume_id: str
    created_at: Timestamp
    updated_at: Timestamp | None = None
    properties: JsonObject = {}
    extra: JsonObject = {}


def check_update(node: Node) -> None:
    """Whether connectors and targets of the node may change now. Raises InvalidValue.

    Source: v1 contract, states: blocked_operations.volume_update.
    """
    if node.power_state is not PowerState.OFF:
        raise InvalidValue(
            f"Volumes of node '{label(node)}' can not change while it is not powered off.",
            hint="Power it off first.",
        )


def check_delete(node: Node) -> None:
    """Whether connectors and targets of the node may go now. Raises InvalidValue.

    Source: v1 contract, states: blocked_operations.volume_delete.
    """
    if node.provision_state not in _PARKED:
        check_update(node)
