"""The real agent makes two mirrors of two disks, and takes them away again."""

import asyncio
from typing import Any

import openstack
import pytest

pytestmark = pytest.mark.lab

MIRROR = {"size_gb": 2, "raid_level": "1", "controller": "software", "is_root_volume": True}
REST = {"size_gb": "MAX", "raid_level": "1", "controller": "software", "volume_name": "data"}


async def test_arrays_are_made_and_taken_away_in_one_cleaning_each(stages) -> None:
    stage = await stages(disk_gib=5, disk_count=2)
    operator = stage.operator()
    baremetal = openstack.connect(
        auth_type="none", baremetal_endpoint_override=stage.scene.endpoint, baremetal_api_version="1.110"
    ).baremetal
    await asyncio.to_thread(operator.enrol, "node-0")
    await asyncio.to_thread(baremetal.update_node, operator.node_id, raid_interface="agent")
    await asyncio.to_thread(operator.move, "manage", "manageable", timeout_s=60.0)
    target: dict[str, Any] = {"logical_disks": [MIRROR, REST]}
    await asyncio.to_thread(
        baremetal.put, f"/nodes/{operator.node_id}/states/raid", json=target, microversion="1.110"
    )

    async def clean(step: str) -> Any:
        steps = [{"interface": "raid", "step": step}]
        await asyncio.to_thread(operator.ask, "clean", clean_steps=steps)
        sight = await stage.until(operator.settled, f"{step} ends", timeout_s=120.0)
        assert (sight.state, sight.node.last_error) == ("manageable", None)
        return sight.node.raid_config

    made = (await clean("create_configuration"))["logical_disks"]
    assert [(disk["raid_level"], disk["device"]) for disk in made] == [("1", "/dev/md0"), ("1", "/dev/md1")]
    assert {len(disk["physical_disks"]) for disk in made} == {2}
    # Only another ramdisk shows that the arrays are on the disks: it has to find and stop them.
    assert await clean("delete_configuration") == {}
    console = stage.scene.machine.console_path.read_text(errors="replace")
    assert "RAID deleted arrays=2" in console
