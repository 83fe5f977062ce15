"""Field by field: what owners and lessees see of a node, and what they may change."""

from pathlib import Path
from typing import Any

import pytest

from fakes.canary import WATCH
from fakes.persona import policy_with
from fakes.policy_world import PolicyWorld

HIDEABLE = ("last_error", "reservation", "driver_info", "driver_internal_info")
MASK = "******"


async def patched(stage: PolicyWorld, persona: str, *changes: tuple[str, Any]) -> int:
    """The status of one request with all of ``changes``; the node itself is free to be changed."""
    free = {"provision_state": "manageable", "target_provision_state": None}
    await stage.world.put_node(stage.known["busy"], **free)
    patch = [{"op": "add", "path": f"/{name}", "value": value} for name, value in changes]
    return (await stage.as_(persona).patch("/v1/nodes/busy", patch)).status


@pytest.mark.parametrize(
    "path", ["/v1/nodes/busy", "/v1/nodes/detail", "/v1/nodes?fields=" + ",".join(HIDEABLE)]
)
async def test_lessees_see_redactions_where_owners_see_values(stage: PolicyWorld, path: str) -> None:
    def node(reply: Any) -> Any:
        found = reply.json.get("nodes", [reply.json])
        return next(item for item in found if item.get("name", "busy") == "busy")

    seen = {
        name: node(await stage.as_(name).get(path))
        for name in ("owner_reader", "lessee_admin", "system_reader")
    }
    for name in ("owner_reader", "system_reader"):
        assert seen[name]["last_error"] == "it broke"
        assert seen[name]["driver_info"] == {"fake_password": MASK}
        assert seen[name]["reservation"] is None
    hidden = seen["lessee_admin"]
    for field in HIDEABLE:
        text = hidden[field] if isinstance(hidden[field], str) else hidden[field]["content"]
        assert f"baremetal:node:get:{field}" in text
    assert all(set(hidden[field]) == {"content"} for field in HIDEABLE[2:])


async def test_one_list_shows_what_is_owned_whole_and_what_is_leased_redacted(stage: PolicyWorld) -> None:
    stage_owner = {"owner": "project-of-strangers", "lessee": "project-of-owner"}
    await stage.made("/v1/nodes", name="leased", driver="fake-hardware", **stage_owner)
    reply = await stage.as_("owner_reader").get("/v1/nodes?fields=name,driver_info")
    shown = {node["name"]: node["driver_info"] for node in reply.json["nodes"]}
    assert shown["busy"] == {"fake_password": MASK}
    assert set(shown["leased"]) == {"content"}
    assert reply.json["nodes"][0].keys() == {"name", "driver_info", "links"}


async def test_an_answer_to_a_change_is_redacted_too(stage: PolicyWorld) -> None:
    await stage.world.put_node(stage.known["busy"], provision_state="manageable", target_provision_state=None)
    patch = [{"op": "add", "path": "/extra", "value": {"a": 1}}]
    reply = await stage.as_("lessee_member").patch("/v1/nodes/busy", patch)
    assert (reply.status, set(reply.json["driver_info"])) == (200, {"content"})


async def test_one_field_by_its_path_is_redacted_too(stage: PolicyWorld) -> None:
    reply = await stage.as_("lessee_reader").get("/v1/nodes/busy/driver_info")
    assert set(reply.json["driver_info"]) == {"content"}


@pytest.mark.parametrize("persona", ["", "system_admin", "owner_admin"])
async def test_secrets_are_masked_for_everybody(stage: PolicyWorld, persona: str) -> None:
    node = (await stage.as_(persona).get("/v1/nodes/busy")).json
    assert node["driver_info"] == {"fake_password": MASK}
    assert node["instance_info"] == {"image_url": MASK}


async def test_secrets_are_shown_only_where_their_own_rule_says_so(
    stage: PolicyWorld, tmp_path: Path
) -> None:
    stage.judge_by(policy_with(tmp_path, '"show_password": "role:admin"'))
    for path in ("/v1/nodes/busy", "/v1/nodes?fields=name,driver_info,instance_info"):
        for persona, expected in (("system_admin", "hush"), ("system_reader", MASK), ("", MASK)):
            reply = (await stage.as_(persona).get(path)).json
            node = next(node for node in reply.get("nodes", [reply]) if node["name"] == "busy")
            assert node["driver_info"] == {"fake_password": expected}
            assert node["instance_info"] == {"image_url": MASK}
    stage.judge_by(policy_with(tmp_path, '"show_instance_secrets": "@"'))
    with WATCH.paused():
        node = (await stage.as_("").get("/v1/nodes/busy")).json
    assert (node["driver_info"], node["instance_info"]) == (
        {"fake_password": MASK},
        {"image_url": "http://u:p@i"},
    )


@pytest.mark.parametrize(
    ("persona", "allowed", "refused"),
    [
        (
            "lessee_member",
            [("description", "x"), ("extra/a", 1), ("resource_class", "silver"), ("maintenance", True)],
            [("instance_info/a", 1), ("driver_info/a", 1), ("name", "x"), ("lessee", "x"), ("owner", "x")],
        ),
        (
            "lessee_admin",
            [("instance_info/a", 1), ("instance_name", "i"), ("extra/a", 1)],
            [("properties/a", 1), ("network_data", {}), ("retired", True), ("conductor_group", "x")],
        ),
        (
            "owner_member",
            [("driver_info/a", 1), ("properties/a", 1), ("lessee", "x"), ("name", "busy"), ("retired", True)],
            [("power_interface", "fake"), ("driver", "fake-hardware"), ("owner", "x"), ("shard", "x")],
        ),
        (
            "owner_admin",
            [("power_interface", "fake"), ("automated_clean", True), ("driver_info/a", 1)],
            [
                ("owner", "x"), ("conductor_group", "x"), ("shard", "x"), ("parent_node", "still"),
                ("chassis_uuid", None), ("disable_power_off", True), ("automated_clean", False),
                ("automated_clean", None), ("automated_clean", "no"),
            ],
        ),
        ("owner_reader", [], [("description", "x"), ("extra/a", 1)]),
        ("owner_service", [("driver_info/a", 1)], [("description", "x"), ("extra/a", 1)]),
    ],
)  # fmt: skip
async def test_what_each_may_change(
    stage: PolicyWorld, persona: str, allowed: list[tuple[str, Any]], refused: list[tuple[str, Any]]
) -> None:
    for name, value in allowed:
        assert await patched(stage, persona, (name, value)) == 200, name
    for name, value in refused:
        assert await patched(stage, persona, (name, value)) == 403, name


async def test_one_refused_change_refuses_the_whole_patch(stage: PolicyWorld) -> None:
    assert await patched(stage, "lessee_member", ("extra/a", 1), ("owner", "x")) == 403
    assert (await stage.world.node(stage.known["busy"])).extra == {}


async def test_taking_the_setting_of_cleaning_away_needs_no_more_than_any_change(stage: PolicyWorld) -> None:
    await patched(stage, "system_admin", ("automated_clean", False))
    patch = [{"op": "remove", "path": "/automated_clean"}]
    assert (await stage.as_("owner_member").patch("/v1/nodes/busy", patch)).status == 200


async def test_an_empty_patch_needs_the_right_to_change(stage: PolicyWorld) -> None:
    assert await patched(stage, "owner_reader") == 403
    assert await patched(stage, "owner_member") == 200


async def test_the_rule_is_asked_before_the_content_is_looked_at(stage: PolicyWorld) -> None:
    """Otherwise whoever may not change driver_info could find out what is in it."""
    for name in ("fake_password", "nothing"):
        patch = [{"op": "replace", "path": f"/driver_info/{name}/deeper", "value": 1}]
        assert (await stage.as_("lessee_admin").patch("/v1/nodes/busy", patch)).status == 403


async def test_who_may_change_the_owner_does_so_only_while_no_instance_is_on_it(stage: PolicyWorld) -> None:
    patch = [{"op": "add", "path": "/owner", "value": "x"}]
    assert (await stage.as_("system_member").patch("/v1/nodes/active", patch)).status == 409
    assert (await stage.as_("system_member").patch("/v1/nodes/still", patch)).status == 200
    assert (await stage.as_("system_admin").patch("/v1/nodes/active", patch)).status == 200


async def test_properties_of_volume_targets_are_for_those_who_pass_their_rule(stage: PolicyWorld) -> None:
    for path in (f"/v1/volume/targets/{stage.known['target']}", "/v1/volume/targets?detail=True"):
        for persona, expected in (("owner_admin", {"lun"}), ("owner_reader", {"redacted_contents"})):
            reply = (await stage.as_(persona).get(path)).json
            assert set(reply.get("targets", [reply])[0]["properties"]) == expected
