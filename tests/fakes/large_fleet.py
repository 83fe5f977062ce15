"""A fleet as large as wanted, with what belongs to it, written as rows: a planner sees what it would see.

Values come in the proportions of a real fleet: most nodes are at work, few are in maintenance, hardly any
have a fault, some have parents; half of what may be null is null.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Table, insert, text

from bessemer.kernel.ident import new_uuid
from bessemer.store.database import Database
from bessemer.store.table import (
    ALLOCATIONS,
    CHASSIS,
    CONDUCTOR_INTERFACES,
    CONDUCTORS,
    EVENTS,
    NODES,
    OPERATIONS,
    PORTGROUPS,
    PORTS,
    VOLUME_CONNECTORS,
    VOLUME_TARGETS,
)

Row = dict[str, Any]

#: A node that much has happened to: one event and one operation of so many are its own.
OLD, SHARE = 7, 25
CHASSIS_COUNT = 20
_BATCH = 500


@dataclass(frozen=True)
class LargeFleet:
    """UUIDs, in the order of their rows."""

    nodes: list[str]
    chassis: list[str]


async def fill(database: Database, size: int) -> LargeFleet:
    """Write ``size`` nodes, two ports each, and the rest in proportion; statistics are those of the fleet."""
    fleet = LargeFleet([new_uuid() for _ in range(size)], [new_uuid() for _ in range(CHASSIS_COUNT)])
    rows: dict[Table, Iterator[Row]] = {
        CHASSIS: ({"uuid": uuid, "created_at": _moment(n)} for n, uuid in enumerate(fleet.chassis)),
        CONDUCTORS: _conductors(),
        CONDUCTOR_INTERFACES: _interfaces(),
        NODES: (_node(fleet, number) for number in range(size)),
        PORTGROUPS: (_portgroup(fleet, number) for number in range(0, size, 5)),
        PORTS: (_port(fleet, number) for number in range(2 * size)),
        ALLOCATIONS: (_allocation(fleet, number) for number in range(size)),
        VOLUME_CONNECTORS: (_connector(fleet, number) for number in range(size)),
        VOLUME_TARGETS: (_target(fleet, number) for number in range(size)),
        EVENTS: (_event(fleet, number) for number in range(size)),
        OPERATIONS: (_operation(fleet, number) for number in range(size)),
    }
    async with database.write() as tx:
        for table, some in rows.items():
            batch = list(some)
            for start in range(0, len(batch), _BATCH):
                await tx.execute(insert(table), batch[start : start + _BATCH])
        if tx.is_postgresql:
            await tx.execute(text("ANALYZE"))
    return fleet


def _moment(number: int) -> str:
    """Times in no order at all."""
    mixed = number * 7919 % 86_400
    return f"2026-01-01T{mixed // 3600:02d}:{mixed // 60 % 60:02d}:{mixed % 60:02d}.000000+00:00"


def _common(number: int) -> Row:
    return {
        "uuid": new_uuid(),
        "created_at": _moment(number),
        "updated_at": _moment(number * 3) if number % 2 else None,
    }


_STATES = ["active"] * 14 + ["available"] * 4 + ["manageable", "enroll"]


def _node(fleet: LargeFleet, number: int) -> Row:
    state = _STATES[number % len(_STATES)]
    is_child = number % 50 == 49
    return {
        **_common(number),
        "uuid": fleet.nodes[number],
        "name": f"rack{number % 97}-node{number}" if number % 10 else None,
        "description": f"Rack {number % 97}" if number % 2 else None,
        "chassis_uuid": fleet.chassis[number % CHASSIS_COUNT] if number % 3 == 0 else None,
        "parent_node": fleet.nodes[number - 1] if is_child else None,
        "driver": "ipmi" if number % 20 == 3 else "redfish",
        "provision_state": state,
        "provision_updated_at": _moment(number * 5) if number % 20 else None,
        "power_state": ("power on", "power off", None)[number % 3],
        "maintenance": number % 100 == 4,
        "fault": "power failure" if number % 200 == 4 else None,
        "retired": number % 250 == 5,
        "protected": number % 300 == 6,
        "console_enabled": False,
        "disable_power_off": False,
        "instance_uuid": new_uuid() if state == "active" else None,
        "instance_name": f"instance-{number}" if state == "active" else None,
        "resource_class": f"class-{number % 11}",
        "conductor_group": f"group-{number % 4}",
        "owner": f"project-{number % 40}" if number % 2 else None,
        "lessee": f"project-{number % 30}" if number % 3 == 0 else None,
        "shard": f"shard-{number % 8}" if number % 9 else None,
        "power_interface": "redfish",
        "driver_info": _document(600),
        "driver_internal_info": _document(500),
        "instance_info": _document(400),
        "properties": _document(150),
        "extra": _document(100),
        **dict.fromkeys(("network_data", "clean_step", "deploy_step", "service_step"), "{}"),
    }


def _document(size: int) -> str:
    return json.dumps({"text": "x" * size})


def _address(number: int) -> str:
    return ":".join(f"{byte:02x}" for byte in (0x525400000000 + number).to_bytes(6, "big"))


def _portgroup(fleet: LargeFleet, number: int) -> Row:
    return {
        **_common(number),
        "node_uuid": fleet.nodes[number],
        "name": f"bond-{number}" if number % 2 else None,
        "address": _address(0x800000 + number),
        "mode": "802.3ad",
        "standalone_ports_supported": True,
        "dynamic_portgroup": False,
        "physical_network": f"physnet{number % 3}",
    }


def _port(fleet: LargeFleet, number: int) -> Row:
    return {
        **_common(number),
        "node_uuid": fleet.nodes[number // 2],
        "address": _address(number),
        "name": f"port-{number}" if number % 2 else None,
        "description": f"Slot {number % 2}",
        "pxe_enabled": number % 2 == 0,
        "is_smartnic": False,
        "available_for_dynamic_portgroup": True,
        "physical_network": f"physnet{number % 3}" if number % 4 else None,
    }


def _allocation(fleet: LargeFleet, number: int) -> Row:
    has_node = _STATES[number % len(_STATES)] == "active"
    return {
        **_common(number),
        "name": f"allocation-{number}" if number % 2 else None,
        "node_uuid": fleet.nodes[number] if has_node else None,
        "state": "active" if has_node else "error",
        "last_error": None if has_node else "No node fits.",
        "resource_class": f"class-{number % 11}",
        "owner": f"project-{number % 40}" if number % 2 else None,
    }


def _connector(fleet: LargeFleet, number: int) -> Row:
    own = {"node_uuid": fleet.nodes[number], "type": "iqn", "connector_id": f"iqn.2026-01.example:{number}"}
    return {**_common(number), **own}


def _target(fleet: LargeFleet, number: int) -> Row:
    own = {"node_uuid": fleet.nodes[number], "volume_type": "iscsi", "boot_index": 0, "volume_id": "v"}
    return {**_common(number), **own}


def _node_of(fleet: LargeFleet, number: int) -> str:
    return fleet.nodes[OLD if number % SHARE == 0 else number]


def _event(fleet: LargeFleet, number: int) -> Row:
    return {
        "uuid": new_uuid(),
        "created_at": _moment(number),
        "node_uuid": _node_of(fleet, number),
        "kind": "provision",
        "severity": "ERROR" if number % 9 == 0 else "INFO",
        "message": "It happened.",
        "conductor": "host",
        "in_history": True,
    }


def _operation(fleet: LargeFleet, number: int) -> Row:
    return {
        "uuid": new_uuid(),
        "created_at": _moment(number),
        "node_uuid": _node_of(fleet, number),
        "kind": "deploy",
        "version": 1,
        "is_exclusive": True,
        "state": "succeeded",
        "finished_at": _moment(number),
        "phase": "run",
        **dict.fromkeys(("conductor_group", "requested_by", "request_id", "progress_text"), ""),
        **dict.fromkeys(("position", "attempt", "signals", "fence"), 1),
    }


_REGISTERED = {"created_at": "2026", "updated_at": "2026", "lease_until": "2026"}


def _conductors() -> Iterator[Row]:
    for number in range(4):
        yield {
            "hostname": f"host-{number}",
            "incarnation": f"life-{number}",
            "conductor_group": f"group-{number}",
            "drivers": '["redfish"]',
            "is_online": True,
            **_REGISTERED,
        }


def _interfaces() -> Iterator[Row]:
    for number in range(4):
        yield {
            "hostname": f"host-{number}",
            "hardware_type": "redfish",
            "interface_type": "power",
            "interface_name": "redfish",
            "is_default": True,
        }
