"""What is there for all nodes, from drivers to allocations; and the command itself."""

import json

from compat.tour.guide import Guide, column

STEP = {"interface": "bios", "step": "factory_reset", "args": {}}


def drivers(guide: Guide) -> None:
    assert {"fake-hardware", "redfish"} <= set(column(guide.say("driver list --long"), "name"))
    shown = guide.say("driver show redfish")
    assert (shown["default_power_interface"], shown["hosts"]) == ("redfish", "compat")
    assert "redfish_address" in column(guide.say("driver property list redfish"), "property")
    raid = guide.say("driver raid property list fake-hardware")
    assert "size_gb" in column(raid, "property")
    assert guide.say("driver passthru list fake-hardware") == []
    guide.refused("driver passthru call fake-hardware zork", why="zork")
    conductors = guide.say("conductor list --long")
    assert [(row["hostname"], row["alive"]) for row in conductors] == [("compat", True)]
    assert "fake-hardware" in guide.say("conductor show compat")["drivers"]


def templates(guide: Guide) -> None:
    steps = json.dumps([{**STEP, "priority": 9}])
    uuid = guide.say("deploy template create CUSTOM_TOUR --steps", steps)["uuid"]
    guide.do("deploy template set CUSTOM_TOUR --name CUSTOM_TRIP --extra a=1 --extra b=2")
    guide.do(f"deploy template unset {uuid} --extra a")
    shown = guide.say("deploy template show CUSTOM_TRIP")
    assert (shown["extra"], shown["steps"][0]["priority"]) == ({"b": 2}, 9)
    assert uuid in column(guide.say("deploy template list --long"), "uuid")
    guide.do("deploy template delete CUSTOM_TRIP")
    guide.refused("deploy template show CUSTOM_TRIP", why="could not be found")


def runbooks(guide: Guide) -> None:
    """A runbook cleans a node that shares a trait with it."""
    uuid = guide.say("runbook create --name CUSTOM_FIX --steps", json.dumps([{**STEP, "order": 1}]))["uuid"]
    guide.do("runbook set CUSTOM_FIX --description all --public true --extra a=1")
    guide.do(f"runbook unset {uuid} --public --extra a")
    guide.do("runbook trait add CUSTOM_FIX CUSTOM_A CUSTOM_B")
    guide.do("runbook trait remove CUSTOM_FIX CUSTOM_A")
    assert column(guide.say("runbook trait list CUSTOM_FIX"), "traits") == ["CUSTOM_B"]
    shown = guide.say("runbook show CUSTOM_FIX")
    assert (shown["public"], shown["description"], shown["traits"]) == (False, "all", ["CUSTOM_B"])
    assert uuid in column(guide.say("runbook list --long"), "uuid")
    guide.enrol("fixed")
    guide.goes("manage", "fixed", "manageable")
    guide.refused("node clean fixed --runbook CUSTOM_FIX", why="trait")
    guide.do("node trait add fixed CUSTOM_B")
    assert guide.goes("clean", "fixed", "manageable", "--runbook", "CUSTOM_FIX")["last_error"] is None
    guide.do("runbook delete CUSTOM_FIX")
    guide.refused("runbook show CUSTOM_FIX", why="could not be found")
    guide.do("node delete fixed")


def inspection_rules(guide: Guide) -> None:
    uuid = guide.say(
        "inspection rule create --description 'all need one' --priority 5",
        "--actions", json.dumps([{"op": "fail", "args": {"msg": "no"}}]),
        "--conditions", json.dumps([{"op": "is-none", "args": {"value": "{node.description}"}}]),
    )["uuid"]  # fmt: skip
    guide.do(f"inspection rule set {uuid} --priority 6")
    guide.do(f"inspection rule unset {uuid} --description")
    shown = guide.say(f"inspection rule show {uuid}")
    assert (shown["priority"], shown["description"], shown["sensitive"]) == (6, None, False)
    assert uuid in column(guide.say("inspection rule list"), "uuid")
    guide.do(f"inspection rule delete {uuid}")
    guide.refused(f"inspection rule show {uuid}", why="could not be found")


def allocations(guide: Guide) -> None:
    node = guide.enrol("given", "--resource-class tour-given")["uuid"]
    guide.goes("manage", "given", "manageable")
    guide.goes("provide", "given", "available")
    made = guide.say("allocation create --resource-class tour-given --name mine --wait 60")
    assert (made["state"], made["node_uuid"]) == ("active", node)
    guide.do("allocation set mine --extra a=1 --name yours")
    guide.do("allocation unset yours --extra a")
    assert guide.say("allocation show yours")["extra"] == {}
    assert column(guide.say("allocation list --state active --node given"), "uuid") == [made["uuid"]]
    guide.do("allocation delete yours")
    assert guide.node("given")["instance_uuid"] is None
    guide.do("node delete given")


def the_command_itself(guide: Guide) -> None:
    """Help, completion, and many resources from one file."""
    assert "--resource-class" in guide.do("help node list")
    assert "allocation" in guide.do("complete")
    nodes = [{"driver": "fake-hardware", "name": "from-file"}]
    resources = guide.directory / "resources.json"
    resources.write_text(json.dumps({"chassis": [{"description": "from a file", "nodes": nodes}]}))
    guide.do(f"create {resources}")
    node = guide.node("from-file")
    assert guide.say(f"chassis show {node['chassis_uuid']}")["description"] == "from a file"
    guide.do("node delete from-file")
    guide.do(f"chassis delete {node['chassis_uuid']}")
