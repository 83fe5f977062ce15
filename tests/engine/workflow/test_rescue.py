"""Rescue and the way back: who gets the password, what is left of it, and what happens when it goes wrong."""

from dataclasses import replace
from typing import Any

import pytest

from bessemer.domain.operation import OperationState
from bessemer.domain.provision import ProvisionState
from bessemer.engine.workflow import Workflow
from bessemer.kernel.error import DeviceRefused
from bessemer.workflow.undo_note import noting

S = ProvisionState
ENABLED = {"enabled_rescue_interfaces": ["fake", "agent", "no-rescue"]}
ACTIVE = {"provision_state": S.ACTIVE, "rescue_interface": "agent"}


async def test_a_rescued_machine_runs_the_ramdisk_with_its_password_and_returns_to_its_instance(site) -> None:
    async with site(node=ACTIVE, default=ENABLED) as s:
        await s.ask("rescue", rescue_password="open sesame")
        node = await s.settled()
        assert (node.provision_state, node.last_error) == (S.RESCUE, None)
        (command,) = s.machine.commands("finalize_rescue")
        assert command["params"]["hashed"] is True
        assert command["params"]["rescue_password"].startswith("$5$")
        assert not [key for key in node.instance_info if "rescue" in key]
        assert not [key for key in node.driver_internal_info if key.startswith("agent_")]
        assert node.driver_internal_info["fake_boot"]["from"] == "ramdisk"
        assert node.driver_internal_info["fake_power"] == "power on"

        await s.ask("unrescue")
        node = await s.settled()
        assert (node.provision_state, node.last_error) == (S.ACTIVE, None)
        assert node.driver_internal_info["fake_boot"] == {"from": "disk"}
        assert node.power_state == "power on"


async def test_an_interface_without_an_agent_rescues_by_itself(site) -> None:
    async with site(node={"provision_state": S.ACTIVE}) as s:
        await s.ask("rescue", rescue_password="x")
        node = await s.settled()
        assert (node.provision_state, node.driver_internal_info["fake_rescue"]) == (S.RESCUE, True)
        assert s.machine.boots == 0
        await s.ask("unrescue")
        node = await s.settled()
        assert node.provision_state is S.ACTIVE
        assert "fake_rescue" not in node.driver_internal_info


@pytest.mark.parametrize("state", [S.RESCUE, S.RESCUE_FAILED, S.UNRESCUE_FAILED, S.SERVICE_FAILED])
async def test_a_rescue_may_be_asked_for_again(site, state) -> None:
    async with site(node=ACTIVE | {"provision_state": state}, default=ENABLED) as s:
        await s.ask("rescue", rescue_password="x")
        assert (await s.settled()).provision_state is S.RESCUE


async def test_an_aborted_rescue_leaves_no_password_and_a_machine_that_is_off(site) -> None:
    async with site(node=ACTIVE, default=ENABLED) as s:
        s.machine.calls_back = False
        operation = await s.ask("rescue", rescue_password="x")
        await s.reached("rescue wait")
        await s.ask("abort")
        node = await s.settled()
        operation = next(o for o in await s.operations() if o.uuid == operation.uuid)
    assert operation.state is OperationState.CANCELLED
    assert node.provision_state is S.RESCUE_FAILED
    assert node.last_error == "rescue was aborted"
    assert (node.maintenance, node.fault) == (False, None)
    assert not [key for key in node.instance_info if "rescue" in key]
    assert node.driver_internal_info["fake_power"] == "power off"


async def test_a_rescue_that_cannot_be_taken_back_after_abortion_is_a_fault(site) -> None:
    async def refuse(context: Any) -> None:
        raise DeviceRefused("the network keeps the port")

    def reshape(workflow: Workflow[Any]) -> Workflow[Any]:
        if workflow.kind != "rescue":
            return workflow
        steps = tuple(
            noting(replace(step, undo=refuse)) if step.name == "attach rescuing network" else step
            for step in workflow.steps
        )
        return replace(workflow, steps=steps)

    async with site(reshape, node=ACTIVE, default=ENABLED) as s:
        s.machine.calls_back = False
        await s.ask("rescue", rescue_password="x")
        await s.reached("rescue wait")
        await s.ask("abort")
        node = await s.settled()
    assert node.provision_state is S.RESCUE_FAILED
    assert (node.maintenance, node.fault) == (True, "rescue abort failure")


async def test_a_rescue_agent_that_never_calls_back_is_given_up(site) -> None:
    async with site(node=ACTIVE, default=ENABLED, conductor={"rescue_callback_timeout": 1}) as s:
        s.machine.calls_back = False
        await s.ask("rescue", rescue_password="x")
        node = await s.settled()
    assert node.provision_state is S.RESCUE_FAILED
    assert "has not called back" in node.last_error


async def test_a_waiting_rescue_may_be_deleted(site) -> None:
    async with site(node=ACTIVE, default=ENABLED) as s:
        s.machine.calls_back = False
        await s.ask("rescue", rescue_password="x")
        await s.reached("rescue wait")
        s.machine.calls_back = True
        await s.ask("deleted")
        node = await s.settled()
    assert (node.provision_state, node.instance_info) == (S.AVAILABLE, {})
