"""Records of the resources around nodes, with what ``fields`` say."""

from itertools import count
from typing import Any

from bessemer.domain.allocation import Allocation
from bessemer.domain.deploy_template import DeployTemplate
from bessemer.domain.inspection.rule import InspectionRule
from bessemer.domain.port import Port
from bessemer.domain.portgroup import Portgroup
from bessemer.domain.runbook import Runbook
from bessemer.domain.volume import VolumeConnector, VolumeTarget
from bessemer.kernel.ident import new_uuid
from fakes.store import LONG_AGO

_number = count(1)


def a_mac() -> str:
    """An address nobody else has."""
    return "52:54:00:" + ":".join(f"{byte:02x}" for byte in next(_number).to_bytes(3, "big"))


def _common() -> dict[str, Any]:
    return {"uuid": new_uuid(), "created_at": LONG_AGO}


def a_port(node_uuid: str, **fields: Any) -> Port:
    return Port(**{**_common(), "node_uuid": node_uuid, "address": a_mac(), **fields})


def a_portgroup(node_uuid: str, **fields: Any) -> Portgroup:
    return Portgroup(**{**_common(), "node_uuid": node_uuid, **fields})


def a_connector(node_uuid: str, **fields: Any) -> VolumeConnector:
    own = {"node_uuid": node_uuid, "type": "iqn", "connector_id": f"iqn.2026-01.org.example:{next(_number)}"}
    return VolumeConnector(**{**_common(), **own, **fields})


def a_target(node_uuid: str, **fields: Any) -> VolumeTarget:
    own = {"node_uuid": node_uuid, "volume_type": "iscsi", "boot_index": next(_number), "volume_id": "v"}
    return VolumeTarget(**{**_common(), **own, **fields})


def an_allocation(**fields: Any) -> Allocation:
    return Allocation(**{**_common(), "resource_class": "gold", **fields})


def a_template(**fields: Any) -> DeployTemplate:
    return DeployTemplate(**{**_common(), "name": f"CUSTOM_{next(_number)}", **fields})


def a_runbook(**fields: Any) -> Runbook:
    return Runbook(**{**_common(), "name": f"CUSTOM_{next(_number)}", **fields})


def a_rule(**fields: Any) -> InspectionRule:
    return InspectionRule(**{**_common(), **fields})
