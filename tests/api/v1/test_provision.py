"""Provision requests: what is refused, what moves at once, and which operations are started."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from bessemer.domain.operation import OperationState, PlanItem
from bessemer.domain.provision import VERBS, ProvisionState, Verb
from bessemer.domain.runbook import Runbook
from bessemer.kernel.ident import new_uuid
from bessemer.store.database import Database
from bessemer.store.operation import change_operation
from bessemer.store.runbook import create_runbook
from bessemer.store.trait import set_traits
from fakes.api_client import Reply
from fakes.api_world import World, make_world, quick_settings
from fakes.clock import FakeClock

S = ProvisionState
CLEAN_STEPS = [{"interface": "deploy", "step": "erase_devices"}]


async def ask(
    world: World, node: dict[str, Any], target: str, *, version: str = "1.115", **more: Any
) -> Reply:
    path = f"/v1/nodes/{node['uuid']}/states/provision"
    return await world.client.at(version).put(path, {"target": target, **more})


async def node_in(world: World, state: ProvisionState, **fields: Any) -> dict[str, Any]:
    node = await world.add_node(name=fields.pop("name", "n1"))
    await world.put_node(node["uuid"], provision_state=state, **fields)
    return node


async def kinds(world: World, node: dict[str, Any]) -> list[str]:
    return [operation.kind for operation in await world.operations(node["uuid"])]


@dataclass(frozen=True)
class Case:
    """A request, the state it leads to, and the operation it starts."""

    state: S
    target: str
    becomes: S
    heading: S
    kind: str
    args: dict[str, Any] = field(default_factory=dict)
    more: dict[str, Any] = field(default_factory=dict)


CLEAN = {"clean_steps": CLEAN_STEPS}
SERVICE = {"service_steps": CLEAN_STEPS}
BARE_CLEAN = {**CLEAN, "disable_ramdisk": True}


@pytest.mark.parametrize(
    "case",
    [
        Case(S.ENROLL, "manage", S.VERIFYING, S.MANAGEABLE, "verify"),
        Case(S.MANAGEABLE, "provide", S.CLEANING, S.AVAILABLE, "clean", {"automated": True}),
        Case(S.MANAGEABLE, "inspect", S.INSPECTING, S.MANAGEABLE, "inspect"),
        Case(S.INSPECT_FAILED, "inspect", S.INSPECTING, S.MANAGEABLE, "inspect"),
        Case(S.MANAGEABLE, "clean", S.CLEANING, S.MANAGEABLE, "clean", {"automated": False, **CLEAN}, CLEAN),
        Case(S.MANAGEABLE, "clean", S.CLEANING, S.MANAGEABLE, "clean", {"automated": False, **BARE_CLEAN},
             BARE_CLEAN),
        Case(S.AVAILABLE, "active", S.DEPLOYING, S.ACTIVE, "deploy", {"rebuild": False}),
        Case(S.AVAILABLE, "deploy", S.DEPLOYING, S.ACTIVE, "deploy", {"rebuild": False}),
        Case(S.DEPLOY_FAILED, "active", S.DEPLOYING, S.ACTIVE, "deploy", {"rebuild": False}),
        Case(S.ACTIVE, "rebuild", S.DEPLOYING, S.ACTIVE, "deploy", {"rebuild": True}),
        Case(S.ACTIVE, "deleted", S.DELETING, S.AVAILABLE, "tear down"),
        Case(S.ERROR, "undeploy", S.DELETING, S.AVAILABLE, "tear down"),
        Case(S.MANAGEABLE, "adopt", S.ADOPTING, S.ACTIVE, "adopt"),
        Case(S.ADOPT_FAILED, "adopt", S.ADOPTING, S.ACTIVE, "adopt"),
        Case(S.ACTIVE, "rescue", S.RESCUING, S.RESCUE, "rescue", {}, {"rescue_password": "x"}),
        Case(S.RESCUE, "unrescue", S.UNRESCUING, S.ACTIVE, "unrescue"),
        Case(S.ACTIVE, "service", S.SERVICING, S.ACTIVE, "service", SERVICE, SERVICE),
        Case(S.SERVICE_FAILED, "service", S.SERVICING, S.ACTIVE, "service", SERVICE, SERVICE),
    ],
    ids=lambda case: f"{case.target} in {case.state}",
)  # fmt: skip
async def test_a_request_moves_the_node_and_starts_its_operation_together(world: World, case: Case) -> None:
    node = await node_in(world, case.state, last_error="before")
    reply = await ask(world, node, case.target, **case.more)
    assert (reply.status, reply.body) == (202, b"")
    assert reply.headers["location"] == f"http://api.test/v1/nodes/{node['uuid']}/states"
    states = (await world.client.get(f"/v1/nodes/{node['uuid']}/states")).json
    assert (states["provision_state"], states["target_provision_state"]) == (case.becomes, case.heading)
    assert (states["last_error"], states["provision_updated_at"] is None) == (None, False)
    (operation,) = await world.operations(node["uuid"])
    assert (operation.kind, operation.args) == (case.kind, case.args)
    assert operation.state is OperationState.QUEUED
    assert operation.request_id.startswith("req-")


@pytest.mark.parametrize("state", [S.AVAILABLE, S.CLEAN_FAILED, S.INSPECT_FAILED, S.ADOPT_FAILED])
async def test_managing_a_node_that_was_verified_needs_no_work(world: World, state: S) -> None:
    node = await node_in(
        world, state, target_provision_state=S.ACTIVE, maintenance=True, fault="clean failure"
    )
    assert (await ask(world, node, "manage")).status == 202
    found = await world.node(node["uuid"])
    assert (found.provision_state, found.target_provision_state) == (S.MANAGEABLE, None)
    assert (found.maintenance, found.fault) == (True, "clean failure")
    assert await kinds(world, node) == []


@pytest.mark.parametrize("how", ["node", "setting"])
async def test_a_node_that_is_not_cleaned_is_available_at_once(
    database: Database, clock: FakeClock, how: str
) -> None:
    settings = quick_settings(conductor={"automated_clean": how == "node"})
    world = await make_world(database, clock, settings=settings)
    node = await node_in(world, S.MANAGEABLE, automated_clean=False if how == "node" else None)
    assert (await ask(world, node, "provide")).status == 202
    found = await world.node(node["uuid"])
    assert (found.provision_state, found.target_provision_state) == (S.AVAILABLE, None)
    assert await kinds(world, node) == []
    events = (await world.client.get(f"/v1/nodes/{node['uuid']}/history?detail=true")).json["history"]
    assert [event["state"] for event in events][-2:] == ["cleaning", "available"]


async def test_a_node_may_be_cleaned_where_others_are_not(database: Database, clock: FakeClock) -> None:
    world = await make_world(database, clock, settings=quick_settings(conductor={"automated_clean": False}))
    node = await node_in(world, S.MANAGEABLE, automated_clean=True)
    await ask(world, node, "provide")
    assert await kinds(world, node) == ["clean"]


@pytest.mark.parametrize("state", list(S))
async def test_every_verb_is_possible_exactly_where_the_machine_says(world: World, state: S) -> None:
    more: dict[Verb, dict[str, Any]] = {
        Verb.CLEAN: {"clean_steps": CLEAN_STEPS},
        Verb.SERVICE: {"service_steps": CLEAN_STEPS},
        Verb.RESCUE: {"rescue_password": "x"},
    }
    for verb in Verb:
        node = await node_in(world, state, name=f"n-{verb}".replace(" ", "-"))
        reply = await ask(world, node, verb, **more.get(verb, {}))
        is_possible = state in VERBS[verb].states
        if not is_possible:
            assert reply.status == 400, (state, verb, reply.body)
            assert (await world.node(node["uuid"])).provision_state is state
            assert await kinds(world, node) == []
        else:
            assert reply.status == 202, (state, verb, reply.body)


async def test_a_config_drive_is_kept_where_deployment_reads_it_and_nobody_sees_it(world: World) -> None:
    node = await node_in(world, S.AVAILABLE, instance_info={"image_source": "x"})
    drive = {"meta_data": {"hostname": "hush"}}
    assert (await ask(world, node, "active", configdrive=drive)).status == 202
    assert (await world.node(node["uuid"])).instance_info == {"image_source": "x", "configdrive": drive}
    (operation,) = await world.operations(node["uuid"])
    assert "configdrive" not in operation.args
    assert b"hush" not in (await world.client.get(f"/v1/nodes/{node['uuid']}")).body


async def test_deploy_steps_go_with_the_operation(world: World) -> None:
    node = await node_in(world, S.AVAILABLE)
    steps = [{"interface": "raid", "step": "apply_configuration", "args": {}, "priority": 90}]
    assert (await ask(world, node, "active", deploy_steps=steps)).status == 202
    (operation,) = await world.operations(node["uuid"])
    assert operation.args["deploy_steps"] == steps


@pytest.mark.parametrize(
    ("state", "target", "more"),
    [
        (S.MANAGEABLE, "clean", {}),
        (S.MANAGEABLE, "clean", {"clean_steps": []}),
        (S.MANAGEABLE, "clean", {"clean_steps": [{"interface": "deploy"}]}),
        (S.MANAGEABLE, "clean", {"clean_steps": CLEAN_STEPS, "runbook": "r"}),
        (S.MANAGEABLE, "provide", {"clean_steps": CLEAN_STEPS}),
        (S.MANAGEABLE, "provide", {"configdrive": "x"}),
        (S.MANAGEABLE, "provide", {"disable_ramdisk": True}),
        (S.MANAGEABLE, "provide", {"rescue_password": "x"}),
        (S.AVAILABLE, "deploy", {"configdrive": "x"}),
        (S.AVAILABLE, "active", {"configdrive": 5}),
        (S.AVAILABLE, "active", {"configdrive": {"zork": 1}}),
        (S.AVAILABLE, "active", {"deploy_steps": [{"interface": "raid"}]}),
        (S.ACTIVE, "rescue", {"rescue_password": ""}),
        (S.ACTIVE, "rescue", {"rescue_password": "x" * 512}),
        (S.AVAILABLE, "zork", {}),
        (S.AVAILABLE, "active", {"zork": 1}),
    ],
)
async def test_requests_that_make_no_sense_change_nothing(
    world: World, state: S, target: str, more: dict[str, Any]
) -> None:
    node = await node_in(world, state)
    reply = await ask(world, node, target, **more)
    assert reply.status == 400, reply.body
    assert (await world.node(node["uuid"])).provision_state is state
    assert await kinds(world, node) == []


@pytest.mark.parametrize(
    ("target", "state", "since", "more"),
    [
        ("manage", S.ENROLL, 4, {}), ("provide", S.MANAGEABLE, 4, {}), ("inspect", S.MANAGEABLE, 6, {}),
        ("abort", S.CLEAN_WAIT, 13, {}), ("clean", S.MANAGEABLE, 15, {"clean_steps": CLEAN_STEPS}),
        ("abort", S.INSPECT_WAIT, 41, {}), ("deploy", S.AVAILABLE, 73, {}), ("undeploy", S.ACTIVE, 73, {}),
        ("abort", S.DEPLOY_WAIT, 110, {}), ("active", S.AVAILABLE, 69, {"deploy_steps": []}),
        ("clean", S.MANAGEABLE, 70, {"clean_steps": CLEAN_STEPS, "disable_ramdisk": False}),
    ],
)  # fmt: skip
async def test_verbs_and_arguments_have_their_versions(
    world: World, target: str, state: S, since: int, more: dict[str, Any]
) -> None:
    node = await node_in(world, state)
    assert (await ask(world, node, target, version=f"1.{since - 1}", **more)).status == 406
    assert (await ask(world, node, target, version=f"1.{since}", **more)).status == 202


@pytest.mark.parametrize(
    ("state", "target", "since", "drive"),
    [
        (S.ACTIVE, "rebuild", 35, "x"),
        (S.AVAILABLE, "active", 56, {"user_data": "x"}),
        (S.AVAILABLE, "active", 59, {"vendor_data": {}}),
    ],
)
async def test_forms_of_the_config_drive_have_their_versions(
    world: World, state: S, target: str, since: int, drive: Any
) -> None:
    node = await node_in(world, state)
    assert (await ask(world, node, target, version=f"1.{since - 1}", configdrive=drive)).status == 400
    assert (await ask(world, node, target, version=f"1.{since}", configdrive=drive)).status == 202


@pytest.mark.parametrize("verb", ["adopt", "rescue", "unrescue", "unhold", "service"])
async def test_a_verb_newer_than_the_client_is_refused_before_the_state_is_looked_at(
    world: World, verb: str
) -> None:
    node = await node_in(world, S.ACTIVE)
    assert (await ask(world, node, verb, version="1.16")).status == 406


@pytest.mark.parametrize(
    ("state", "target", "status"),
    [
        (S.AVAILABLE, "active", 400), (S.AVAILABLE, "deploy", 400), (S.ACTIVE, "rebuild", 400),
        (S.MANAGEABLE, "clean", 400), (S.MANAGEABLE, "inspect", 202), (S.MANAGEABLE, "provide", 202),
        (S.ACTIVE, "deleted", 202), (S.SERVICE_FAILED, "abort", 409),
    ],
)  # fmt: skip
async def test_maintenance_stops_what_it_should(world: World, state: S, target: str, status: int) -> None:
    node = await node_in(world, state, maintenance=True)
    more = {"clean_steps": CLEAN_STEPS} if target == "clean" else {}
    assert (await ask(world, node, target, **more)).status == status


async def test_an_operator_can_stop_provisioning_in_maintenance(database: Database, clock: FakeClock) -> None:
    settings = quick_settings(conductor={"allow_provisioning_in_maintenance": False})
    world = await make_world(database, clock, settings=settings)
    node = await node_in(world, S.MANAGEABLE, maintenance=True)
    assert (await ask(world, node, "provide")).status == 400


async def test_protected_nodes_keep_their_instance_and_retired_ones_are_not_provided(world: World) -> None:
    node = await node_in(world, S.ACTIVE, protected=True)
    for target in ("rebuild", "deleted", "undeploy"):
        assert (await ask(world, node, target)).status == 403
    old = await node_in(world, S.MANAGEABLE, name="old", retired=True)
    assert (await ask(world, old, "provide")).status == 400


async def test_settings_that_cannot_work_are_refused_before_anything_starts(world: World) -> None:
    node = await world.add_node(driver="redfish", boot_interface="redfish-virtual-media")
    await world.put_node(node["uuid"], provision_state=S.MANAGEABLE)
    reply = await ask(world, node, "inspect")
    assert reply.status == 400
    assert "redfish_address" in reply.message
    plain = await world.add_node(name="plain", inspect_interface="no-inspect")
    await world.put_node(plain["uuid"], provision_state=S.MANAGEABLE)
    assert (await ask(world, plain, "inspect")).status == 400


async def test_a_deployment_by_the_agent_needs_an_image(world: World) -> None:
    node = await world.add_node(deploy_interface="direct")
    await world.put_node(node["uuid"], provision_state=S.AVAILABLE)
    reply = await ask(world, node, "active")
    assert (reply.status, "image_source" in reply.message) == (400, True)


async def waiting(world: World, node: dict[str, Any], kind: str) -> str:
    """Bring the node's operation to where it waits for the agent; its UUID."""
    (operation,) = await world.operations(node["uuid"])
    assert operation.kind == kind
    async with world.database.write() as tx:
        await change_operation(
            tx, operation.uuid, operation.fence, state=OperationState.WAITING, wait_for="agent"
        )
    return operation.uuid


async def test_abort_asks_the_waiting_operation_to_stop_and_leaves_the_state_to_it(world: World) -> None:
    node = await node_in(world, S.MANAGEABLE)
    await ask(world, node, "clean", clean_steps=CLEAN_STEPS)
    uuid = await waiting(world, node, "clean")
    await world.put_node(node["uuid"], provision_state=S.CLEAN_WAIT)
    assert (await ask(world, node, "abort")).status == 202
    (operation,) = await world.operations(node["uuid"])
    assert (operation.uuid, operation.cancel_reason) == (uuid, "aborted")
    assert (await world.node(node["uuid"])).provision_state is S.CLEAN_WAIT


async def test_abort_of_a_node_that_nothing_works_on_moves_it_at_once(world: World) -> None:
    node = await node_in(world, S.CLEAN_WAIT)
    assert (await ask(world, node, "abort")).status == 202
    assert (await world.node(node["uuid"])).provision_state is S.CLEAN_FAILED


async def test_deleting_a_waiting_deployment_cancels_it_and_queues_the_tear_down_behind_it(
    world: World,
) -> None:
    node = await node_in(world, S.AVAILABLE)
    await ask(world, node, "active")
    uuid = await waiting(world, node, "deploy")
    await world.put_node(node["uuid"], provision_state=S.DEPLOY_WAIT, target_provision_state=S.ACTIVE)
    assert (await ask(world, node, "deleted")).status == 202
    by_kind = {operation.kind: operation for operation in await world.operations(node["uuid"])}
    assert by_kind["deploy"].uuid == uuid
    assert by_kind["deploy"].cancel_reason == "deleted"
    assert by_kind["tear down"].state is OperationState.QUEUED
    assert (await world.node(node["uuid"])).provision_state is S.DELETING


async def test_a_missing_node_is_missing_before_anything_else(world: World) -> None:
    reply = await world.client.put("/v1/nodes/none/states/provision", {"target": "active"})
    assert reply.status == 404


async def test_the_location_names_the_node_as_the_client_did(world: World) -> None:
    await node_in(world, S.ENROLL, name="called-so")
    reply = await world.client.put("/v1/nodes/called-so/states/provision", {"target": "manage"})
    assert reply.headers["location"] == "http://api.test/v1/nodes/called-so/states"


async def test_nothing_but_a_hash_of_a_rescue_password_is_kept_and_nobody_sees_it(world: World) -> None:
    node = await node_in(world, S.ACTIVE)
    assert (await ask(world, node, "rescue", rescue_password="very secret")).status == 202
    info = (await world.node(node["uuid"])).instance_info
    assert set(info) == {"hashed_rescue_password"}
    assert info["hashed_rescue_password"].startswith("$5$")
    (operation,) = await world.operations(node["uuid"])
    assert operation.args == {}
    assert (
        info["hashed_rescue_password"].encode()
        not in (await world.client.get(f"/v1/nodes/{node['uuid']}")).body
    )


async def test_releasing_a_held_node_only_moves_it(world: World) -> None:
    node = await node_in(world, S.CLEAN_HOLD)
    assert (await ask(world, node, "unhold")).status == 202
    assert (await world.node(node["uuid"])).provision_state is S.CLEAN_WAIT
    assert await kinds(world, node) == []


async def test_aborting_a_failed_servicing_starts_the_way_back_to_the_instance(world: World) -> None:
    node = await node_in(world, S.SERVICE_FAILED)
    assert (await ask(world, node, "abort")).status == 202
    assert await kinds(world, node) == ["service abort"]


async def test_steps_that_need_the_ramdisk_are_refused_without_it(world: World) -> None:
    node = await node_in(world, S.MANAGEABLE)
    steps = [{"interface": "raid", "step": "delete_configuration"}]
    reply = await ask(world, node, "clean", clean_steps=steps, disable_ramdisk=True)
    assert (reply.status, "needs the ramdisk" in reply.message) == (400, True)


async def test_a_runbook_stands_for_its_steps_on_nodes_that_share_a_trait(world: World) -> None:
    node = await node_in(world, S.MANAGEABLE)
    step = {"interface": "deploy", "step": "erase_devices", "args": {}}
    async with world.database.write() as tx:
        runbook = Runbook(
            uuid=new_uuid(), name="CUSTOM_WIPE", created_at=tx.now(), steps=({**step, "order": 1},)
        )
        await create_runbook(tx, runbook)
    assert (await ask(world, node, "clean", runbook="nobody")).status == 404
    assert (await ask(world, node, "clean", runbook="CUSTOM_WIPE")).status == 400
    async with world.database.write() as tx:
        await set_traits(tx, node["uuid"], ["CUSTOM_WIPE"])
    reply = await ask(world, node, "clean", runbook="CUSTOM_WIPE", clean_steps=CLEAN_STEPS)
    assert reply.status == 400
    assert (await ask(world, node, "clean", runbook="CUSTOM_WIPE")).status == 202
    (operation,) = await world.operations(node["uuid"])
    assert operation.args == {"automated": False, "clean_steps": [step]}


async def test_the_project_of_an_instance_leases_its_node(world: World) -> None:
    node = await node_in(world, S.AVAILABLE, instance_info={"project_id": "p1"})
    assert (await ask(world, node, "active")).status == 202
    found = await world.node(node["uuid"])
    assert (found.lessee, found.driver_internal_info["automatic_lessee"]) == ("p1", True)


async def test_a_node_without_the_traits_that_an_instance_wants_is_not_deployed(world: World) -> None:
    node = await node_in(world, S.AVAILABLE, instance_info={"traits": ["CUSTOM_FAST"]})
    reply = await ask(world, node, "active")
    assert (reply.status, "CUSTOM_FAST" in reply.message) == (400, True)


async def test_a_step_that_is_not_abortable_is_marked_to_be_the_last(world: World) -> None:
    node = await node_in(world, S.MANAGEABLE)
    await ask(world, node, "clean", clean_steps=CLEAN_STEPS)
    uuid = await waiting(world, node, "clean")
    step = {"interface": "deploy", "step": "erase_devices", "abortable": False}
    async with world.database.write() as tx:
        item = PlanItem("clean step, not to be aborted", {"hardware_step": step})
        await change_operation(tx, uuid, 0, plan=(item,))
    await world.put_node(node["uuid"], provision_state=S.CLEAN_WAIT, clean_step=step)
    assert (await ask(world, node, "abort")).status == 202
    assert (await world.node(node["uuid"])).clean_step == {**step, "abort_after": True}
