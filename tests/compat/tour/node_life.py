"""The life of a node: every verb, and power."""

import json

from compat.tour.guide import Guide

HOLD = {"interface": "deploy", "step": "hold"}
DISKS = {"logical_disks": [{"size_gb": 100, "raid_level": "1", "is_root_volume": True}]}
FACTORY_RESET = {"interface": "bios", "step": "factory_reset"}


def deployment(guide: Guide) -> None:
    """From enrolment to an instance, to the rescue, and back."""
    guide.enrol("alive")
    for verb, state in (("manage", "manageable"), ("inspect", "manageable"), ("provide", "available")):
        assert guide.goes(verb, "alive", state)["last_error"] is None
    steps = json.dumps([{**FACTORY_RESET, "args": {}, "priority": 95}])
    drive = json.dumps({"meta_data": {"hostname": "h"}})
    node = guide.goes("deploy", "alive", "active", "--deploy-steps", steps, "--config-drive", drive)
    assert (node["power_state"], node["instance_info"]["configdrive"]) == ("power on", "******")
    assert guide.goes("rebuild", "alive", "active")["last_error"] is None
    guide.refused("node rescue alive --rescue-password ''", why="must not be empty")
    guide.goes("rescue", "alive", "rescue", "--rescue-password", "hush")
    assert guide.goes("unrescue", "alive", "active")["power_state"] == "power on"
    guide.goes("service", "alive", "active", "--service-steps", json.dumps([FACTORY_RESET]))
    guide.do("node set alive --protected --protected-reason mine")
    guide.refused("node undeploy alive", why="protected")
    guide.do("node unset alive --protected")
    node = guide.goes("undeploy", "alive", "available")
    assert (node["instance_info"], node["last_error"]) == ({}, None)
    guide.goes("manage", "alive", "manageable")
    guide.do("node delete alive")


def adoption(guide: Guide) -> None:
    guide.enrol("adopted", "--driver-info a=b")
    guide.goes("manage", "adopted", "manageable")
    guide.do(
        "node set adopted --instance-info image_source=http://images.test/i --instance-info capabilities={}"
    )
    assert guide.goes("adopt", "adopted", "active")["last_error"] is None
    guide.goes("undeploy", "adopted", "available")
    guide.do("node delete adopted")


def cleaning(guide: Guide) -> None:
    """By hand: held, released, aborted; a step that no interface has."""
    guide.enrol("cleaned")
    guide.goes("manage", "cleaned", "manageable")
    held = json.dumps([HOLD, FACTORY_RESET])
    node = guide.goes("clean", "cleaned", "clean hold", "--clean-steps", held)
    assert node["clean_step"]["step"] == "hold"
    assert guide.goes("unhold", "cleaned", "manageable")["last_error"] is None
    guide.goes("clean", "cleaned", "clean hold", "--clean-steps", held)
    assert "aborted" in guide.goes("abort", "cleaned", "clean failed")["last_error"]
    guide.goes("manage", "cleaned", "manageable")
    unknown = json.dumps([{"interface": "deploy", "step": "polish"}])
    assert "polish" in guide.goes("clean", "cleaned", "clean failed", "--clean-steps", unknown)["last_error"]
    guide.do("node maintenance unset cleaned")
    guide.goes("manage", "cleaned", "manageable")
    guide.refused("node deploy cleaned", why="can not be performed")
    guide.do("node delete cleaned")


def raid(guide: Guide) -> None:
    """Disks are bundled as was written down, by cleaning."""
    guide.enrol("bundled")
    guide.goes("manage", "bundled", "manageable")
    guide.do("node set bundled --target-raid-config", json.dumps(DISKS))
    assert guide.node("bundled")["target_raid_config"] == DISKS
    create = {"interface": "raid", "step": "create_configuration"}
    node = guide.goes("clean", "bundled", "manageable", "--clean-steps", json.dumps([create]))
    assert node["raid_config"]["logical_disks"] == [{**DISKS["logical_disks"][0], "volume_id": "fake-1"}]
    guide.do("node unset bundled --target-raid-config")
    assert guide.node("bundled")["target_raid_config"] == {}
    guide.refused("node set bundled --target-raid-config", "[1]", why="object")
    guide.do("node delete bundled")


def power(guide: Guide) -> None:
    guide.enrol("powered")
    for command, state in (
        ("power on", "power on"), ("reboot", "power on"), ("reboot --soft", "power on"),
        ("power off --soft", "power off"), ("power on --power-timeout 30", "power on"),
        ("power off", "power off"),
    ):  # fmt: skip
        guide.do(f"node {command} powered")
        assert guide.reaches("powered", power_state=state)["last_error"] is None
    guide.do("node set powered --disable-power-off")
    guide.refused("node power off powered", why="must not be powered off")
    guide.do("node delete powered")


def boot_device(guide: Guide) -> None:
    guide.enrol("booted")
    guide.do("node boot device set booted pxe --persistent")
    assert guide.say("node boot device show booted") == {"boot_device": "pxe", "persistent": True}
    assert "cdrom" in guide.say("node boot device show booted --supported")["supported_boot_devices"]
    guide.do("node inject nmi booted")
    guide.do("node delete booted")


def machine(guide: Guide) -> None:
    """How the machine boots, and its console."""
    guide.enrol("set-up")
    guide.goes("manage", "set-up", "manageable")
    guide.do("node boot mode set set-up bios")
    guide.reaches("set-up", boot_mode="bios")
    guide.do("node boot mode set set-up uefi")
    guide.reaches("set-up", boot_mode="uefi")
    guide.do("node secure boot on set-up")
    guide.reaches("set-up", secure_boot=True)
    guide.do("node secure boot off set-up")
    guide.reaches("set-up", secure_boot=False)
    assert guide.say("node console show set-up") == {"console_enabled": False, "console_info": None}
    guide.do("node console enable set-up")
    guide.reaches("set-up", console_enabled=True)
    assert guide.say("node console show set-up")["console_info"]["type"] == "fake"
    guide.do("node console disable set-up")
    guide.reaches("set-up", console_enabled=False)
    guide.do("node delete set-up")
