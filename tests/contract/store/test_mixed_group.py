"""Conductors of one group with different hardware: nobody is kept waiting by what nobody here can do."""

from typing import Any

import pytest

from bessemer.domain.conductor import ConductorInterface
from bessemer.domain.interface import InterfaceType
from bessemer.domain.limit import Limit
from bessemer.domain.operation import NewOperation
from bessemer.store.admission import find_slots
from bessemer.store.claim import claim_operations
from bessemer.store.conductor import register_conductor
from bessemer.store.database import Database
from bessemer.store.mixed_group import count_servable, leave_turns
from bessemer.store.operation import enqueue
from fakes.store import add_nodes

TEN = {"deploy": Limit(everywhere=10)}


async def appear(database: Database, name: str, group: str, *drivers: str) -> None:
    """A conductor comes up."""
    offered = [
        ConductorInterface(hardware_type=one, interface_type=InterfaceType.POWER, interface_name=one)
        for one in drivers
    ]
    async with database.write() as tx:
        await register_conductor(tx, name, name, group, offered)


async def ask(database: Database, driver: str, count: int = 1, group: str = "", **more: Any) -> list[str]:
    """Deployments on nodes of their own, one behind the other."""
    nodes = await add_nodes(database, *({"driver": driver, "conductor_group": group} for _ in range(count)))
    uuids = []
    for node in nodes:
        async with database.write() as tx:
            new = NewOperation(
                node_uuid=node.uuid, kind="deploy", pool="deploy", conductor_group=group, **more
            )
            uuids.append((await enqueue(tx, new, ())).uuid)
    return uuids


async def slots(database: Database, group: str) -> int:
    async with database.write() as tx:
        found = await find_slots(tx, group, TEN, 50)
    assert found is not None
    return found["deploy"]


async def left(database: Database, count: int, *drivers: str) -> int:
    async with database.write() as tx:
        return (await leave_turns(tx, "", {"deploy": count}, drivers, 50))["deploy"]


async def test_what_no_conductor_of_its_group_drives_takes_no_slots_from_other_groups(
    database: Database,
) -> None:
    await appear(database, "a", "", "redfish")
    await appear(database, "b", "rack9", "redfish")
    await ask(database, "redfish", 20)
    await ask(database, "ipmi", 20, "rack9")
    assert await slots(database, "") == 10
    await appear(database, "c", "rack9", "ipmi")
    assert await slots(database, "") == 5


async def test_a_conductor_that_names_no_hardware_serves_all_of_its_group(database: Database) -> None:
    await appear(database, "a", "", "redfish")
    await appear(database, "b", "rack9")
    await ask(database, "ipmi", 3, "rack9")
    await ask(database, "redfish", 2, "deserted")
    async with database.read() as tx:
        assert await count_servable(tx) == {("deploy", "rack9"): 3}


async def test_each_slot_is_left_to_whose_turn_it_is(database: Database) -> None:
    await appear(database, "a", "", "redfish")
    await appear(database, "b", "", "ipmi")
    await ask(database, "ipmi", 2)
    await ask(database, "redfish", 5)
    assert await left(database, 1, "redfish") == 0
    assert await left(database, 1, "ipmi") == 1
    assert await left(database, 3, "redfish") == 1
    assert await left(database, 3, "ipmi") == 2


async def test_nothing_is_left_to_hardware_that_nobody_alive_drives(database: Database) -> None:
    await appear(database, "a", "", "redfish")
    await appear(database, "b", "", "fake-hardware")
    await ask(database, "ipmi", 2)
    await ask(database, "redfish", 5)
    assert await left(database, 1, "redfish") == 1


async def test_what_cannot_begin_yet_holds_no_slot(database: Database) -> None:
    await appear(database, "a", "", "redfish")
    await appear(database, "b", "", "ipmi")
    [first] = await ask(database, "ipmi")
    async with database.write() as tx:
        [begun] = await claim_operations(
            tx, owner="b", group="", kinds=[("deploy", 1)], limit=1, slots={"deploy": 1}
        )
        assert begun.uuid == first
        await enqueue(tx, NewOperation(node_uuid=begun.node_uuid, kind="deploy", pool="deploy"), ())
    await ask(database, "redfish")
    assert await left(database, 1, "redfish") == 1


@pytest.mark.parametrize("count", [0, 50])
async def test_turns_matter_only_where_slots_are_scarce(database: Database, count: int) -> None:
    await appear(database, "a", "", "redfish")
    await appear(database, "b", "", "ipmi")
    await ask(database, "ipmi", 2)
    assert await left(database, count, "redfish") == count
