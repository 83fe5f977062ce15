"""What is written down about a node, and what hangs on it."""

import json

from compat.tour.guide import Guide, column

INSTANCE = "6ba7b810-9dad-41d1-80b4-00c04fd430c8"
VIF = "6ba7b810-9dad-41d1-80b4-00c04fd430c9"


def fields(guide: Guide) -> None:
    """Create, show, set, unset, list, delete."""
    made = guide.enrol("written", "--property cpus=4 --extra rack=7 --resource-class tour --owner me")
    assert (made["properties"], made["extra"], made["provision_state"]) == (
        {"cpus": 4},
        {"rack": 7},
        "enroll",
    )
    assert guide.node("written") == guide.node(made["uuid"])
    guide.do(
        "node set written --driver-info redfish_password=hush --property memory_mb=1024 --lessee you "
        "--description 'rack 7' --automated-clean --retired --retired-reason old --shard s1 "
        f"--network-interface noop --conductor-group '' --instance-uuid {INSTANCE} --instance-info a=1 "
        "--instance-name web --disable-power-off"
    )
    node = guide.node("written")
    assert node["driver_info"] == {"redfish_password": "******"}
    assert node["properties"] == {"cpus": 4, "memory_mb": 1024}
    assert (node["lessee"], node["description"], node["shard"]) == ("you", "rack 7", "s1")
    assert (node["automated_clean"], node["retired"], node["retired_reason"]) == (True, True, "old")
    assert (node["instance_uuid"], node["instance_info"]["a"]) == (INSTANCE, 1)
    assert (node["instance_name"], node["disable_power_off"]) == ("web", True)
    assert guide.say(f"node show --instance {INSTANCE} --fields name owner") == {
        "name": "written",
        "owner": "me",
    }
    guide.do(
        "node unset written --driver-info redfish_password --property memory_mb --extra rack --lessee "
        "--description --automated-clean --retired --shard --instance-uuid --instance-info a --instance-name "
        "--resource-class --owner --network-interface"
    )
    node = guide.node("written")
    assert (node["driver_info"], node["properties"], node["extra"]) == ({}, {"cpus": 4}, {})
    assert [node[name] for name in ("lessee", "description", "shard", "instance_uuid", "owner")] == [None] * 5
    assert (node["automated_clean"], node["retired"]) == (None, False)
    guide.do("node set written --name renamed --enable-power-off")
    guide.do("node delete renamed")
    guide.refused("node show renamed", why="could not be found")


def lists(guide: Guide) -> None:
    """Filters, sorting, fields, pages; children and shards."""
    parent = guide.enrol("listed-a", "--resource-class listed --shard s9")
    child = guide.enrol("listed-b", f"--resource-class listed --parent-node {parent['uuid']}")
    found = guide.say("node list --resource-class listed --include-children --sort name:desc")
    assert column(found, "name") == ["listed-b", "listed-a"]
    assert column(guide.say("node list --resource-class listed"), "name") == ["listed-a"]
    assert column(guide.say("node list --shards s9 --long"), "driver") == ["fake-hardware"]
    page = guide.say("node list --resource-class listed --include-children --limit 1 --fields name conductor")
    assert page == [{"name": "listed-a", "conductor": "compat"}]
    assert guide.say("node children list listed-a") == {"children": [child["uuid"]]}
    assert {"name": "s9", "count": 1} in guide.say("shard list")
    guide.do("node delete listed-b listed-a")


def marks(guide: Guide) -> None:
    """Maintenance and traits."""
    guide.enrol("marked")
    guide.do("node maintenance set marked --reason fan")
    node = guide.node("marked")
    assert (node["maintenance"], node["maintenance_reason"]) == (True, "fan")
    guide.do("node maintenance unset marked")
    assert guide.node("marked")["maintenance"] is False
    guide.do("node trait add marked CUSTOM_A CUSTOM_B")
    guide.do("node add trait marked CUSTOM_C CUSTOM_D")
    guide.do("node trait remove marked CUSTOM_A")
    guide.do("node remove trait marked CUSTOM_C")
    assert column(guide.say("node trait list marked"), "traits") == ["CUSTOM_B", "CUSTOM_D"]
    guide.do("node trait remove --all marked")
    assert guide.say("node trait list marked") == []
    guide.do("node delete marked")


def readings(guide: Guide) -> None:
    """What verification and inspection find out; the node's history."""
    guide.enrol("read", "--property memory_mb=2048")
    guide.goes("manage", "read", "manageable")
    settings = {row["name"]: row["value"] for row in guide.say("node bios setting list read")}
    assert settings["HyperThreading"] == "Enabled"
    setting = guide.say("node bios setting show read Virtualization")
    assert (setting["name"], setting["value"]) == ("Virtualization", "Disabled")
    guide.refused("node bios setting show read Zork", why="Zork")
    assert {"bios", "bmc"} <= set(column(guide.say("node firmware list read"), "component"))
    guide.goes("inspect", "read", "manageable")
    assert guide.node("read")["properties"]["memory_mb"] == 2048
    saved = guide.directory / "inventory.json"
    guide.do(f"node inventory save read --file {saved}")
    assert json.loads(saved.read_text())["inventory"]["memory"] == {"physical_mb": 2048}
    history = guide.say("node history list read --long")
    event = guide.say(f"node history get read {history[0]['uuid']}")
    assert event["uuid"] == history[0]["uuid"]
    assert len(history) >= 4
    guide.do("node delete read")


def calls(guide: Guide) -> None:
    """Validation, virtual interfaces and vendor methods."""
    guide.enrol("called")
    verdicts = {row["Interface"]: row["Result"] for row in guide.say("node validate called")}
    assert (len(verdicts), verdicts["power"], verdicts["boot"]) == (12, True, True)
    guide.do(f"node vif attach called {VIF}")
    guide.say("node vif list called")
    guide.do(f"node vif detach called {VIF}")
    assert guide.say("node vif list called") == []
    methods = {row["Name"]: row for row in guide.say("node passthru list called")}
    assert methods["third_method_sync"]["Supported HTTP methods"] == "POST"
    answer = guide.do("node passthru call called third_method_sync --arg a=1")
    assert answer == "{'method': 'third_method_sync', 'args': {'a': 1}}\n"
    guide.refused("node passthru call called zork", why="zork")
    guide.do("node delete called")
