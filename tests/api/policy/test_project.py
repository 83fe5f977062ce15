"""What projects do by themselves: their own nodes, allocations and runbooks; steps that have rules."""

from pathlib import Path
from typing import Any

import pytest

from bessemer.store.database import Database
from fakes.clock import FakeClock
from fakes.persona import OTHER, OWNER, policy_with
from fakes.policy_world import STEP, STRANGER, PolicyWorld, policy_world

NODE = {"driver": "fake-hardware"}
UPDATE = [{"op": "add", "path": "/extra", "value": {}}]


async def test_a_project_admin_enrols_nodes_for_the_own_project_and_deletes_them(stage: PolicyWorld) -> None:
    client = stage.as_("other_admin")
    made = await client.post("/v1/nodes", {**NODE, "name": "mine"})
    assert (made.status, made.json["owner"]) == (201, OTHER)
    assert (await client.post("/v1/nodes", {**NODE, "owner": STRANGER})).status == 400
    assert (await client.post("/v1/nodes", {**NODE, "owner": OTHER})).status == 201
    assert (await stage.as_("other_manager").delete("/v1/nodes/mine")).status == 403
    assert (await client.delete("/v1/nodes/mine")).status == 204


async def test_a_project_service_enrols_nodes_and_may_not_delete_them(stage: PolicyWorld) -> None:
    made = await stage.as_("owner_service").post("/v1/nodes", {**NODE, "name": "mine"})
    assert (made.status, made.json["owner"]) == (201, OWNER)
    assert (await stage.as_("owner_service").delete("/v1/nodes/mine")).status == 403


@pytest.mark.parametrize("parent", ["foreign", "nowhere"])
async def test_a_parent_must_be_seen_by_who_names_it(stage: PolicyWorld, parent: str) -> None:
    reply = await stage.as_("other_admin").post("/v1/nodes", {**NODE, "parent_node": parent})
    assert reply.status == 400
    assert reply.message == f"The parent node '{parent}' does not exist."


async def test_projects_enrol_and_delete_nothing_where_the_operator_says_so(
    database: Database, clock: FakeClock
) -> None:
    own = {"project_admin_can_manage_own_nodes": False}
    async with policy_world(database, clock, api=own) as stage:
        await stage.made("/v1/nodes", name="mine", owner=OWNER, **NODE)
        assert (await stage.as_("owner_admin").post("/v1/nodes", NODE)).status == 403
        assert (await stage.as_("owner_admin").delete("/v1/nodes/mine")).status == 403
        assert (await stage.as_("system_admin").delete("/v1/nodes/mine")).status == 204


async def test_a_system_admin_enrols_nodes_of_anybody(stage: PolicyWorld) -> None:
    made = await stage.as_("system_admin").post("/v1/nodes", {**NODE, "owner": STRANGER})
    assert (made.status, made.json["owner"]) == (201, STRANGER)


async def test_the_service_role_reaches_further_only_where_settings_elevate_it(
    stage: PolicyWorld, tmp_path: Path
) -> None:
    client = stage.as_("elevated_service")
    assert (await client.get("/v1/nodes")).json["nodes"] == []
    stage.judge_by(policy_with(tmp_path, "", rbac_service_role_elevated_access=True))
    client = stage.as_("elevated_service")
    assert len((await client.get("/v1/nodes")).json["nodes"]) == 4
    assert (await client.get("/v1/nodes/busy")).json["driver_info"] == {"fake_password": "******"}
    assert (await stage.as_("owner_service").get("/v1/nodes/foreign")).status == 404
    renamed = {"rbac_service_role_elevated_access": True, "rbac_service_project_name": "services"}
    stage.judge_by(policy_with(tmp_path, "", **renamed))
    assert (await stage.as_("elevated_service").get("/v1/nodes")).json["nodes"] == []


async def test_an_allocation_is_asked_for_in_the_own_name(stage: PolicyWorld) -> None:
    wanted: dict[str, Any] = {"resource_class": "gold"}
    for body in (wanted, {**wanted, "owner": OTHER}):
        made = await stage.as_("other_member").post("/v1/allocations", body)
        assert (made.status, made.json["owner"]) == (201, OTHER)
    assert (await stage.as_("other_member").post("/v1/allocations", {**wanted, "owner": OWNER})).status == 403
    assert (await stage.as_("other_reader").post("/v1/allocations", wanted)).status == 403
    made = await stage.as_("system_member").post("/v1/allocations", {**wanted, "owner": OWNER})
    assert (made.status, made.json["owner"]) == (201, OWNER)


async def test_who_may_end_an_allocation_needs_no_right_on_its_node(stage: PolicyWorld) -> None:
    await stage.world.put_node(stage.known["busy"], maintenance=True)
    path = f"/v1/allocations/{stage.known['allocation']}"
    assert (await stage.as_("owner_reader").delete(path)).status == 403
    assert (await stage.as_("owner_member").delete(path)).status == 204


async def test_a_lessee_does_not_see_the_owners_allocation(stage: PolicyWorld) -> None:
    assert (await stage.as_("lessee_admin").get("/v1/nodes/busy/allocation")).status == 404
    assert (await stage.as_("owner_reader").get("/v1/nodes/busy/allocation")).status == 200


async def test_a_runbook_of_others_serves_nobody_and_a_public_one_everybody(stage: PolicyWorld) -> None:
    path = "/v1/nodes/still/states/provision"
    for runbook, expected in (("foreign", 403), ("ours", 400), ("public", 400)):
        reply = await stage.as_("owner_manager").put(path, {"target": "clean", "runbook": runbook})
        assert reply.status == expected, reply.body  # 400: none of them has a trait of the node


async def test_steps_with_a_rule_are_refused_together_by_name(stage: PolicyWorld, tmp_path: Path) -> None:
    rules = {"raid.delete_configuration": "role:admin", "bios.reset": "!"}
    text = "\n".join(f'"baremetal:step:execute:{step}": "{check}"' for step, check in rules.items())
    stage.judge_by(policy_with(tmp_path, text))
    steps = [{"interface": "raid", "step": "delete_configuration"}, {"interface": "bios", "step": "reset"}]
    free = {"interface": "deploy", "step": "erase_devices"}
    path = "/v1/nodes/still/states/provision"
    refused = await stage.as_("owner_member").put(path, {"target": "clean", "clean_steps": [*steps, free]})
    assert refused.status == 403
    assert "bios.reset" in refused.message
    assert "raid.delete_configuration" in refused.message
    assert "erase_devices" not in refused.message
    one = {"target": "clean", "clean_steps": [steps[0]]}
    assert (await stage.as_("owner_member").put(path, one)).status == 403
    assert (await stage.as_("owner_admin").put(path, one)).status == 202


async def test_steps_with_a_rule_get_into_no_runbook(stage: PolicyWorld, tmp_path: Path) -> None:
    stage.judge_by(policy_with(tmp_path, '"baremetal:step:execute:raid.delete_configuration": "role:chief"'))
    client = stage.as_("owner_manager")
    assert (await client.post("/v1/runbooks", {"name": "new", "steps": [STEP]})).status == 403
    patch = [{"op": "replace", "path": "/steps", "value": [STEP]}]
    assert (await client.patch("/v1/runbooks/ours", patch)).status == 403
    assert (await client.patch("/v1/runbooks/ours", UPDATE)).status == 200


async def test_a_policy_that_closes_the_agents_calls_closes_them(stage: PolicyWorld, tmp_path: Path) -> None:
    path = f"/v1/lookup?node_uuid={stage.known['busy']}"
    assert (await stage.as_("nobody").get(path)).status == 200
    stage.judge_by(policy_with(tmp_path, '"baremetal:driver:ipa_lookup": "!"'))
    assert (await stage.as_("nobody").get(path)).status == 403
