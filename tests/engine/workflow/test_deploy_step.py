"""The steps of a deployment: who asked for them, in which order they run, what can be switched off."""

from typing import Any

import pytest

from bessemer.domain.deploy_template import DeployTemplate
from bessemer.domain.operation import JournalEvent, Operation
from bessemer.domain.provision import ProvisionState
from bessemer.kernel.ident import new_uuid
from bessemer.store.bios_setting import list_bios_setting_rows
from bessemer.store.deploy_template import create_deploy_template
from bessemer.store.trait import set_traits

S = ProvisionState
AVAILABLE = {"provision_state": S.AVAILABLE}
NODE = "aaaaaaaa-0000-4000-8000-000000000001"
RAID = {"logical_disks": [{"size_gb": 10, "raid_level": "1"}]}


def bios(value: str, priority: int) -> dict[str, Any]:
    settings = [{"name": "HyperThreading", "value": value}]
    return {
        "interface": "bios",
        "step": "apply_configuration",
        "args": {"settings": settings},
        "priority": priority,
    }


def raid(priority: int) -> dict[str, Any]:
    return {
        "interface": "raid",
        "step": "apply_configuration",
        "args": {"raid_config": RAID},
        "priority": priority,
    }


def off(step: str) -> dict[str, Any]:
    return {"interface": "deploy", "step": step, "args": {}, "priority": 0}


async def done(s, operation: Operation) -> list[str]:
    return [e.title for e in await s.journal(operation) if e.event is JournalEvent.DONE]


async def test_steps_run_where_their_priority_puts_them(site) -> None:
    async with site(node=AVAILABLE) as s:
        operation = await s.ask("active", deploy_steps=[raid(150), bios("Disabled", 70)])
        node = await s.settled()
        assert (node.provision_state, node.last_error, node.deploy_step) == (S.ACTIVE, None, {})
        titles = await done(s, operation)
        async with s.database.read() as tx:
            rows = await list_bios_setting_rows(tx, NODE, ["name", "value"])
    assert titles.index("raid.apply_configuration") < titles.index("boot the agent")
    image, setting, boot = map(titles.index, ("write image", "bios.apply_configuration", "make bootable"))
    assert image < setting < boot
    assert (node.raid_config["logical_disks"][0]["size_gb"], node.target_raid_config) == (10, RAID)
    assert ("HyperThreading", "Disabled") in [tuple(row) for row in rows]


async def test_the_request_goes_before_templates_and_templates_before_what_runs_by_itself(site) -> None:
    async with site(node=AVAILABLE) as s:
        async with s.database.write() as tx:
            await set_traits(tx, NODE, ["CUSTOM_FAST", "CUSTOM_OTHER"])
            for name, step in (("CUSTOM_FAST", bios("Disabled", 90)), ("CUSTOM_OTHER", raid(90))):
                template = DeployTemplate(uuid=new_uuid(), name=name, created_at=tx.now(), steps=(step,))
                await create_deploy_template(tx, template)
        info = (await s.node()).instance_info
        await s.change(instance_info=info | {"traits": ["CUSTOM_FAST"]})
        operation = await s.ask("active")
        node = await s.settled()
        assert node.driver_internal_info["fake_bios"] == {"HyperThreading": "Disabled"}
        assert "raid.apply_configuration" not in await done(s, operation)

        operation = await s.ask("rebuild", deploy_steps=[bios("Enabled", 50)])
        node = await s.settled()
        titles = await done(s, operation)
    assert (node.provision_state, node.driver_internal_info["fake_bios"]) == (
        S.ACTIVE,
        {"HyperThreading": "Enabled"},
    )
    assert titles.index("make bootable") < titles.index("bios.apply_configuration")


async def test_the_agents_own_steps_run_beside_the_image(site) -> None:
    async with site(node=AVAILABLE) as s:
        step = {"step": "inject_files", "priority": 75, "interface": "deploy"}
        s.machine.agent.known["deploy.get_deploy_steps"] = {"deploy_steps": {"m": [step]}}
        await s.ask("active")
        assert (await s.settled()).provision_state is S.ACTIVE
        given = [c["params"]["step"]["step"] for c in s.machine.commands("execute_deploy_step")]
    assert given == ["write_image", "inject_files"]


async def test_core_steps_can_be_switched_off(site) -> None:
    async with site(node=AVAILABLE) as s:
        await s.ask("active", deploy_steps=[off("write_image"), off("boot_instance")])
        node = await s.settled()
    assert (node.provision_state, s.machine.images_written, node.power_state) == (S.ACTIVE, 0, "power off")


async def test_without_the_core_step_no_ramdisk_is_booted(site) -> None:
    async with site(node=AVAILABLE) as s:
        await s.ask("active", deploy_steps=[off("deploy"), bios("Disabled", 90)])
        node = await s.settled()
    assert (node.provision_state, s.machine.boots) == (S.ACTIVE, 0)
    assert node.driver_internal_info["fake_bios"] == {"HyperThreading": "Disabled"}


async def test_a_deployment_without_an_agent_runs_its_drivers_step(site) -> None:
    node = AVAILABLE | {"deploy_interface": "fake"}
    async with site(node=node, fake={"deploy_delay": "0.05"}) as s:
        unknown = {"interface": "deploy", "step": "polish", "args": {}, "priority": 50}
        operation = await s.ask("active", deploy_steps=[unknown])
        node = await s.settled()
        assert (node.provision_state, node.last_error) == (S.ACTIVE, None)
        assert "deploy.deploy" in await done(s, operation)


@pytest.mark.parametrize(
    ("step", "priority"),
    [("reboot", 110), ("power_on", 110), ("reboot", 35), ("reboot", 25), ("power_on", 25)],
)
async def test_before_and_after_the_ramdisk_the_machine_is_started_without_it(site, step, priority) -> None:
    async with site(node=AVAILABLE) as s:
        start = {"interface": "power", "step": step, "args": {}, "priority": priority}
        await s.ask("active", deploy_steps=[start])
        node = await s.settled()
    assert (node.provision_state, node.last_error, node.power_state) == (S.ACTIVE, None, "power on")
    assert (s.machine.boots, node.driver_internal_info["fake_boot"]) == (1, {"from": "disk"})
    assert "agent_secret_token" not in node.driver_internal_info


async def test_a_reboot_while_the_ramdisk_is_at_work_boots_it_again(site) -> None:
    async with site(node=AVAILABLE) as s:
        reboot = {"interface": "power", "step": "reboot", "args": {}, "priority": 70}
        await s.ask("active", deploy_steps=[reboot])
        node = await s.settled()
    assert (node.provision_state, node.last_error, s.machine.boots) == (S.ACTIVE, None, 2)
    assert node.driver_internal_info["fake_boot"] == {"from": "disk"}


async def test_an_unknown_step_fails_once_the_agent_has_told_what_there_is(site) -> None:
    async with site(node=AVAILABLE) as s:
        step = {"interface": "deploy", "step": "polish", "args": {}, "priority": 50}
        await s.ask("active", deploy_steps=[step])
        node = await s.settled()
    assert node.provision_state is S.DEPLOY_FAILED
    assert "deploy.polish" in node.last_error


async def test_a_held_deployment_can_be_released_or_aborted(site) -> None:
    hold = {"interface": "deploy", "step": "hold", "args": {}, "priority": 70}
    async with site(node=AVAILABLE) as s:
        await s.ask("active", deploy_steps=[hold])
        node = await s.reached("deploy hold")
        assert (node.target_provision_state, s.machine.images_written) == (S.ACTIVE, 1)
        await s.ask("unhold")
        assert (await s.settled()).provision_state is S.ACTIVE

        await s.ask("rebuild", deploy_steps=[hold])
        await s.reached("deploy hold")
        await s.ask("abort")
        node = await s.settled()
    assert (node.provision_state, node.last_error) == (S.DEPLOY_FAILED, "deploy was aborted")
    assert node.driver_internal_info["fake_power"] == "power off"


async def test_the_lease_of_an_instance_ends_with_it(site) -> None:
    async with site(node=AVAILABLE) as s:
        info = (await s.node()).instance_info
        await s.change(instance_info=info | {"project_id": "p1"})
        await s.ask("active")
        assert (await s.settled()).lessee == "p1"
        await s.ask("deleted")
        node = await s.settled()
    assert (node.lessee, "automatic_lessee" in node.driver_internal_info) == (None, False)


async def test_a_lease_that_was_there_before_outlives_the_instance(site) -> None:
    async with site(node=AVAILABLE | {"lessee": "p2"}) as s:
        info = (await s.node()).instance_info
        await s.change(instance_info=info | {"project_id": "p1"})
        await s.ask("active")
        await s.settled()
        await s.ask("deleted")
        assert (await s.settled()).lessee == "p2"
