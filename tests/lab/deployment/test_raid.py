"""The real agent makes two mirrors of two disks, keeps them while disks are erased, and takes them away."""

import asyncio
from typing import Any

import openstack
import pytest

pytestmark = pytest.mark.lab

MIRROR = {"size_gb": 2, "raid_level": "1", "controller": "software", "is_root_volume": True}
REST = {"size_gb": "MAX", "raid_level": "1", "controller": "software", "volume_name": "data"}


async def enrolled(stage: Any) -> tuple[Any, Any]:
    """The operator of a manageable node with the raid interface of the agent, and the client's API."""
    operator = stage.operator()
    baremetal = openstack.connect(
        auth_type="none", baremetal_endpoint_override=stage.scene.endpoint, baremetal_api_version="1.110"
    ).baremetal
    await asyncio.to_thread(operator.enrol, "node-0")
    await asyncio.to_thread(baremetal.update_node, operator.node_id, raid_interface="agent")
    await asyncio.to_thread(operator.move, "manage", "manageable", timeout_s=60.0)
    return operator, baremetal


async def test_arrays_are_made_erased_and_taken_away_in_one_cleaning_each(stages) -> None:
    stage = await stages(disk_gib=5, disk_count=2)
    operator, baremetal = await enrolled(stage)
    target: dict[str, Any] = {"logical_disks": [MIRROR, REST]}
    await asyncio.to_thread(
        baremetal.put, f"/nodes/{operator.node_id}/states/raid", json=target, microversion="1.110"
    )

    async def clean(step: str, interface: str = "raid") -> Any:
        steps = [{"interface": interface, "step": step}]
        await asyncio.to_thread(operator.ask, "clean", clean_steps=steps)
        sight = await stage.until(operator.settled, f"{step} ends", timeout_s=120.0)
        assert (sight.state, sight.node.last_error) == ("manageable", None)
        return sight.node.raid_config

    made = (await clean("create_configuration"))["logical_disks"]
    assert [(disk["raid_level"], disk["device"]) for disk in made] == [("1", "/dev/md0"), ("1", "/dev/md1")]
    assert {len(disk["physical_disks"]) for disk in made} == {2}
    # Only another ramdisk shows that the arrays are on the disks: it has to find and stop them.
    assert (await clean("erase_devices_metadata", "deploy"))["logical_disks"] == made
    assert await clean("delete_configuration") == {}
    console = stage.scene.machine.console_path.read_text(errors="replace")
    erased = {
        line.partition("disk=")[2].split()[0] for line in console.splitlines() if "disk erased disk=" in line
    }
    assert len(erased) == 4  # two arrays, and two partitions for copies of what firmware reads
    assert "RAID deleted arrays=2" in console


async def test_a_machine_boots_from_the_copy_that_firmware_can_read(stages) -> None:
    """As far as the loader and kernel of the image: its own initramfs knows nothing of arrays."""
    stage = await stages("\n[conductor]\nautomated_clean = false\n", disk_gib=7, disk_count=2)
    operator, _ = await enrolled(stage)
    await asyncio.to_thread(operator.move, "provide", "available", timeout_s=60.0)
    drive = await asyncio.to_thread(operator.describe_instance, "raided.example")
    config = {"logical_disks": [MIRROR | {"size_gb": 5}]}
    step = {
        "interface": "raid",
        "step": "apply_configuration",
        "priority": 90,
        "args": {"raid_config": config},
    }
    since = stage.console_size()
    await asyncio.to_thread(operator.ask, "active", config_drive=drive, deploy_steps=[step])
    sight = await stage.until(operator.settled, "the deployment ends", timeout_s=150.0)
    assert (sight.state, sight.node.last_error) == ("active", None)
    assert [disk["device"] for disk in sight.node.raid_config["logical_disks"]] == ["/dev/md0"]
    machine = stage.scene.machine
    await stage.scene.lab.wait_for_console(machine, "BESSEMER-OS", 90.0, since=since)
    console = machine.console_path.read_text(errors="replace")
    assert "disk=/dev/sdb" in console
    assert console.rindex('"Bessemer" from HD(1,GPT') < console.rindex("BESSEMER-OS")
