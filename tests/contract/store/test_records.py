"""Ports, chassis, traits, inventories, events and conductors; the same on SQLite and PostgreSQL."""

from typing import Any

import pytest

from bessemer.domain.chassis import Chassis
from bessemer.domain.conductor import ConductorInterface
from bessemer.domain.interface import InterfaceType
from bessemer.domain.port import Port
from bessemer.domain.portgroup import Portgroup
from bessemer.kernel.clock import SystemClock
from bessemer.kernel.error import Conflict, Duplicate, InvalidValue, NotFound
from bessemer.kernel.ident import new_uuid
from bessemer.store.chassis import (
    create_chassis,
    delete_chassis,
    get_chassis,
    list_chassis_rows,
    update_chassis,
)
from bessemer.store.conductor import (
    get_conductor,
    list_conductor_interfaces,
    list_conductor_rows,
    list_conductors,
    list_live_conductors,
    register_conductor,
    touch_conductor,
    unregister_conductor,
)
from bessemer.store.database import Database
from bessemer.store.event import add_event, get_event, list_events, trim_history
from bessemer.store.inventory import find_inventory, put_inventory
from bessemer.store.node import get_node
from bessemer.store.page import Page
from bessemer.store.port import (
    PortFilter,
    create_port,
    delete_port,
    find_nodes_by_addresses,
    find_port,
    find_port_by_address,
    get_port,
    list_port_rows,
    list_ports_of,
    update_port,
)
from bessemer.store.portgroup import create_portgroup
from bessemer.store.trait import add_trait, list_traits, remove_trait, set_traits
from fakes.clock import FakeClock
from fakes.store import LONG_AGO, add_nodes

ALL = Page(1000)
GROUP_UUID = "9b3c7c42-5a1e-4a52-9a7a-0e2f3f0a7c01"


def a_port(node_uuid: str, number: int, **more: Any) -> Port:
    address = f"52:54:00:00:00:{number:02x}"
    return Port(uuid=new_uuid(), address=address, node_uuid=node_uuid, created_at=LONG_AGO, **more)


async def add_ports(database: Database, *ports: Port) -> list[Port]:
    async with database.write() as tx:
        return [await create_port(tx, port) for port in ports]


# --- ports


async def test_a_port_comes_back_as_it_was_stored(database: Database) -> None:
    [node] = await add_nodes(database, {})
    link = {"switch_id": "00:00:5e:00:53:01", "port_id": "Gi0/1"}
    [port] = await add_ports(
        database, a_port(node.uuid, 1, name="eth0", local_link_connection=link, pxe_enabled=False)
    )
    async with database.read() as tx:
        assert await get_port(tx, port.uuid) == port
        assert await find_port(tx, "eth0") == port
        assert await find_port(tx, port.uuid.upper()) == port
        assert await find_port_by_address(tx, port.address.upper()) == port
        assert await find_port_by_address(tx, "52:54:00:00:00:ff") is None
        assert await list_ports_of(tx, node.uuid) == [port]


@pytest.mark.parametrize("field", ["uuid", "address", "name"])
async def test_a_value_another_port_has_is_refused_by_name(database: Database, field: str) -> None:
    [node] = await add_nodes(database, {})
    first = a_port(node.uuid, 1, name="eth0")
    await add_ports(database, first)
    other = {"uuid": new_uuid(), "address": "52:54:00:00:00:02", "name": "eth1"}
    second = Port(node_uuid=node.uuid, created_at=LONG_AGO, **{**other, field: getattr(first, field)})
    with pytest.raises(Duplicate, match=field):
        await add_ports(database, second)


async def test_a_port_of_an_absent_node_is_refused(database: Database) -> None:
    with pytest.raises(NotFound):
        await add_ports(database, a_port(new_uuid(), 1))


async def test_a_port_is_changed_moved_and_deleted(database: Database, clock: FakeClock) -> None:
    one, two = await add_nodes(database, {}, {})
    [port] = await add_ports(database, a_port(one.uuid, 1))
    clock.advance(5)
    async with database.write() as tx:
        moved = await update_port(tx, port.uuid, node_uuid=two.uuid, extra={"a": 1})
        assert moved.updated_at == tx.now()
    assert (moved.node_uuid, moved.extra) == (two.uuid, {"a": 1})
    async with database.write() as tx:
        await delete_port(tx, port.uuid)
    for gone in (get_port, delete_port, update_port):
        with pytest.raises(NotFound):
            async with database.write() as tx:
                await gone(tx, port.uuid)


async def test_nodes_are_found_by_the_addresses_of_their_ports(database: Database) -> None:
    one, two, three = await add_nodes(database, {}, {}, {})
    await add_ports(
        database, a_port(one.uuid, 1), a_port(one.uuid, 2), a_port(two.uuid, 3), a_port(three.uuid, 4)
    )
    async with database.read() as tx:
        found = await find_nodes_by_addresses(
            tx, ["52:54:00:00:00:01", "52:54:00:00:00:02", "52:54:00:00:00:03"]
        )
        assert found == sorted([one.uuid, two.uuid])
        assert await find_nodes_by_addresses(tx, ["52:54:00:00:00:AA"]) == []
        assert await find_nodes_by_addresses(tx, []) == []


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({}, [1, 2, 3]),
        ({"address": "52:54:00:00:00:02"}, [2]),
        ({"portgroup_uuid": GROUP_UUID}, [3]),
        ({"description_contains": "UPLINK"}, [1]),
        ({"shards": ["s1"]}, [1, 2]),
        ({"conductor_groups": ["rack9", "rack8"]}, [3]),
        ({"project": "alice"}, [1, 2]),
        ({"project": "bob"}, [3]),
        ({"project": "alice", "shards": ["s2"]}, []),
    ],
)
async def test_ports_are_filtered(database: Database, wanted: dict[str, Any], expected: list[int]) -> None:
    one, two = await add_nodes(
        database,
        {"shard": "s1", "owner": "alice"},
        {"shard": "s2", "lessee": "bob", "conductor_group": "rack9"},
    )
    async with database.write() as tx:
        group = Portgroup(uuid=GROUP_UUID, node_uuid=two.uuid, created_at=LONG_AGO)
        await create_portgroup(tx, group)
    ports = await add_ports(
        database,
        a_port(one.uuid, 1, description="the uplink"),
        a_port(one.uuid, 2),
        a_port(two.uuid, 3, portgroup_uuid=GROUP_UUID),
    )
    async with database.read() as tx:
        rows = await list_port_rows(tx, ["uuid"], PortFilter(**wanted), ALL)
        mine = await list_port_rows(tx, ["uuid"], PortFilter(node_uuid=one.uuid), ALL)
    assert [row.uuid for row in rows] == [ports[number - 1].uuid for number in expected]
    assert [row.uuid for row in mine] == [ports[0].uuid, ports[1].uuid]


async def test_port_lists_are_paged_and_refuse_what_they_do_not_know(database: Database) -> None:
    [node] = await add_nodes(database, {})
    ports = await add_ports(database, *(a_port(node.uuid, number) for number in range(5)))
    async with database.read() as tx:
        page = Page(2, marker=ports[1].uuid, sort_key="address", sort_dir="desc")
        rows = await list_port_rows(tx, ["address", "extra"], PortFilter(), page)
        assert [tuple(row) for row in rows] == [(ports[0].address, "{}")]
        with pytest.raises(InvalidValue):
            await list_port_rows(tx, ["colour"], PortFilter(), ALL)
        with pytest.raises(InvalidValue):
            await list_port_rows(tx, ["uuid"], PortFilter(), Page(1, sort_key="internal_info"))


# --- chassis


async def test_a_chassis_lives_and_keeps_its_nodes_when_it_is_renamed(database: Database) -> None:
    chassis = Chassis(uuid=new_uuid(), created_at=LONG_AGO, description="row 3", extra={"a": 1})
    async with database.write() as tx:
        assert await create_chassis(tx, chassis) == chassis
    [node] = await add_nodes(database, {"chassis_uuid": chassis.uuid})
    new = new_uuid()
    async with database.write() as tx:
        assert (await update_chassis(tx, chassis.uuid, uuid=new, description=None)).uuid == new
    async with database.read() as tx:
        assert (await get_node(tx, node.uuid)).chassis_uuid == new
        assert (await get_chassis(tx, new)).description is None
        assert [row.uuid for row in await list_chassis_rows(tx, ["uuid", "extra"], ALL)] == [new]
    with pytest.raises(Conflict, match="nodes"):
        async with database.write() as tx:
            await delete_chassis(tx, new)


async def test_an_empty_chassis_is_deleted_and_then_absent(database: Database) -> None:
    chassis = Chassis(uuid=new_uuid(), created_at=LONG_AGO)
    async with database.write() as tx:
        await create_chassis(tx, chassis)
    with pytest.raises(Duplicate, match="uuid"):
        async with database.write() as tx:
            await create_chassis(tx, chassis)
    async with database.write() as tx:
        await delete_chassis(tx, chassis.uuid)
    for gone in (get_chassis, delete_chassis, update_chassis):
        with pytest.raises(NotFound):
            async with database.write() as tx:
                await gone(tx, chassis.uuid)


# --- traits and inventories


async def test_traits_are_a_set_per_node(database: Database) -> None:
    one, two = (node.uuid for node in await add_nodes(database, {}, {}))
    async with database.write() as tx:
        await set_traits(tx, one, ["CUSTOM_B", "CUSTOM_A", "CUSTOM_B"])
        await add_trait(tx, one, "CUSTOM_C")
        await add_trait(tx, one, "CUSTOM_C")
        await set_traits(tx, two, ["CUSTOM_A"])
        await set_traits(tx, two, [])
    async with database.read() as tx:
        assert await list_traits(tx, [one, two]) == {one: ["CUSTOM_A", "CUSTOM_B", "CUSTOM_C"], two: []}
    async with database.write() as tx:
        await remove_trait(tx, one, "CUSTOM_B")
    with pytest.raises(NotFound):
        async with database.write() as tx:
            await remove_trait(tx, one, "CUSTOM_B")
    with pytest.raises(NotFound):
        async with database.write() as tx:
            await set_traits(tx, new_uuid(), ["CUSTOM_A"])


async def test_the_latest_inventory_of_a_node_is_kept(database: Database) -> None:
    [node] = await add_nodes(database, {})
    async with database.read() as tx:
        assert await find_inventory(tx, node.uuid) is None
    for number in (1, 2):
        async with database.write() as tx:
            await put_inventory(tx, node.uuid, {"cpu": {"count": number}}, {"lldp": [number]})
    async with database.read() as tx:
        found = await find_inventory(tx, node.uuid)
    assert found is not None
    assert (found.inventory, found.plugin_data) == ({"cpu": {"count": 2}}, {"lldp": [2]})
    with pytest.raises(NotFound):
        async with database.write() as tx:
            await put_inventory(tx, new_uuid(), {}, {})


# --- events


async def test_events_are_the_history_of_their_node(database: Database) -> None:
    one, two = (node.uuid for node in await add_nodes(database, {}, {}))
    async with database.write() as tx:
        first = await add_event(tx, node_uuid=one, kind="created", user="alice", payload={"a": [1]})
        second = await add_event(
            tx, node_uuid=one, kind="failed", severity="ERROR", message="no", conductor="host", state="error",
            target_state="active", duration_s=1.5, project="p",
        )  # fmt: skip
        other = await add_event(tx, node_uuid=two, kind="created")
        nobody = await add_event(tx, node_uuid=None, kind="started")
    async with database.read() as tx:
        assert await list_events(tx, one, ALL) == [first, second]
        page = Page(1, marker=second.uuid, sort_key="created_at", sort_dir="desc")
        assert await list_events(tx, one, page) == [first]
        assert await list_events(tx, two, ALL) == [other]
        assert await get_event(tx, nobody.uuid) == nobody
        with pytest.raises(NotFound):
            await get_event(tx, new_uuid())


async def test_a_long_history_is_trimmed_to_its_newest_events(database: Database) -> None:
    one, two = (node.uuid for node in await add_nodes(database, {}, {}))
    async with database.write() as tx:
        for number in range(5):
            await add_event(tx, node_uuid=one, kind=f"e{number}")
            await add_event(tx, node_uuid=two, kind=f"e{number}")
        assert await trim_history(tx, one, keep=2) == 3
        assert await trim_history(tx, one, keep=2) == 0
    async with database.read() as tx:
        assert [event.kind for event in await list_events(tx, one, ALL)] == ["e3", "e4"]
        assert len(await list_events(tx, two, ALL)) == 5


# --- conductors


def offered(hardware_type: str, name: str, *, is_default: bool = False) -> ConductorInterface:
    return ConductorInterface(
        hardware_type=hardware_type,
        interface_type=InterfaceType.POWER,
        interface_name=name,
        is_default=is_default,
    )


async def test_a_conductor_announces_itself_and_what_it_drives(database: Database) -> None:
    interfaces = [offered("redfish", "redfish", is_default=True), offered("ipmi", "ipmitool")]
    async with database.write() as tx:
        made = await register_conductor(tx, "host-a", "first", "rack9", interfaces)
    assert (made.drivers, made.is_online, made.conductor_group) == (("ipmi", "redfish"), True, "rack9")
    async with database.read() as tx:
        assert await list_conductors(tx) == [made]
        assert await get_conductor(tx, "host-a") == made
        assert [tuple(row) for row in await list_conductor_interfaces(tx)] == [
            ("host-a", "ipmi", "power", "ipmitool", False),
            ("host-a", "redfish", "power", "redfish", True),
        ]
        [row] = await list_conductor_rows(tx, ["hostname", "drivers"], ALL)
        assert tuple(row) == ("host-a", '["ipmi","redfish"]')
        with pytest.raises(NotFound):
            await get_conductor(tx, "host-b")


async def test_a_later_incarnation_supersedes_an_earlier_one(database: Database) -> None:
    async with database.write() as tx:
        await register_conductor(tx, "host-a", "first", "", [offered("redfish", "redfish")])
        assert await touch_conductor(tx, "host-a", "first")
    async with database.write() as tx:
        await register_conductor(tx, "host-a", "second", "", [])
    async with database.write() as tx:
        assert not await touch_conductor(tx, "host-a", "first")
        await unregister_conductor(tx, "host-a", "first")
        assert (await get_conductor(tx, "host-a")).is_online
        assert await touch_conductor(tx, "host-a", "second")
        assert await list_conductor_interfaces(tx) == []
        await unregister_conductor(tx, "host-a", "second")
        assert not (await get_conductor(tx, "host-a")).is_online


class TestLife:
    """Whether a conductor lives is judged by real time: the database's own on PostgreSQL."""

    @pytest.fixture
    def clock(self) -> SystemClock:
        return SystemClock()

    async def test_a_conductor_lives_while_its_last_sign_is_recent(self, database: Database) -> None:
        async with database.write() as tx:
            await register_conductor(tx, "host-a", "first", "", [])
            await register_conductor(tx, "host-b", "other", "", [])
            await unregister_conductor(tx, "host-b", "other")
        async with database.read() as tx:
            assert [one.hostname for one in await list_live_conductors(tx, 60)] == ["host-a"]
            assert await list_live_conductors(tx, 0) == []
