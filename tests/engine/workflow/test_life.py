"""The whole life of a node, with the real engine and workflows, and an agent that really answers."""

from dataclasses import replace
from typing import Any

from bessemer.domain.operation import JournalEvent, OperationState
from bessemer.domain.provision import ProvisionState
from bessemer.engine.workflow import Workflow


async def test_a_node_is_verified_cleaned_deployed_and_torn_down(site) -> None:
    async with site() as s:
        await s.ask("manage")
        assert (await s.settled()).provision_state is ProvisionState.MANAGEABLE

        await s.ask("provide")
        node = await s.settled()
        assert (node.provision_state, node.last_error) == (ProvisionState.AVAILABLE, None)
        erased = [c["params"]["step"]["step"] for c in s.machine.commands("execute_clean_step")]
        assert erased == ["erase_devices_metadata", "erase_devices"]

        await s.ask("active", configdrive={"meta_data": {"hostname": "h"}})
        node = await s.settled()
        assert (node.provision_state, node.last_error) == (ProvisionState.ACTIVE, None)
        assert node.power_state == "power on"
        assert s.machine.images_written == 1
        args = s.machine.commands("execute_deploy_step")[0]["params"]["step"]["args"]
        assert args["image_info"]["os_hash_algo"] == "sha256"
        assert args["configdrive"]

        await s.ask("deleted")
        node = await s.settled()
        assert node.provision_state is ProvisionState.AVAILABLE
        assert node.instance_info == {}
        assert s.machine.boots == 3


async def test_nothing_of_the_ramdisk_is_left_after_deployment(site) -> None:
    async with site(node={"provision_state": ProvisionState.AVAILABLE}) as s:
        await s.ask("active")
        facts = (await s.settled()).driver_internal_info
    assert not [key for key in facts if key.startswith("agent_") or key == "boot_key"]
    assert facts["fake_boot"] == {"from": "disk"}


async def test_the_journal_tells_every_step_with_its_duration(site) -> None:
    async with site(node={"provision_state": ProvisionState.AVAILABLE}) as s:
        operation = await s.ask("active")
        await s.settled()
        journal = await s.journal(operation)
    done = [entry.step for entry in journal if entry.event is JournalEvent.DONE]
    assert done.index("boot the agent") < done.index("write image") < done.index("boot the instance")
    assert all(entry.duration_s is not None for entry in journal if entry.event is JournalEvent.DONE)


async def test_an_agent_that_never_calls_back_ends_the_deployment_and_leaves_the_machine_safe(site) -> None:
    async with site(node={"provision_state": ProvisionState.AVAILABLE}) as s:
        s.machine.calls_back = False
        operation = await s.ask("active")
        await s.reached(ProvisionState.DEPLOY_WAIT)
        await s.time_is_up(operation)
        node = await s.settled()
        assert node.provision_state is ProvisionState.DEPLOY_FAILED
        assert "boot the agent" in node.last_error
        assert "has not called back" in node.last_error
        assert node.driver_internal_info.get("fake_power") == "power off"
        assert "agent_secret_token" not in node.driver_internal_info
        undone = [e.step for e in await s.journal(operation) if e.event is JournalEvent.UNDONE]
        assert undone == ["prepare the agent's boot", "attach provisioning network"]

        s.machine.calls_back = True
        await s.ask("active")
        assert (await s.settled()).provision_state is ProvisionState.ACTIVE


async def test_what_the_agent_says_went_wrong_reaches_the_operator(site) -> None:
    async with site(node={"provision_state": ProvisionState.AVAILABLE}) as s:
        s.machine.agent.long.add("deploy.execute_deploy_step")
        await s.ask("active")
        while not s.machine.images_written:
            await s.node()
        s.machine.agent.finish(
            command_status="FAILED", command_error={"details": "checksum of the image is not as promised"}
        )
        node = await s.settled()
    assert node.provision_state is ProvisionState.DEPLOY_FAILED
    assert "checksum of the image is not as promised" in node.last_error


async def test_abort_ends_a_waiting_deployment(site) -> None:
    async with site(node={"provision_state": ProvisionState.AVAILABLE}) as s:
        s.machine.calls_back = False
        operation = await s.ask("active")
        await s.reached(ProvisionState.DEPLOY_WAIT)
        await s.ask("abort")
        node = await s.settled()
        operation = next(o for o in await s.operations() if o.uuid == operation.uuid)
    assert operation.state is OperationState.CANCELLED
    assert node.provision_state is ProvisionState.DEPLOY_FAILED
    assert "aborted" in node.last_error


async def test_deleting_a_waiting_deployment_tears_it_down_and_cleans(site) -> None:
    async with site(node={"provision_state": ProvisionState.AVAILABLE}) as s:
        s.machine.calls_back = False
        await s.ask("active")
        await s.reached(ProvisionState.DEPLOY_WAIT)
        s.machine.calls_back = True
        await s.ask("deleted")
        node = await s.settled()
        kinds = [operation.kind for operation in await s.operations()]
    assert kinds == ["clean", "tear down", "deploy"]
    assert (node.provision_state, node.last_error) == (ProvisionState.AVAILABLE, None)


async def test_a_failed_cleaning_keeps_the_machine_from_everybody(site) -> None:
    async with site(node={"provision_state": ProvisionState.MANAGEABLE}) as s:
        s.machine.agent.known.pop("clean.execute_clean_step")
        await s.ask("provide")
        node = await s.settled()
    assert node.provision_state is ProvisionState.CLEAN_FAILED
    assert node.maintenance
    assert node.fault == "clean failure"


async def test_a_cleaning_that_fails_before_its_first_step_leaves_the_node_out_of_maintenance(site) -> None:
    async with site(node={"provision_state": ProvisionState.MANAGEABLE}) as s:
        await s.ask("clean", clean_steps=[{"interface": "deploy", "step": "nothing"}])
        node = await s.settled()
    assert node.provision_state is ProvisionState.CLEAN_FAILED
    assert (node.maintenance, node.fault) == (False, None)


async def test_manual_cleaning_runs_what_was_named_and_ends_manageable(site) -> None:
    async with site(node={"provision_state": ProvisionState.MANAGEABLE}) as s:
        await s.ask("clean", clean_steps=[{"interface": "deploy", "step": "erase_devices"}])
        node = await s.settled()
        assert node.provision_state is ProvisionState.MANAGEABLE
        assert [c["params"]["step"]["step"] for c in s.machine.commands("execute_clean_step")] == [
            "erase_devices"
        ]
        await s.ask("clean", clean_steps=[{"interface": "deploy", "step": "polish"}])
        node = await s.settled()
    assert node.provision_state is ProvisionState.CLEAN_FAILED
    assert "deploy.polish" in node.last_error
    assert "erase_devices_metadata" in node.last_error


async def test_a_retired_node_ends_its_cleaning_manageable(site) -> None:
    async with site(node={"provision_state": ProvisionState.ACTIVE, "retired": True}) as s:
        await s.ask("deleted")
        assert (await s.settled()).provision_state is ProvisionState.MANAGEABLE


def in_a_fortieth_of_the_time(workflow: Workflow[Any]) -> Workflow[Any]:
    steps = tuple(
        replace(step, timeout_s=step.timeout_s / 40) if step.name == "write image" else step
        for step in workflow.steps
    )
    return replace(workflow, steps=steps)


async def test_an_agent_that_leaves_a_question_unanswered_is_asked_again(site) -> None:
    """The wait for one answer is a minute unless told otherwise; here it is a second."""
    available = {"provision_state": ProvisionState.AVAILABLE}
    async with site(in_a_fortieth_of_the_time, node=available, agent={"command_timeout": 1}) as s:
        s.machine.agent.long.add("deploy.execute_deploy_step")
        await s.ask("active")
        while not s.machine.images_written:
            await s.node()
        s.machine.agent.trouble_on_get = ["hang"]
        while s.machine.agent.trouble_on_get:
            await s.node()
        s.machine.agent.finish()
        node = await s.settled()
    assert (node.provision_state, node.last_error) == (ProvisionState.ACTIVE, None)
