"""RAID through the agent: what it is asked for, and what the node shows of what it made."""

from copy import deepcopy
from typing import Any

from bessemer.domain.provision import ProvisionState
from bessemer.kernel.error import DatabaseLost
from bessemer.workflow import hardware_step
from fakes.simulated_machine import CLEAN_STEPS

S = ProvisionState
ROOT = {"size_gb": 10, "raid_level": "1", "controller": "software", "is_root_volume": True}
DATA = {"size_gb": "MAX", "raid_level": "0", "controller": "software"}
TARGET = {"logical_disks": [ROOT, DATA]}
NODE = {"provision_state": S.MANAGEABLE, "raid_interface": "agent", "target_raid_config": TARGET}
CREATE = {"interface": "raid", "step": "create_configuration"}
DELETE = {"interface": "raid", "step": "delete_configuration"}


def teach(s: Any, result: Any, *args: str) -> None:
    """Let the agent know RAID steps with these arguments, and answer them with ``result``."""
    steps = deepcopy(CLEAN_STEPS)
    for name in ("create_configuration", "delete_configuration"):
        known = {arg: {"description": arg} for arg in args} if name == "create_configuration" else None
        steps["clean_steps"]["GenericHardwareManager"].append(
            {"step": name, "priority": 0, "interface": "raid", "argsinfo": known}
        )
    s.machine.agent.known["clean.get_clean_steps"] = steps
    s.machine.agent.known["clean.execute_clean_step"] = {"clean_result": result}


async def clean(s: Any, *steps: dict[str, Any]) -> Any:
    await s.ask("clean", clean_steps=list(steps))
    return await s.settled()


async def test_the_agent_makes_the_target_and_the_node_shows_what_it_made(site) -> None:
    async with site(node=NODE) as s:
        made = {"logical_disks": [{**ROOT, "device": "/dev/md0"}, DATA]}
        teach(s, made, "delete_existing")
        node = await clean(s, {**CREATE, "args": {"delete_existing": True, "create_root_volume": True}})
        assert (node.provision_state, node.last_error) == (S.MANAGEABLE, None)
        assert node.raid_config.pop("last_updated")
        assert node.raid_config == made
        (command,) = s.machine.commands("execute_clean_step")
        assert command["params"]["step"]["args"] == {"delete_existing": True}
        assert command["params"]["node"]["target_raid_config"] == TARGET

        teach(s, None)
        assert (await clean(s, DELETE)).raid_config == {}


async def test_the_agent_gets_only_the_disks_that_are_meant(site) -> None:
    async with site(node=NODE) as s:
        teach(s, None)
        node = await clean(s, {**CREATE, "args": {"create_nonroot_volumes": False}})
        assert node.last_error is None
        (command,) = s.machine.commands("execute_clean_step")
        assert command["params"]["step"]["args"] == {}
        assert command["params"]["node"]["target_raid_config"] == {"logical_disks": [ROOT]}
        assert (node.raid_config["logical_disks"], node.target_raid_config) == ([ROOT], TARGET)


async def test_what_is_left_of_the_target_must_be_possible(site) -> None:
    async with site(node=NODE) as s:
        teach(s, None)
        node = await clean(s, {**CREATE, "args": {"create_root_volume": False}})
        assert node.provision_state is S.CLEAN_FAILED
        assert "raid_level can not be 0" in node.last_error
        assert s.machine.commands("execute_clean_step") == []


async def test_without_a_target_nothing_is_created(site) -> None:
    async with site(node=NODE | {"target_raid_config": {}}) as s:
        teach(s, None)
        node = await clean(s, CREATE)
        assert node.provision_state is S.CLEAN_FAILED
        assert "There is no logical disk to create" in node.last_error
        assert s.machine.commands("execute_clean_step") == []


async def test_a_ramdisk_without_raid_is_named_as_the_reason(site) -> None:
    async with site(node=NODE) as s:
        node = await clean(s, CREATE)
        assert node.provision_state is S.CLEAN_FAILED
        assert "The ramdisk of this node has no step raid.create_configuration" in node.last_error


async def test_raid_steps_of_the_agent_are_for_its_own_raid_interface_only(site) -> None:
    async with site(node=NODE | {"raid_interface": "no-raid"}) as s:
        teach(s, None)
        node = await clean(s, CREATE)
        assert node.provision_state is S.CLEAN_FAILED
        assert "There is no step raid.create_configuration on this node" in node.last_error


async def test_a_deployment_may_apply_a_configuration(site) -> None:
    node = {
        "provision_state": S.AVAILABLE, "raid_interface": "agent", "target_raid_config": {},
    }  # fmt: skip
    async with site(node=node) as s:
        s.machine.agent.known["deploy.get_deploy_steps"] = {
            "deploy_steps": {
                "g": [
                    {
                        "step": "apply_configuration", "priority": 0, "interface": "raid",
                        "argsinfo": {"raid_config": {"required": True}, "delete_existing": {}},
                    }
                ]
            },
            "hardware_manager_version": {},
        }  # fmt: skip
        step = {"interface": "raid", "step": "apply_configuration", "priority": 90}
        await s.ask("active", deploy_steps=[{**step, "args": {"raid_config": TARGET}}])
        found = await s.settled()
        assert (found.provision_state, found.last_error) == (S.ACTIVE, None)
        assert found.target_raid_config == TARGET
        assert found.raid_config["logical_disks"] == TARGET["logical_disks"]
        names = [c["params"]["step"]["step"] for c in s.machine.commands("execute_deploy_step")]
        assert names == ["apply_configuration", "write_image"]


async def test_a_database_lost_after_a_step_costs_another_look_and_not_the_operation(
    site, monkeypatch
) -> None:
    note_result, lost = hardware_step.note_result, [DatabaseLost("gone for a moment")]

    async def note(*args: Any) -> None:
        if lost:
            raise lost.pop()
        await note_result(*args)

    monkeypatch.setattr(hardware_step, "note_result", note)
    async with site(node=NODE) as s:
        teach(s, None)
        node = await clean(s, CREATE)
        assert (node.provision_state, node.last_error, lost) == (S.MANAGEABLE, None, [])
        assert node.raid_config["logical_disks"] == TARGET["logical_disks"]
        assert len(s.machine.commands("execute_clean_step")) == 1
