"""Servicing a deployed machine: the instance is back afterwards, whoever ends it and however."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from bessemer.domain.operation import JournalEvent, OperationState
from bessemer.domain.provision import ProvisionState
from bessemer.engine.workflow import Step, Workflow
from bessemer.workflow.undo_note import noting

S = ProvisionState
ACTIVE = {"provision_state": S.ACTIVE}
STEP = {"interface": "deploy", "step": "burnin_cpu"}
DISK = {"interface": "deploy", "step": "burnin_disk"}
HOLD = {"interface": "power", "step": "hold"}


def served(s) -> list[str]:
    return [c["params"]["step"]["step"] for c in s.machine.commands("execute_service_step")]


async def test_steps_run_in_the_order_given_and_the_instance_comes_back(site) -> None:
    async with site(node=ACTIVE) as s:
        await s.ask("service", service_steps=[STEP, DISK])
        node = await s.settled()
        assert (node.provision_state, node.last_error, node.service_step) == (S.ACTIVE, None, {})
        assert served(s) == ["burnin_cpu", "burnin_disk"]
    assert node.driver_internal_info["fake_boot"] == {"from": "disk"}
    assert (node.power_state, node.instance_info["image_os_hash_algo"]) == ("power on", "sha256")


async def test_without_the_ramdisk_the_instance_is_not_disturbed(site) -> None:
    async with site(node=ACTIVE) as s:
        steps = [{"interface": "bios", "step": "factory_reset"}]
        await s.ask("service", service_steps=steps, disable_ramdisk=True)
        node = await s.settled()
    assert (node.provision_state, node.last_error, s.machine.boots) == (S.ACTIVE, None, 0)
    assert "fake_power" not in node.driver_internal_info


async def test_a_held_node_waits_for_its_release_and_says_what_it_is_at(site) -> None:
    async with site(node=ACTIVE) as s:
        operation = await s.ask("service", service_steps=[STEP, HOLD, DISK])
        node = await s.reached("service hold")
        assert node.target_provision_state is S.ACTIVE
        assert (node.service_step["step"], node.service_step["abortable"]) == ("hold", True)
        assert served(s) == ["burnin_cpu"]
        await s.ask("unhold")
        node = await s.settled()
        assert (node.provision_state, served(s)) == (S.ACTIVE, ["burnin_cpu", "burnin_disk"])
        done = [e.title for e in await s.journal(operation) if e.event is JournalEvent.DONE]
    assert "hold" in done


async def test_aborting_a_held_servicing_gives_the_machine_back_to_its_instance(site) -> None:
    async with site(node=ACTIVE) as s:
        await s.ask("service", service_steps=[HOLD])
        await s.reached("service hold")
        await s.ask("abort")
        node = await s.settled()
    assert (node.provision_state, node.target_provision_state) == (S.ACTIVE, None)
    assert (node.maintenance, node.fault) == (False, None)
    assert node.driver_internal_info["fake_boot"] == {"from": "disk"}
    assert (node.driver_internal_info["fake_power"], node.power_state) == ("power on", "power on")
    assert "agent_secret_token" not in node.driver_internal_info


async def too_late(context: Any) -> None:
    await asyncio.Event().wait()


async def unexpected(context: Any) -> None:
    raise ZeroDivisionError


@pytest.mark.parametrize("undo", [too_late, unexpected])
async def test_a_machine_that_could_not_be_given_back_is_not_shown_as_active(site, undo) -> None:
    def cannot_return(step: Step[Any]) -> Step[Any]:
        if step.name != "leave the tenant network":
            return step
        return noting(replace(step, undo=undo, timeout_s=1.0))

    def reshape(workflow: Workflow[Any]) -> Workflow[Any]:
        if workflow.kind != "service":
            return workflow
        return replace(workflow, steps=tuple(map(cannot_return, workflow.steps)))

    async with site(reshape, node=ACTIVE) as s:
        await s.ask("service", service_steps=[HOLD])
        await s.reached("service hold")
        await s.ask("abort")
        node = await s.settled()
    assert node.provision_state is S.SERVICE_FAILED


async def test_new_steps_take_the_place_of_those_on_hold(site) -> None:
    async with site(node=ACTIVE) as s:
        first = await s.ask("service", service_steps=[HOLD])
        await s.reached("service hold")
        await s.ask("service", service_steps=[STEP])
        node = await s.settled()
        first = next(o for o in await s.operations() if o.uuid == first.uuid)
    assert first.state is OperationState.CANCELLED
    assert (node.provision_state, node.last_error, served(s)) == (S.ACTIVE, None, ["burnin_cpu"])


async def test_a_failed_servicing_waits_for_a_human_and_can_then_be_given_up(site) -> None:
    async with site(node=ACTIVE) as s:
        known = s.machine.agent.known.pop("service.execute_service_step")
        await s.ask("service", service_steps=[STEP])
        node = await s.settled()
        assert node.provision_state is S.SERVICE_FAILED
        assert (node.maintenance, node.fault) == (True, "service failure")
        assert node.driver_internal_info["fake_power"] == "power off"
        s.machine.agent.known["service.execute_service_step"] = known
        await s.change(maintenance=False, fault=None)
        await s.ask("abort")
        node = await s.settled()
    assert (node.provision_state, node.power_state) == (S.ACTIVE, "power on")
    assert node.driver_internal_info["fake_boot"] == {"from": "disk"}


async def test_a_step_that_is_not_abortable_is_the_last_one_after_abortion(site) -> None:
    async with site(node=ACTIVE) as s:
        s.machine.agent.long.add("service.execute_service_step")
        await s.ask("service", service_steps=[DISK, STEP])
        await s.reached("service wait")
        while not served(s):
            await s.node()
        node = await s.reached("service wait")
        await s.ask("abort")
        node = await s.node()
        assert (node.provision_state, node.service_step["abort_after"]) == (S.SERVICE_WAIT, True)
        s.machine.agent.finish()
        node = await s.settled()
    assert (node.provision_state, served(s)) == (S.ACTIVE, ["burnin_disk"])


async def test_an_abortable_step_ends_at_once(site) -> None:
    async with site(node=ACTIVE) as s:
        s.machine.agent.long.add("service.execute_service_step")
        await s.ask("service", service_steps=[STEP, DISK])
        while not served(s):
            await s.node()
        await s.reached("service wait")
        await s.ask("abort")
        node = await s.settled()
    assert (node.provision_state, served(s)) == (S.ACTIVE, ["burnin_cpu"])


async def test_an_unknown_step_is_told_with_those_there_are(site) -> None:
    async with site(node=ACTIVE) as s:
        await s.ask("service", service_steps=[{"interface": "deploy", "step": "polish"}])
        node = await s.settled()
    assert node.provision_state is S.SERVICE_FAILED
    assert "deploy.polish" in node.last_error
    assert "deploy.burnin_cpu" in node.last_error
