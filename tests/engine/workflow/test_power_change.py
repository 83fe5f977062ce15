"""What users ask of a machine's power: with relatives, without switching off, and when it does not obey."""

from typing import Any

import pytest

from bessemer.domain.node import Node
from bessemer.domain.operation import OperationState
from bessemer.domain.power import PowerTarget
from bessemer.domain.provision import ProvisionState
from bessemer.service.caller import Caller
from bessemer.store.node import create_node, get_node
from bessemer.store.operation import get_operation

S = ProvisionState
ON = {"provision_state": S.ACTIVE, "power_state": "power on"}
CHILD = "aaaaaaaa-0000-4000-8000-000000000002"


async def ask(s, target: PowerTarget, ident: str = "n1") -> None:
    await s.services.power.request(Caller(is_trusted=True), ident, target)


async def add_child(s, **fields: Any) -> None:
    parent = await s.node()
    async with s.database.write() as tx:
        facts = {"driver": "fake-hardware", "name": "child", "created_at": tx.now(), **fields}
        await create_node(tx, Node(uuid=CHILD, parent_node=parent.uuid, **facts))


async def child(s) -> Node:
    async with s.database.read() as tx:
        return await get_node(tx, CHILD)


@pytest.mark.parametrize("target", list(PowerTarget))
async def test_a_machine_ends_where_it_was_asked_to_and_nothing_of_a_ramdisk_is_remembered(
    site, target
) -> None:
    facts = {"agent_url": "https://x", "agent_secret_token": "t", "kept": 1}
    async with site(node=ON | {"driver_internal_info": facts}) as s:
        await ask(s, target)
        node = await s.settled()
    assert (node.power_state, node.target_power_state, node.last_error) == (target.result, None, None)
    assert node.driver_internal_info["kept"] == 1
    assert ("agent_url" in node.driver_internal_info) is (target is PowerTarget.ON)


async def test_children_go_off_before_their_parent(site) -> None:
    async with site(node=ON) as s:
        await add_child(s, power_state="power on")
        await ask(s, PowerTarget.OFF)
        node = await s.settled()
        assert ((await child(s)).power_state, node.power_state) == ("power off", "power off")


async def test_a_child_with_its_own_power_supply_stays_on(site) -> None:
    async with site(node=ON) as s:
        await add_child(s, power_state="power on", driver_info={"has_dedicated_power_supply": True})
        await ask(s, PowerTarget.OFF)
        node = await s.settled()
        assert ((await child(s)).power_state, node.power_state) == ("power on", "power off")


async def test_a_parent_goes_on_before_its_child(site) -> None:
    async with site(node=ON | {"power_state": "power off"}) as s:
        await add_child(s, power_state="power off")
        await ask(s, PowerTarget.ON, "child")
        while (await child(s)).power_state != "power on":
            pass
        node = await s.settled()
    assert node.power_state == "power on"


async def test_a_busy_child_stops_its_parents_power_change(site) -> None:
    async with site(node=ON) as s:
        await add_child(s, power_state="power on", conductor_group="elsewhere")
        await ask(s, PowerTarget.REBOOT, "child")
        await ask(s, PowerTarget.OFF)
        node = await s.settled()
    assert (node.power_state, node.target_power_state) == ("power on", None)
    assert "unfinished operation 'power'" in node.last_error


async def test_a_machine_that_must_stay_on_is_reset_instead(site) -> None:
    async with site(node=ON | {"disable_power_off": True}) as s:
        await ask(s, PowerTarget.REBOOT)
        node = await s.settled()
        operation = (await s.operations())[0]
    assert (node.power_state, node.last_error, operation.state) == (
        "power on",
        None,
        OperationState.SUCCEEDED,
    )
    assert node.driver_internal_info["fake_power"] == "power on"


async def test_the_conductor_never_switches_such_a_machine_off_whoever_asks(site) -> None:
    async with site(node=ON | {"disable_power_off": True}) as s:
        await s.start("power", target="power off")
        node = await s.settled()
    assert node.power_state == "power on"
    assert "must not be switched off" in node.last_error
    assert "fake_power" not in node.driver_internal_info


async def test_cleaning_and_deployment_leave_such_a_machine_on(site) -> None:
    off = {"provision_state": S.MANAGEABLE, "power_state": "power on", "disable_power_off": True}
    async with site(node=off | {"driver_internal_info": {"fake_power": "power on"}}) as s:
        await s.ask("provide")
        node = await s.settled()
        assert (node.provision_state, node.last_error) == (S.AVAILABLE, None)
        assert len(s.machine.commands("lockdown")) == 1
        await s.ask("active")
        node = await s.settled()
        assert (node.provision_state, node.last_error) == (S.ACTIVE, None)
        assert (node.driver_internal_info["fake_power"], s.machine.boots) == ("power on", 2)
        assert s.machine.commands("power_off") == []


async def test_a_machine_in_maintenance_is_not_provisioned_on_where_the_operator_says_so(site) -> None:
    node = {"provision_state": S.MANAGEABLE}
    async with site(node=node, conductor={"allow_provisioning_in_maintenance": False}) as s:
        s.machine.calls_back = False
        operation = await s.ask("clean", clean_steps=[{"interface": "deploy", "step": "erase_devices"}])
        await s.reached("clean wait")
        await s.change(maintenance=True)
        s.machine.calls_back = True
        node = await s.settled()
        async with s.database.read() as tx:
            operation = await get_operation(tx, operation.uuid)
    assert (node.provision_state, operation.state) == (S.CLEAN_FAILED, OperationState.CANCELLED)
    assert node.last_error == "clean was stopped because the node is in maintenance"


async def test_maintenance_does_not_stop_running_work_otherwise(site) -> None:
    async with site(node={"provision_state": S.MANAGEABLE}) as s:
        s.machine.calls_back = False
        await s.ask("clean", clean_steps=[{"interface": "deploy", "step": "erase_devices"}])
        await s.reached("clean wait")
        await s.change(maintenance=True)
        s.machine.calls_back = True
        assert (await s.settled()).provision_state is S.MANAGEABLE
