"""Every row of the tables against every version: what an older and a newer client get.

``NODE_FIELDS`` and ``GATES`` repeat facts of the v1 contract, so that a slip in our tables is noticed.
"""

from collections.abc import Iterator
from typing import Any

import pytest
import pytest_asyncio

from bessemer.api.v1.route import Route
from bessemer.api.v1.table.allocation import ALLOCATION
from bessemer.api.v1.table.chassis import CHASSIS
from bessemer.api.v1.table.conductor import CONDUCTOR
from bessemer.api.v1.table.deploy_template import DEPLOY_TEMPLATE
from bessemer.api.v1.table.driver import DRIVER
from bessemer.api.v1.table.field import Create, Field, Kind, Param, Table
from bessemer.api.v1.table.inspection_rule import INSPECTION_RULE
from bessemer.api.v1.table.node import NODE
from bessemer.api.v1.table.port import PORT
from bessemer.api.v1.table.portgroup import PORTGROUP
from bessemer.api.v1.table.runbook import RUNBOOK
from bessemer.api.v1.table.volume import VOLUME_CONNECTOR, VOLUME_TARGET
from bessemer.api.v1.version import MAX, MIN
from fakes.api_world import HOST, World

TABLES = [
    NODE,
    PORT,
    PORTGROUP,
    VOLUME_CONNECTOR,
    VOLUME_TARGET,
    CHASSIS,
    DRIVER,
    CONDUCTOR,
    DEPLOY_TEMPLATE,
    RUNBOOK,
    ALLOCATION,
    INSPECTION_RULE,
]
#: The version each table came with, where it was not always there.
FIRST = {
    PORTGROUP: 23,
    VOLUME_CONNECTOR: 32,
    VOLUME_TARGET: 32,
    CONDUCTOR: 49,
    DEPLOY_TEMPLATE: 55,
    RUNBOOK: 92,
    ALLOCATION: 52,
    INSPECTION_RULE: 96,
}

UUID = "6ba7b810-9dad-41d1-80b4-00c04fd430c8"
MAC = "aa:bb:cc:00:11:22"

#: Since when a client sees these fields of a node; all others were always there.
NODE_FIELDS = {
    3: "driver_internal_info", 5: "name", 6: "inspection_started_at inspection_finished_at", 7: "clean_step",
    12: "raid_config target_raid_config", 14: "states", 20: "network_interface", 21: "resource_class",
    24: "portgroups",
    31: "boot_interface console_interface deploy_interface inspect_interface management_interface "
        "power_interface raid_interface vendor_interface",
    32: "volume", 33: "storage_interface", 37: "traits", 38: "rescue_interface", 40: "bios_interface",
    42: "fault", 44: "deploy_step", 46: "conductor_group", 47: "automated_clean",
    48: "protected protected_reason", 49: "conductor", 50: "owner", 51: "description", 52: "allocation_uuid",
    61: "retired retired_reason", 65: "lessee", 66: "network_data", 75: "boot_mode secure_boot", 82: "shard",
    83: "parent_node", 86: "firmware_interface", 87: "service_step", 95: "disable_power_off",
    104: "instance_name", 109: "health",
}  # fmt: skip
PORT_FIELDS = {
    18: "internal_info", 19: "local_link_connection pxe_enabled", 24: "portgroup_uuid",
    34: "physical_network", 53: "is_smartnic", 88: "name", 97: "description", 100: "vendor", 101: "category",
    111: "available_for_dynamic_portgroup",
}  # fmt: skip
PORTGROUP_FIELDS = {
    26: "mode properties", 102: "physical_network", 103: "category", 111: "dynamic_portgroup",
}  # fmt: skip

#: Calls that came later: method, path, since, and what an older client gets.
GATES = {
    ("PUT", "/nodes/{node}/management/inject_nmi"): (29, 404),
    ("GET", "/nodes/{node}/{field}"): (8, 404),
    ("PUT", "/nodes/{node}/states/raid"): (12, 406),
    ("PUT", "/nodes/{node}/states/boot_mode"): (76, 404),
    ("PUT", "/nodes/{node}/states/secure_boot"): (76, 404),
    ("GET", "/nodes/{node}/vifs"): (28, 404),
    ("POST", "/nodes/{node}/vifs"): (28, 404),
    ("DELETE", "/nodes/{node}/vifs/{vif}"): (28, 404),
    ("GET", "/nodes/{node}/traits"): (37, 406),
    ("PUT", "/nodes/{node}/traits"): (37, 405),
    ("DELETE", "/nodes/{node}/traits"): (37, 404),
    ("PUT", "/nodes/{node}/traits/{trait}"): (37, 405),
    ("DELETE", "/nodes/{node}/traits/{trait}"): (37, 404),
    ("GET", "/nodes/{node}/history"): (78, 404),
    ("GET", "/nodes/{node}/history/{event}"): (78, 404),
    ("GET", "/nodes/{node}/inventory"): (81, 404),
    ("GET", "/drivers/{driver}/raid/logical_disk_properties"): (12, 406),
    ("GET", "/conductors"): (49, 404),
    ("GET", "/conductors/{conductor}"): (49, 404),
    ("GET", "/allocations"): (52, 404),
    ("POST", "/allocations"): (52, 405),
    ("GET", "/allocations/{allocation}"): (52, 404),
    ("PATCH", "/allocations/{allocation}"): (57, 405),
    ("DELETE", "/allocations/{allocation}"): (52, 405),
    ("GET", "/nodes/{node}/allocation"): (52, 404),
    ("DELETE", "/nodes/{node}/allocation"): (52, 404),
    ("GET", "/deploy_templates"): (55, 404),
    ("POST", "/deploy_templates"): (55, 405),
    ("GET", "/deploy_templates/{deploy template}"): (55, 404),
    ("PATCH", "/deploy_templates/{deploy template}"): (55, 405),
    ("DELETE", "/deploy_templates/{deploy template}"): (55, 405),
    ("GET", "/inspection_rules"): (96, 404),
    ("POST", "/inspection_rules"): (96, 405),
    ("DELETE", "/inspection_rules"): (96, 405),
    ("GET", "/inspection_rules/{inspection rule}"): (96, 404),
    ("PATCH", "/inspection_rules/{inspection rule}"): (96, 405),
    ("DELETE", "/inspection_rules/{inspection rule}"): (96, 405),
    ("GET", "/runbooks"): (92, 404),
    ("POST", "/runbooks"): (92, 405),
    ("GET", "/runbooks/{runbook}"): (92, 404),
    ("PATCH", "/runbooks/{runbook}"): (92, 405),
    ("DELETE", "/runbooks/{runbook}"): (92, 405),
    ("GET", "/runbooks/{runbook}/traits"): (112, 404),
    ("PUT", "/runbooks/{runbook}/traits"): (112, 404),
    ("DELETE", "/runbooks/{runbook}/traits"): (112, 404),
    ("PUT", "/runbooks/{runbook}/traits/{trait}"): (112, 404),
    ("DELETE", "/runbooks/{runbook}/traits/{trait}"): (112, 404),
    ("GET", "/portgroups"): (23, 404),
    ("POST", "/portgroups"): (23, 404),
    ("GET", "/portgroups/detail"): (23, 404),
    ("GET", "/portgroups/{portgroup}"): (23, 404),
    ("PATCH", "/portgroups/{portgroup}"): (23, 404),
    ("DELETE", "/portgroups/{portgroup}"): (23, 404),
    ("GET", "/portgroups/{portgroup}/ports"): (24, 404),
    ("GET", "/portgroups/{portgroup}/ports/detail"): (24, 404),
    ("POST", "/portgroups/{portgroup}/ports"): (24, 404),
    ("GET", "/portgroups/{portgroup}/ports/{port}"): (24, 404),
    ("PATCH", "/portgroups/{portgroup}/ports/{port}"): (24, 404),
    ("DELETE", "/portgroups/{portgroup}/ports/{port}"): (24, 404),
    ("GET", "/nodes/{node}/portgroups"): (24, 404),
    ("GET", "/nodes/{node}/portgroups/detail"): (24, 404),
    ("GET", "/volume"): (32, 404),
    ("GET", "/volume/connectors"): (32, 404),
    ("POST", "/volume/connectors"): (32, 404),
    ("GET", "/volume/connectors/{volume connector}"): (32, 404),
    ("PATCH", "/volume/connectors/{volume connector}"): (32, 404),
    ("DELETE", "/volume/connectors/{volume connector}"): (32, 404),
    ("GET", "/volume/targets"): (32, 404),
    ("POST", "/volume/targets"): (32, 404),
    ("GET", "/volume/targets/{volume target}"): (32, 404),
    ("PATCH", "/volume/targets/{volume target}"): (32, 404),
    ("DELETE", "/volume/targets/{volume target}"): (32, 404),
    ("GET", "/nodes/{node}/volume"): (32, 404),
    ("GET", "/nodes/{node}/volume/connectors"): (32, 404),
    ("GET", "/nodes/{node}/volume/targets"): (32, 404),
    ("GET", "/nodes/{node}/bios"): (40, 404),
    ("GET", "/nodes/{node}/bios/{setting}"): (40, 404),
    ("GET", "/nodes/{node}/firmware"): (86, 404),
    ("GET", "/nodes/{node}/children"): (83, 404),
    ("GET", "/nodes/{node}/vmedia"): (93, 404),
    ("POST", "/nodes/{node}/vmedia"): (89, 404),
    ("DELETE", "/nodes/{node}/vmedia"): (89, 404),
    ("GET", "/shards"): (82, 404),
    ("POST", "/events"): (54, 404),
    ("GET", "/lookup"): (22, 404),
    ("POST", "/heartbeat/{node}"): (22, 404),
    ("POST", "/continue_inspection"): (84, 404),
}


@pytest_asyncio.fixture
async def furnished(world: World) -> World:
    """A world with one of each resource."""
    await furnish(world)
    return world


def path_of(table: Table) -> str:
    identity = {"driver": "redfish", "conductor": HOST}.get(table.noun, UUID)
    return f"/v1/{table.path}/{identity}"


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.noun)
async def test_each_version_shows_exactly_its_fields(furnished: World, table: Table) -> None:
    since = {NODE: NODE_FIELDS, PORT: PORT_FIELDS, PORTGROUP: PORTGROUP_FIELDS}.get(table)
    late = {name: minor for minor, names in (since or {}).items() for name in names.split()}
    first = FIRST.get(table, MIN)
    for minor in range(first, MAX + 1):
        reply = await furnished.client.at(f"1.{minor}").get(path_of(table))
        assert reply.status == 200
        expected = {
            row.name
            for row in table.fields
            if row.can_select and minor >= (late.get(row.name, 1) if since else row.since)
        }
        assert reply.json.keys() == expected | {"links"}, minor


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.noun)
async def test_each_version_lists_exactly_its_default_fields(furnished: World, table: Table) -> None:
    first = FIRST.get(table, MIN)
    for minor in range(first, MAX + 1):
        reply = await furnished.client.at(f"1.{minor}").get(f"/v1/{table.path}")
        expected = {row.name for row in table.fields if row.is_listed and row.is_in(minor)}
        assert reply.json[table.wrapper][0].keys() == expected | {"links"}, minor


def late_fields(*tables: Table) -> Iterator[Any]:
    for table in tables:
        for row in table.fields:
            if row.since > 8 and row.can_select:
                yield pytest.param(table, row, id=f"{table.noun}.{row.name}")


@pytest.mark.parametrize(("table", "row"), list(late_fields(NODE, PORT, PORTGROUP)))
async def test_a_field_can_be_selected_from_its_version_on(
    furnished: World, table: Table, row: Field
) -> None:
    for path in (path_of(table), f"/v1/{table.path}"):
        older = await furnished.client.at(f"1.{row.since - 1}").get(f"{path}?fields={row.name}")
        assert (older.status, row.name in older.message) == (406, True)
        newer = await furnished.client.at(f"1.{row.since}").get(f"{path}?fields={row.name}")
        assert newer.status == 200


SAMPLES: dict[Kind, Any] = {
    Kind.STRING: "fake", Kind.NAME: "called-so", Kind.UUID: UUID, Kind.IDENT: UUID, Kind.BOOLEAN: True,
    Kind.OBJECT: {},
}  # fmt: skip


def writable_fields(*tables: Table) -> Iterator[Any]:
    for table in tables:
        for row in table.fields:
            if row.since > 1 and (row.can_patch or row.create is not Create.NO):
                yield pytest.param(table, row, id=f"{table.noun}.{row.name}")


@pytest.mark.parametrize(("table", "row"), list(writable_fields(NODE, PORT, PORTGROUP)))
async def test_a_field_can_be_written_from_its_version_on(furnished: World, table: Table, row: Field) -> None:
    """An older client gets 406; a newer one anything else: the value may be wrong for other reasons."""
    value = SAMPLES[row.kind]
    patch = [{"op": "add", "path": f"/{row.name}", "value": value}]
    needed = {"driver": "fake-hardware"} if table is NODE else {"address": "aa:bb:cc:00:11:99"}
    for minor, is_older in ((row.since - 1, True), (row.since, False)):
        client = furnished.client.at(f"1.{minor}")
        if row.create is not Create.NO:
            created = await client.post(f"/v1/{table.path}", {**needed, row.name: value})
            assert (created.status == 406) is is_older, created.body
        if row.can_patch:
            patched = await client.patch(path_of(table), patch)
            assert (patched.status == 406) is is_older, patched.body


async def test_every_late_call_has_its_gate(furnished: World) -> None:
    late = {(route.method, route.path): route for route in furnished.routes if route.since > MIN}
    assert late.keys() == GATES.keys()
    for (method, path), (since, status) in GATES.items():
        older = await furnished.client.at(f"1.{since - 1}").call(method, filled(late[method, path]), {})
        assert (older.status, f"1.{since}" in older.message) == (status, True), path
        newer = await furnished.client.at(f"1.{since}").call(method, filled(late[method, path]), {})
        assert f"1.{since}" not in (newer.message if newer.status >= 400 else ""), path


def filled(route: Route) -> str:
    """An address of the route that leads to what ``furnished`` made."""
    values = {"driver": "fake-hardware", "conductor": HOST, "trait": "CUSTOM_A"}
    parts = (values.get(part[1:-1], UUID) if part.startswith("{") else part for part in route.path.split("/"))
    return "/v1" + "/".join(parts)


async def test_every_late_parameter_has_its_gate(furnished: World) -> None:
    count = 0
    for route in furnished.routes:
        for param in route.query:
            if param.since <= max(route.since, MIN):
                continue
            count += 1
            address = f"{filled(route)}?{param.name}={word(param)}"
            older = await furnished.client.at(f"1.{param.since - 1}").call(route.method, address, [])
            assert (older.status, param.name in older.message) == (param.gate, True), address
            newer = await furnished.client.at(f"1.{param.since}").call(route.method, address, [])
            assert newer.status != param.gate or param.gate == 400, (address, newer.body)
            assert f"needs API version 1.{param.since}" not in newer.body.decode()
    assert count > 80


def word(param: Param) -> str:
    return {Kind.BOOLEAN: "true", Kind.UUID: UUID, Kind.LIST: "uuid", Kind.IDENT: UUID}.get(param.kind, "x")


async def test_every_route_answers_every_version_without_a_defect(furnished: World) -> None:
    """A walk over all calls at a spread of versions; nothing may end in a 5xx."""
    for route in furnished.routes:
        for minor in (1, 4, 10, 21, 37, 52, 74, 93, MAX):
            body = None if route.method in ("GET", "DELETE") else {}
            reply = await furnished.client.at(f"1.{minor}").call(route.method, filled(route), body)
            assert reply.status < 500, (route.method, route.path, minor, reply.body)
            if route.method == "DELETE" and reply.status == 204:
                await furnish(furnished)


async def furnish(world: World) -> None:
    """Make what is not there (any more)."""
    step = {"interface": "bios", "step": "reset", "args": {}}
    for path, body in (
        ("chassis", {}),
        ("nodes", {"driver": "fake-hardware", "chassis_uuid": UUID}),
        ("portgroups", {"node_uuid": UUID}),
        ("volume/connectors", {"node_uuid": UUID, "type": "iqn", "connector_id": "c"}),
        ("volume/targets", {"node_uuid": UUID, "volume_type": "iscsi", "boot_index": 0, "volume_id": "v"}),
        ("ports", {"address": MAC, "node_uuid": UUID}),
        ("allocations", {"resource_class": "gold"}),
        ("inspection_rules", {"actions": [{"op": "fail", "args": {"msg": "no"}}]}),
        ("deploy_templates", {"name": "CUSTOM_A", "steps": [{**step, "priority": 10}]}),
        ("runbooks", {"name": "CUSTOM_A", "steps": [{**step, "order": 1}]}),
    ):
        reply = await world.client.post(f"/v1/{path}", {"uuid": UUID, **body})
        assert reply.status in (201, 409), reply.body
