"""What is not for a caller is missing, in the words used of what does not exist; what is seen is refused."""

from typing import Any

import pytest

from bessemer.domain.operation import NewOperation
from fakes.persona import LESSEE, OWNER, policy_with
from fakes.policy_world import PolicyWorld

NOWHERE = "6ba7b810-9dad-41d1-80b4-00c04fd430c8"
STRANGER = "other_admin"


def plain(reply: Any, *names: str) -> str:
    """The message without the names of what it is about."""
    text = str(reply.message)
    for name in names:
        text = text.replace(name, "X")
    return text


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("DELETE", ""),
        ("GET", "/states"),
        ("GET", "/validate"),
        ("GET", "/history"),
        ("GET", "/vendor_passthru/methods"),
        ("GET", "/ports"),
        ("GET", "/volume/targets"),
        ("GET", "/allocation"),
        ("DELETE", "/allocation"),
        ("DELETE", "/maintenance"),
        ("GET", "/driver_info"),
    ],
)
@pytest.mark.parametrize("by", ["uuid", "name"])
async def test_a_node_of_others_is_as_missing_as_one_that_does_not_exist(
    stage: PolicyWorld, method: str, path: str, by: str
) -> None:
    there, nowhere = (stage.known["busy"], NOWHERE) if by == "uuid" else ("busy", "nowhere")
    replies = [
        await stage.as_(STRANGER).call(method, f"/v1/nodes/{ident}{path}") for ident in (there, nowhere)
    ]
    assert [reply.status for reply in replies] == [404, 404]
    assert plain(replies[0], there) == plain(replies[1], nowhere)


async def test_changes_of_a_hidden_node_are_answered_like_changes_of_none(stage: PolicyWorld) -> None:
    patch = [{"op": "add", "path": "/extra", "value": {}}]
    for ident in (stage.known["busy"], "busy", NOWHERE):
        assert (await stage.as_(STRANGER).patch(f"/v1/nodes/{ident}", patch)).status == 404
        body = {"target": "power on"}
        assert (await stage.as_(STRANGER).put(f"/v1/nodes/{ident}/states/power", body)).status == 404


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/v1/ports", "port"),
        ("/v1/portgroups", "group"),
        ("/v1/volume/connectors", "connector"),
        ("/v1/volume/targets", "target"),
        ("/v1/allocations", "allocation"),
    ],
)
async def test_what_is_on_a_hidden_node_is_hidden_too(stage: PolicyWorld, path: str, kind: str) -> None:
    ident = stage.known[kind]
    patch = [{"op": "add", "path": "/extra", "value": {}}]
    for uuid in (ident, NOWHERE):
        client = stage.as_(STRANGER)
        replies = [
            await client.get(f"{path}/{uuid}"),
            await client.patch(f"{path}/{uuid}", patch),
            await client.delete(f"{path}/{uuid}"),
        ]
        assert [reply.status for reply in replies] == [404, 404, 404]
        assert {plain(reply, uuid).replace("'", "") for reply in replies} == {
            plain(await client.get(f"{path}/{NOWHERE}"), NOWHERE).replace("'", "")
        }


@pytest.mark.parametrize(
    ("path", "kind"),
    [("/v1/ports", "port"), ("/v1/portgroups", "group"), ("/v1/volume/connectors", "connector")],
)
async def test_what_is_seen_is_refused_by_name_of_the_rule(stage: PolicyWorld, path: str, kind: str) -> None:
    reply = await stage.as_("lessee_reader").delete(f"{path}/{stage.known[kind]}")
    assert reply.status == 403
    rule = "volume" if kind == "connector" else "portgroup" if kind == "group" else "port"
    assert f"baremetal:{rule}:delete" in reply.message


async def test_a_runbook_of_others_is_forbidden_and_a_public_one_is_seen(stage: PolicyWorld) -> None:
    client = stage.as_("other_manager")
    assert (await client.get("/v1/runbooks/ours")).status == 403
    assert (await client.get("/v1/runbooks/nowhere")).status == 404
    assert (await client.get("/v1/runbooks/public")).status == 200
    assert (await client.delete("/v1/runbooks/public")).status == 403


async def test_rules_for_the_system_answer_403_to_projects(stage: PolicyWorld) -> None:
    for path in ("/v1/chassis", "/v1/drivers", "/v1/drivers/fake-hardware/vendor_passthru/methods"):
        assert (await stage.as_("owner_admin").get(path)).status == 403


async def test_nobody_gets_anywhere_but_to_what_is_open(stage: PolicyWorld) -> None:
    client = stage.as_("nobody")
    assert (await client.get("/v1")).status == 200
    assert (await client.get("/v1/nodes")).status == 403
    assert (await client.get("/v1/nodes/busy")).status == 404
    assert (await client.post("/v1/nodes", {"driver": "fake-hardware"})).status == 403


async def test_nothing_moves_to_a_node_that_its_mover_does_not_see(stage: PolicyWorld) -> None:
    """A node that is not there, one of another owner and one that is hidden are answered alike."""
    known = stage.known
    off = {"provision_state": "manageable", "target_provision_state": None, "power_state": "power off"}
    await stage.world.put_node(known["busy"], **off)
    hidden = await stage.made("/v1/nodes", name="hidden", driver="fake-hardware", owner=OWNER)
    said = set()
    for node in (hidden, known["foreign"], NOWHERE):
        patch = [{"op": "add", "path": "/node_uuid", "value": node}]
        reply = await stage.as_("lessee_admin").patch(f"/v1/volume/targets/{known['target']}", patch)
        assert reply.status == 400, reply.body
        said.add(plain(reply, node))
    assert len(said) == 1


async def test_children_that_are_not_for_the_caller_are_not_named(stage: PolicyWorld) -> None:
    mine = {"driver": "fake-hardware", "owner": OWNER, "parent_node": "busy"}
    await stage.made("/v1/nodes", name="child", **mine)
    leased = await stage.made("/v1/nodes", name="leased", lessee=LESSEE, **mine)
    path = "/v1/nodes/busy/children"
    assert (await stage.as_("lessee_reader").get(path)).json["children"] == [leased]
    assert len((await stage.as_("owner_reader").get(path)).json["children"]) == 2


async def test_operations_are_as_hidden_as_their_node(stage: PolicyWorld) -> None:
    still = stage.known["still"]
    reply = await stage.as_("lessee_member").put(f"/v1/nodes/{still}/states/power", {"target": "power on"})
    assert reply.status == 202
    [operation] = await stage.world.operations(still)
    for path in (f"/v2/nodes/{still}/operations", f"/v2/operations/{operation.uuid}"):
        assert (await stage.as_("lessee_reader").get(path)).status == 200
        assert (await stage.as_(STRANGER).get(path)).status == 404
    shown = await stage.as_("owner_reader").get(f"/v2/operations/{operation.uuid}")
    assert shown.json["requested_by"] == "lessee_member"


async def test_operations_are_refused_where_their_rule_says_so(stage: PolicyWorld, tmp_path: Any) -> None:
    stage.judge_by(policy_with(tmp_path, '"baremetal:operation:list": "!"'))
    assert (await stage.as_("owner_admin").get("/v2/nodes/busy/operations")).status == 403


async def test_operations_of_others_are_hidden_from_whom_the_history_is_not_for(stage: PolicyWorld) -> None:
    world, node = stage.world, stage.known["active"]
    path = f"/v2/nodes/{node}/operations"
    asked = {}
    for project in (OWNER, LESSEE):
        wanted = NewOperation(
            node_uuid=node, kind="clean", requested_by=f"user of {project}", project=project
        )
        async with world.database.write() as tx:
            asked[project] = (await world.gateway.enqueue(tx, wanted)).uuid
    theirs, ours = asked[OWNER], asked[LESSEE]
    for who in ("owner_reader", "system_reader", ""):
        listed = (await stage.as_(who).get(path)).json["operations"]
        assert [one["uuid"] for one in listed] == [ours, theirs]
        assert (await stage.as_(who).get(f"/v2/operations/{theirs}")).status == 200
    lessee = stage.as_("lessee_reader")
    assert (await lessee.get(f"/v1/nodes/{node}/history")).status == 403
    listed = (await lessee.get(path)).json["operations"]
    assert [(one["uuid"], one["requested_by"]) for one in listed] == [(ours, f"user of {LESSEE}")]
    assert (await lessee.get(f"/v2/operations/{ours}")).status == 200
    assert (await lessee.get(f"{path}?marker={ours}")).json == {"operations": []}
    for hidden, none in (
        (f"/v2/operations/{theirs}", f"/v2/operations/{NOWHERE}"),
        (f"{path}?marker={theirs}", f"{path}?marker={NOWHERE}"),
    ):
        replies = [await lessee.get(hidden), await lessee.get(none)]
        assert [reply.status for reply in replies] == [404, 404]
        words = [reply.json["error"]["message"] for reply in replies]
        assert words[0].replace(theirs, "") == words[1].replace(NOWHERE, "")


async def test_posting_something_for_a_node_does_not_tell_strangers_whether_it_exists(
    stage: PolicyWorld,
) -> None:
    there = stage.known["busy"]
    bodies: dict[str, dict[str, Any]] = {
        "/v1/ports": {"address": "52:54:00:00:00:99"},
        "/v1/portgroups": {},
        "/v1/volume/connectors": {"type": "iqn", "connector_id": "iqn.x"},
    }
    for path, body in bodies.items():
        replies = [
            await stage.as_(STRANGER).post(path, {**body, "node_uuid": ident}) for ident in (there, NOWHERE)
        ]
        assert replies[0].status == replies[1].status
        assert plain(replies[0], there) == plain(replies[1], NOWHERE)
    for path, body in bodies.items():
        reply = await stage.as_("system_admin").post(path, {**body, "node_uuid": NOWHERE})
        assert reply.status == 400
