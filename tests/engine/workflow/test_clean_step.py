"""The steps of cleaning: which run, in which order, and what they may ask for besides."""

from typing import Any

import pytest

from bessemer.domain.node import Node
from bessemer.domain.operation import JournalEvent, NewOperation
from bessemer.domain.provision import ProvisionState
from bessemer.store.node import create_node, get_node

S = ProvisionState
MANAGEABLE = {"provision_state": S.MANAGEABLE}
CHILD = "aaaaaaaa-0000-4000-8000-000000000002"
ERASE = {"interface": "deploy", "step": "erase_devices"}
METADATA = {"interface": "deploy", "step": "erase_devices_metadata"}


def power(step: str, **more: Any) -> dict[str, Any]:
    return {"interface": "power", "step": step, **more}


def cleaned(s) -> list[str]:
    return [c["params"]["step"]["step"] for c in s.machine.commands("execute_clean_step")]


async def test_the_operator_decides_on_priorities(site) -> None:
    overrides = {"deploy.erase_devices": "0", "raid.delete_configuration": "100"}
    node = MANAGEABLE | {"raid_config": {"logical_disks": [{"size_gb": 1, "raid_level": "1"}]}}
    async with site(node=node, conductor={"clean_step_priority_override": overrides}) as s:
        operation = await s.ask("provide")
        node = await s.settled()
        titles = [e.title for e in await s.journal(operation) if e.event is JournalEvent.DONE]
    assert cleaned(s) == ["erase_devices_metadata"]
    assert titles.index("raid.delete_configuration") < titles.index("deploy.erase_devices_metadata")
    assert (node.provision_state, node.raid_config) == (S.AVAILABLE, {})


async def test_the_same_raid_configuration_is_made_that_was_asked_for(site) -> None:
    target = {"logical_disks": [{"size_gb": 100, "raid_level": "1", "is_root_volume": True}]}
    async with site(node=MANAGEABLE | {"target_raid_config": target}) as s:
        await s.ask("clean", clean_steps=[{"interface": "raid", "step": "create_configuration"}])
        node = await s.settled()
    assert node.provision_state is S.MANAGEABLE
    assert node.raid_config["logical_disks"][0]["raid_level"] == "1"
    assert node.raid_config["last_updated"]


async def test_holding_and_releasing_a_cleaning_keeps_its_target(site) -> None:
    async with site(node=MANAGEABLE) as s:
        await s.ask("clean", clean_steps=[METADATA, power("hold"), ERASE])
        node = await s.reached("clean hold")
        assert (node.target_provision_state, cleaned(s)) == (S.MANAGEABLE, ["erase_devices_metadata"])
        await s.ask("unhold")
        node = await s.settled()
    assert (node.provision_state, node.last_error) == (S.MANAGEABLE, None)
    assert cleaned(s) == ["erase_devices_metadata", "erase_devices"]


async def test_aborting_a_held_cleaning_fails_it_without_maintenance(site) -> None:
    async with site(node=MANAGEABLE) as s:
        await s.ask("clean", clean_steps=[power("hold")])
        await s.reached("clean hold")
        await s.ask("abort")
        node = await s.settled()
    assert (node.provision_state, node.target_provision_state) == (S.CLEAN_FAILED, S.MANAGEABLE)
    assert (node.maintenance, node.clean_step, node.last_error) == (False, {}, "clean was aborted")


async def test_waiting_for_a_time_is_capped(site) -> None:
    async with site(node=MANAGEABLE, conductor={"max_conductor_wait_step_seconds": 0}) as s:
        await s.ask("clean", clean_steps=[power("wait", args={"seconds": 3600}), ERASE])
        node = await s.settled()
    assert (node.provision_state, cleaned(s)) == (S.MANAGEABLE, ["erase_devices"])


async def test_waiting_without_a_time_is_for_the_next_heartbeat(site) -> None:
    async with site(node=MANAGEABLE) as s:
        await s.ask("clean", clean_steps=[power("wait"), ERASE])
        while (await s.node()).clean_step.get("step") != "wait":
            pass
        await s.reached("clean wait")
        assert cleaned(s) == []
        await s.machine.beat()
        node = await s.settled()
    assert (node.provision_state, cleaned(s)) == (S.MANAGEABLE, ["erase_devices"])


async def test_a_reboot_comes_back_with_a_new_ramdisk(site) -> None:
    async with site(node=MANAGEABLE) as s:
        await s.ask("clean", clean_steps=[METADATA, power("reboot"), ERASE])
        node = await s.settled()
    assert (node.provision_state, node.last_error) == (S.MANAGEABLE, None)
    assert (s.machine.boots, cleaned(s)) == (2, ["erase_devices_metadata", "erase_devices"])


@pytest.mark.parametrize("told", ["with the step", "with its result"])
async def test_a_step_that_wants_a_reboot_gets_it_before_the_next_one(site, told) -> None:
    async with site(node=MANAGEABLE) as s:
        if told == "with the step":
            steps = [METADATA | {"priority": 99, "reboot_requested": True}, ERASE | {"priority": 10}]
            s.machine.agent.known["clean.get_clean_steps"] = {"clean_steps": {"m": steps}}
        else:
            result = {"clean_result": None, "clean_step": {"reboot_requested": True}}
            s.machine.agent.known["clean.execute_clean_step"] = result
        await s.ask("clean", clean_steps=[METADATA])
        node = await s.settled()
    assert (node.provision_state, node.last_error, s.machine.boots) == (S.MANAGEABLE, None, 2)


async def test_power_steps_bring_the_ramdisk_down_and_up_again(site) -> None:
    async with site(node=MANAGEABLE) as s:
        await s.ask("clean", clean_steps=[power("power_on"), power("power_off"), power("power_on"), ERASE])
        node = await s.settled()
    assert (node.provision_state, node.last_error) == (S.MANAGEABLE, None)
    assert (s.machine.boots, cleaned(s)) == (2, ["erase_devices"])


async def test_a_machine_switched_off_by_the_last_step_is_not_talked_to(site) -> None:
    async with site(node=MANAGEABLE) as s:
        await s.ask("clean", clean_steps=[power("power_off")])
        node = await s.settled()
    assert (node.provision_state, node.last_error) == (S.MANAGEABLE, None)
    assert s.machine.commands("sync") == []


async def test_without_the_ramdisk_drivers_do_the_work(site) -> None:
    settings = [{"name": "HyperThreading", "value": "Disabled"}]
    step = {"interface": "bios", "step": "apply_configuration", "args": {"settings": settings}}
    async with site(node=MANAGEABLE) as s:
        await s.ask("clean", clean_steps=[step, power("reboot")], disable_ramdisk=True)
        node = await s.settled()
    assert (node.provision_state, node.last_error, s.machine.boots) == (S.MANAGEABLE, None, 0)
    assert node.driver_internal_info["fake_bios"] == {"HyperThreading": "Disabled"}
    assert node.power_state == "power on"


def mismatching(s, times: int) -> None:
    """The agent says ``times`` times that its hardware managers are others than before."""
    s.machine.agent.long.add("clean.execute_clean_step")
    s.machine.answers[:] = ["CLEAN_VERSION_MISMATCH"] * times


async def finish_all(s) -> None:
    """Answer each clean step: as told first, then with success."""
    answered = 0
    while not all(operation.state.is_over for operation in await s.operations()):
        given = s.machine.commands("execute_clean_step")
        if len(given) > answered:
            status = s.machine.answers.pop(0) if s.machine.answers else "SUCCEEDED"
            given[answered].update(command_status=status)
            answered += 1


async def test_automated_cleaning_begins_anew_when_the_agent_has_changed(site) -> None:
    async with site(node=MANAGEABLE) as s:
        mismatching(s, 1)
        await s.ask("provide")
        await finish_all(s)
        node = await s.settled()
    assert (node.provision_state, node.last_error) == (S.AVAILABLE, None)
    assert cleaned(s) == ["erase_devices_metadata", "erase_devices_metadata", "erase_devices"]
    assert len(s.machine.commands("get_clean_steps")) == 2


async def test_an_agent_that_keeps_changing_is_given_up(site) -> None:
    async with site(node=MANAGEABLE) as s:
        mismatching(s, 10)
        await s.ask("provide")
        await finish_all(s)
        node = await s.settled()
    assert node.provision_state is S.CLEAN_FAILED
    assert "CLEAN_VERSION_MISMATCH" in node.last_error


async def test_manual_cleaning_fails_when_the_agent_has_changed(site) -> None:
    async with site(node=MANAGEABLE) as s:
        mismatching(s, 1)
        await s.ask("clean", clean_steps=[ERASE])
        await finish_all(s)
        node = await s.settled()
    assert (node.provision_state, cleaned(s)) == (S.CLEAN_FAILED, ["erase_devices"])
    assert "CLEAN_VERSION_MISMATCH" in node.last_error


# --------------------------------------------------------------------------- children


async def add_child(s, uuid: str = CHILD, **fields: Any) -> None:
    async with s.database.write() as tx:
        parent = await s.node()
        node = Node(uuid=uuid, driver="fake-hardware", created_at=tx.now(), parent_node=parent.uuid, **fields)
        await create_node(tx, node)


async def child(s, uuid: str = CHILD) -> Node:
    async with s.database.read() as tx:
        return await get_node(tx, uuid)


async def test_a_step_may_be_run_on_the_children_before_the_parent_goes_on(site) -> None:
    async with site(node=MANAGEABLE) as s:
        await add_child(s, power_state="power off")
        on = power("power_on", execute_on_child_nodes=True)
        reset = {"interface": "bios", "step": "factory_reset", "execute_on_child_nodes": True}
        await s.ask("clean", clean_steps=[on, reset, ERASE])
        node = await s.settled()
        other = await child(s)
    assert (node.provision_state, node.last_error, cleaned(s)) == (S.MANAGEABLE, None, ["erase_devices"])
    assert (other.power_state, other.provision_state, other.reservation) == ("power on", S.ENROLL, None)


async def test_a_step_that_fails_on_a_child_fails_the_parent(site) -> None:
    async with site(node=MANAGEABLE) as s:
        await add_child(s)
        step = {"interface": "bios", "step": "polish", "execute_on_child_nodes": True}
        await s.ask("clean", clean_steps=[step, ERASE])
        node = await s.settled()
        other = await child(s)
    assert (node.provision_state, cleaned(s)) == (S.CLEAN_FAILED, [])
    assert "has no step bios.polish" in node.last_error
    assert CHILD in node.last_error
    assert "bios.polish" in (other.last_error or "")


async def test_only_the_named_children_are_touched_and_strangers_are_refused(site) -> None:
    second = CHILD[:-1] + "3"
    async with site(node=MANAGEABLE) as s:
        await add_child(s, name="one")
        await add_child(s, second, name="two")
        only = {"execute_on_child_nodes": True, "limit_child_node_execution": ["two"]}
        await s.ask("clean", clean_steps=[power("power_on", **only)])
        assert (await s.settled()).provision_state is S.MANAGEABLE
        assert ((await child(s)).power_state, (await child(s, second)).power_state) == (None, "power on")
        own = {"execute_on_child_nodes": True, "limit_child_node_execution": ["n1"]}
        await s.ask("clean", clean_steps=[power("power_on", **own)])
        node = await s.settled()
    assert "'n1' is not a child of this node" in node.last_error


async def test_a_child_that_is_being_worked_on_is_left_alone(site) -> None:
    async with site(node=MANAGEABLE) as s:
        await add_child(s, name="one", maintenance=False)
        async with s.database.write() as tx:
            busy = NewOperation(
                node_uuid=CHILD, kind="power", args={"target": "power on"}, conductor_group="x"
            )
            await s.gateway.enqueue(tx, busy)
        await s.ask("clean", clean_steps=[power("power_on", execute_on_child_nodes=True)])
        await s.reached("clean failed")
        node = await s.node()
    assert "unfinished operation 'power'" in node.last_error
