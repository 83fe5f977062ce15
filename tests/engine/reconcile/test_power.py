"""Power sync: what happens when the machine and its record disagree, or the machine does not answer."""

from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bessemer.config.settings import ConductorSettings, RedfishSettings
from bessemer.domain.node import Node
from bessemer.domain.operation import NewOperation, Operation, OperationState
from bessemer.domain.power import PowerState
from bessemer.domain.provision import ProvisionState
from bessemer.engine.gateway import Gateway
from bessemer.engine.reconcile.sweep import Again
from bessemer.hardware.redfish.pool import BmcPool
from bessemer.kernel.error import BessemerError, DeviceUnreachable
from bessemer.store.database import Database
from bessemer.store.event import list_events
from bessemer.store.node import get_node, update_node
from bessemer.store.operation import list_operations
from bessemer.store.page import Page
from bessemer.workflow.reconcile.health import HealthCheck
from bessemer.workflow.reconcile.machine import Machines
from bessemer.workflow.reconcile.orphan import orphan_chore
from bessemer.workflow.reconcile.power import PowerSync
from bessemer.workflow.reconcile.sensor import SensorReading
from fakes.api_world import composed, fake_composition, quick_settings, toy_workflows
from fakes.clock import FakeClock
from fakes.scripted_bmc import SYSTEM, scripted_bmc
from fakes.store import LONG_AGO, add_nodes

ON, OFF = PowerState.ON, PowerState.OFF
MANAGED: dict[str, Any] = {
    "provision_state": ProvisionState.MANAGEABLE,
    "power_state": ON,
    "power_interface": "fake",
    "management_interface": "fake",
}


class ToldMachines(Machines):
    """Machines that are as the test says; ``in_between`` happens while one is being asked."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(fake_composition(quick_settings(), clock))
        self.power: PowerState | BessemerError = ON
        self.says: Any = "OK"
        self.in_between: Any = None

    async def power_state(self, node: Node, *, is_last_look: bool = False) -> PowerState:
        if self.in_between is not None:
            await self.in_between(node)
        if isinstance(self.power, BessemerError):
            raise self.power
        return self.power

    async def health(self, node: Node) -> str | None:
        return self._said()

    async def sensors(self, node: Node) -> dict[str, Any]:
        return self._said()

    def _said(self) -> Any:
        if isinstance(self.says, BessemerError):
            raise self.says
        return self.says


class World:
    """A node, its machine, and the sync between them."""

    def __init__(self, database: Database, node: Node, machines: ToldMachines, **options: Any) -> None:
        self.database, self.uuid, self.machines = database, node.uuid, machines
        self.settings = ConductorSettings(**options)
        self.gateway = Gateway(toy_workflows())
        self.sync = PowerSync(database, machines, self.gateway, self.settings, "host-a")

    async def look(self, failures: int = 0) -> Again:
        return await self.sync.look(self.uuid, failures)

    async def node(self) -> Node:
        async with self.database.read() as tx:
            return await get_node(tx, self.uuid)

    async def change(self, **changes: Any) -> None:
        async with self.database.write() as tx:
            await update_node(tx, self.uuid, **changes)

    async def operations(self) -> list[Operation]:
        async with self.database.read() as tx:
            return await list_operations(tx, node_uuid=self.uuid)

    async def history(self) -> list[str]:
        async with self.database.read() as tx:
            return [event.message for event in await list_events(tx, self.uuid, Page(100))]


@pytest.fixture
def machines(clock: FakeClock) -> ToldMachines:
    return ToldMachines(clock)


async def a_world(
    database: Database, machines: ToldMachines, *, node: dict[str, Any] | None = None, **options: Any
) -> World:
    [made] = await add_nodes(database, {**MANAGED, **(node or {})})
    return World(database, made, machines, **options)


async def test_a_machine_that_is_as_recorded_costs_no_write(
    database: Database, machines: ToldMachines
) -> None:
    world = await a_world(database, machines)
    before = await world.node()
    assert await world.look(2) == Again(120, 0)
    assert await world.node() == before
    assert await world.operations() == []


async def test_a_machine_in_the_wrong_state_is_brought_to_the_recorded_one(
    database: Database, machines: ToldMachines
) -> None:
    world = await a_world(database, machines)
    machines.power = OFF
    assert await world.look() == Again(120, 1)
    [operation] = await world.operations()
    assert (operation.kind, operation.args["target"]) == ("power", "power on")
    assert operation.requested_by == "power sync"
    node = await world.node()
    assert (node.power_state, node.target_power_state) == (ON, ON)
    assert await world.look(1) == Again(120, 0)  # that operation has the node now
    assert len(await world.operations()) == 1


@pytest.mark.parametrize(
    ("node", "options"),
    [
        ({}, {"force_power_state_during_sync": False}),
        ({"disable_power_off": True}, {}),
        ({"power_state": None}, {}),
        ({"power_state": PowerState.ERROR}, {}),
    ],
)
async def test_where_nothing_may_be_forced_the_record_follows_the_machine(
    database: Database, machines: ToldMachines, node: dict[str, Any], options: dict[str, Any]
) -> None:
    world = await a_world(database, machines, node=node, **options)
    machines.power = OFF
    assert await world.look() == Again(30, 0)  # sooner than usual
    assert (await world.node()).power_state is OFF
    assert await world.look() == Again(120, 0)
    assert await world.operations() == []


async def test_a_machine_that_does_not_stay_as_it_is_put_goes_into_maintenance(
    database: Database, machines: ToldMachines
) -> None:
    world = await a_world(database, machines)
    machines.power = OFF
    assert await world.look(3) == Again(120, 0)
    node = await world.node()
    assert (node.maintenance, node.fault, node.power_state) == (True, "power failure", OFF)
    assert node.last_error == node.maintenance_reason
    assert "does not stay" in str(node.last_error)
    assert await world.operations() == []


async def test_a_machine_that_does_not_answer_goes_into_maintenance_after_three_more_tries(
    database: Database, machines: ToldMachines
) -> None:
    world = await a_world(database, machines)
    machines.power = DeviceUnreachable("the BMC is silent")
    again = await world.look()
    for failures in (1, 2, 3):
        assert again.failures == failures
        assert not (await world.node()).maintenance
        again = await world.look(again.failures)
    node = await world.node()
    assert (node.maintenance, node.fault, node.power_state) == (True, "power failure", None)
    assert "the BMC is silent" in str(node.maintenance_reason)


async def test_a_machine_whose_bmc_is_well_again_is_not_given_up_because_sweeps_still_let_it_be(
    database: Database, clock: FakeClock, tmp_path: Path
) -> None:
    """Several machines may share a BMC: it is left alone after each silence, whoever has found it silent."""
    settings, pool = quick_settings(), BmcPool(RedfishSettings(connection_retry_interval=0))
    async with scripted_bmc(tmp_path) as bmc:
        interfaces = {"power_interface": "redfish", "management_interface": "redfish"}
        node = {**MANAGED, "driver": "redfish", **interfaces, "driver_info": bmc.driver_info()}
        [one, other] = await add_nodes(database, node, node)
        machines = Machines(composed(settings, pool, clock))
        sync = PowerSync(database, machines, Gateway(toy_workflows()), settings.conductor, "host-a")
        bmc.on(f"GET {SYSTEM}", web.Response(body=b"<html>starting</html>"))
        assert await sync.look(one.uuid, 0) == Again(120, 1)
        bmc.on(f"GET {SYSTEM}")
        asked = bmc.count(f"GET {SYSTEM}")
        assert await sync.look(other.uuid, 2) == Again(120, 3)
        assert bmc.count(f"GET {SYSTEM}") == asked
        assert await sync.look(other.uuid, 3) == Again(120, 0)
        await pool.close()
    async with database.read() as tx:
        seen = await get_node(tx, other.uuid)
    assert (seen.maintenance, seen.power_state) == (False, ON)


async def test_a_machine_that_answers_again_is_back_in_service(
    database: Database, machines: ToldMachines
) -> None:
    given_up = {"maintenance": True, "fault": "power failure", "power_state": None}
    world = await a_world(database, machines, node=given_up)
    machines.power = DeviceUnreachable("still silent")
    assert await world.look() == Again(300, 0)
    assert (await world.node()).maintenance
    machines.power = OFF
    assert await world.look() == Again(120, 0)
    node = await world.node()
    assert (node.maintenance, node.fault, node.maintenance_reason) == (False, None, None)
    assert node.power_state is OFF
    assert "answers again" in (await world.history())[-1]


async def test_a_machine_that_was_given_up_is_left_alone_where_nobody_wants_it_back(
    database: Database, machines: ToldMachines
) -> None:
    given_up = {"maintenance": True, "fault": "power failure", "power_state": None}
    world = await a_world(database, machines, node=given_up, power_failure_recovery_interval=0)
    assert await world.look() == Again(120, 0)
    assert (await world.node()).maintenance


@pytest.mark.parametrize(
    "node",
    [
        {"maintenance": True},
        {"maintenance": True, "fault": "clean failure"},
        {"provision_state": ProvisionState.ENROLL},
        {"provision_state": ProvisionState.DEPLOY_WAIT},
        {"target_power_state": OFF},
        {"reservation": "host-b"},
    ],
)
async def test_nodes_that_are_somebodys_matter_are_let_be(
    database: Database, machines: ToldMachines, node: dict[str, Any]
) -> None:
    world = await a_world(database, machines, node=node)
    before = await world.node()
    machines.power = OFF
    assert await world.look() == Again(120, 0)
    assert await world.node() == before
    assert await world.operations() == []


@pytest.mark.parametrize("seen", [OFF, DeviceUnreachable("silent")])
@pytest.mark.parametrize("failures", [0, 3])
async def test_what_a_user_asks_for_meanwhile_makes_the_look_void(
    database: Database, machines: ToldMachines, seen: Any, failures: int
) -> None:
    world = await a_world(database, machines)

    async def user_asks(node: Node) -> None:
        async with database.write() as tx:
            await world.gateway.enqueue(tx, NewOperation(node_uuid=node.uuid, kind="power", args={"mine": 1}))

    machines.power, machines.in_between = seen, user_asks
    await world.look(failures)
    [operation] = await world.operations()
    assert operation.args == {"mine": 1}
    assert operation.state is OperationState.QUEUED
    node = await world.node()
    assert (node.power_state, node.target_power_state, node.maintenance) == (ON, None, False)


async def test_a_node_that_is_driven_elsewhere_is_left_to_others(
    database: Database, machines: ToldMachines
) -> None:
    world = await a_world(database, machines, node={"driver": "unknown-hardware"})
    machines.power = OFF
    assert await world.look(2) == Again(120, 2)
    assert await world.operations() == []


async def test_health_is_shown_and_its_changes_are_told(database: Database, machines: ToldMachines) -> None:
    world = await a_world(database, machines)
    check = HealthCheck(database, machines, interval_s=300, host="host-a")
    for said, shown in [("OK", "OK"), ("Critical", "Critical"), ("Critical", "Critical")]:
        machines.says = said
        assert await check.look(world.uuid, 0) == Again(300)
        assert (await world.node()).health == shown
    machines.says = DeviceUnreachable("silent")
    await check.look(world.uuid, 0)
    assert (await world.node()).health is None
    assert await world.history() == [
        "the machine's health is OK, and was unknown",
        "the machine's health is Critical, and was OK",
        "the machine's health is unknown, and was Critical",
    ]


async def test_sensors_become_an_event_outside_of_the_history(
    database: Database, machines: ToldMachines
) -> None:
    world = await a_world(database, machines)
    machines.says = {"Fan": {"1": {"reading": 4000}}}
    assert await SensorReading(database, machines, interval_s=600, host="a").look(world.uuid, 0) == Again(600)
    assert await world.history() == []


async def test_a_node_at_work_without_an_operation_goes_to_its_failed_state(
    database: Database, clock: FakeClock
) -> None:
    lost = {"provision_updated_at": LONG_AGO, "reservation": "host-z"}
    [orphan, held, busy, calm] = await add_nodes(
        database,
        {"provision_state": ProvisionState.DEPLOYING, **lost},
        {"provision_state": ProvisionState.CLEAN_HOLD, **lost},
        {"provision_state": ProvisionState.DEPLOYING, **lost},
        {"provision_state": ProvisionState.ACTIVE, **lost},
    )
    async with database.write() as tx:
        await Gateway(toy_workflows()).enqueue(tx, NewOperation(node_uuid=busy.uuid, kind="deploy"))
    chore = orphan_chore(database, "host-a")
    assert [await chore.run(), await chore.run()] == [2, 0]
    async with database.read() as tx:
        after = {one.uuid: await get_node(tx, one.uuid) for one in (orphan, held, busy, calm)}
    assert after[orphan.uuid].provision_state is ProvisionState.DEPLOY_FAILED
    assert after[orphan.uuid].reservation is None
    assert "Nothing works on this node" in str(after[orphan.uuid].last_error)
    assert after[held.uuid].provision_state is ProvisionState.CLEAN_FAILED
    assert after[busy.uuid].provision_state is ProvisionState.DEPLOYING
    assert after[calm.uuid].provision_state is ProvisionState.ACTIVE
