"""Conductors with different hardware share one queue: each carries out what it can."""

from dataclasses import replace

from bessemer.domain.conductor import ConductorInterface
from bessemer.domain.interface import InterfaceType
from bessemer.domain.operation import OperationState
from bessemer.store.database import Database
from fakes.engine import PATIENCE_S, SETTINGS, Record, enqueue, look, running
from fakes.store import add_nodes


def offering(driver: str) -> tuple[ConductorInterface, ...]:
    return (
        ConductorInterface(hardware_type=driver, interface_type=InterfaceType.POWER, interface_name=driver),
    )


async def test_work_goes_to_the_conductor_that_drives_the_node(database: Database) -> None:
    records = {driver: Record() for driver in ("redfish", "ipmi")}
    nodes = await add_nodes(
        database, *({"driver": driver} for driver in ("redfish", "ipmi", "redfish", "snmp"))
    )
    settings = {driver: replace(SETTINGS, hostname=driver, interfaces=offering(driver)) for driver in records}
    toys = {driver: record.workflow(record.step("a")) for driver, record in records.items()}
    async with (
        running(database, [toys["redfish"]], settings=settings["redfish"]) as engine,
        running(database, [toys["ipmi"]], settings=settings["ipmi"]),
    ):
        asked = [await enqueue(engine, database, node.uuid) for node in reversed(nodes)]
        for operation in asked[1:]:
            done = await engine.wait_finished(operation.uuid, PATIENCE_S)
            assert done.state is OperationState.SUCCEEDED
        assert (await look(database, asked[0])).state is OperationState.QUEUED
    assert {driver: record.calls for driver, record in records.items()} == {
        "redfish": ["run a"] * 2,
        "ipmi": ["run a"],
    }
