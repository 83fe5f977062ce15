"""For every rule and every persona: the verdict over HTTP is the one of the contract's table."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from bessemer.domain.operation import NewOperation
from bessemer.policy.rule import RULES
from fakes.api_client import Reply
from fakes.canary import WATCH
from fakes.persona import policy_with
from fakes.policy_world import STEP, PolicyWorld, restore

SEE = "baremetal:node:get"
DEFAULTS = {rule.name: rule.check_str for rule in RULES}
NOBODY, EVERYBODY = "!", ""


def is_let_in(reply: Reply) -> bool:
    return reply.status not in (403, 404)


@dataclass(frozen=True)
class Request:
    """What reaches one rule.

    ``opened`` are rules on the way that let everybody pass, ``closed`` those that would let some in by
    another door; ``by_way_of`` is one that is made to ask the rule, which guards nothing itself.
    """

    method: str
    path: str
    body: Any = None
    opened: tuple[str, ...] = ()
    closed: tuple[str, ...] = ()
    by_way_of: str = ""
    passes: Callable[[Reply], bool] = is_let_in
    options: Mapping[str, Any] = field(default_factory=dict)

    def policy_text(self, rule: str, check: str | None = None) -> str:
        """The policy to judge by: ``rule`` is its default, or ``check``."""
        lines = {
            rule: DEFAULTS[rule] if check is None else check,
            **dict.fromkeys(self.opened, ""),
            **dict.fromkeys(self.closed, "!"),
        }
        if self.by_way_of:
            lines[self.by_way_of] = f"rule:{rule}"
        return "\n".join(f'"{name}": "{check}"' for name, check in lines.items())


def on_node(method: str, path: str, body: Any = None, **more: Any) -> Request:
    """Something done with the node that is being cleaned: nothing comes of it, whoever asks."""
    opened = (SEE, *more.pop("opened", ()))
    return Request(method, f"/v1/nodes/{{busy}}{path}", body, opened=opened, **more)


def below_node(method: str, path: str, body: Any = None, **more: Any) -> Request:
    return Request(method, path, body, opened=(SEE,), **more)


def change(name: str, value: Any = None) -> Request:
    return on_node("PATCH", "", [{"op": "add", "path": f"/{name}", "value": value}])


def shows(text: str) -> Callable[[Reply], bool]:
    return lambda reply: reply.status == 200 and text in reply.body.decode()


def lists(path: str, name: str, rule: str) -> Request:
    """A list in which those who pass see what is a stranger's."""
    return Request("GET", path, opened=(rule,), passes=shows(name))


def aside(rule: str) -> Request:
    """A rule that guards nothing by itself, asked by way of another: on a node, an allocation, or nothing."""
    if "allocation" in rule:
        return Request("GET", "/v1/allocations/{allocation}", by_way_of="baremetal:allocation:get")
    if "node" in rule:
        return on_node("GET", "/states", by_way_of="baremetal:node:get_states")
    return Request("GET", "/v1/shards", by_way_of="baremetal:shards:get")


ASIDE = (
    "admin_api", "public_api", "service_role", "is_member", "is_observer", "is_admin", "is_node_owner",
    "is_node_lessee", "is_allocation_owner", "baremetal:inspection_rule:list_all",
)  # fmt: skip
EVENT = {
    "event": "network.delete_port",
    "port_id": "6ba7b810-9dad-41d1-80b4-00c04fd430c8",
    "mac_address": "52:54:00:00:00:00",
    "status": "DELETED",
}
PATCH_NOTE = [{"op": "add", "path": "/extra", "value": {}}]
PORT = {"node_uuid": "{busy}", "address": "52:54:00:00:00:00"}
GROUP = {"node_uuid": "{busy}", "name": "group-busy"}
CONNECTOR = {"node_uuid": "{busy}", "type": "iqn", "connector_id": "iqn.busy"}
FOUR = tuple(f"{SEE}:{name}" for name in ("last_error", "reservation", "driver_internal_info", "driver_info"))
HIDDEN = "** hidden: needs the rule"


def sees(name: str) -> Request:
    """A node that shows everybody but this field."""
    return on_node(
        "GET",
        f"?fields={name}",
        closed=(f"{SEE}:filter_threshold",),
        passes=lambda reply: reply.status == 200 and HIDDEN not in reply.body.decode(),
    )


REQUESTS: dict[str, Request] = {
    **{rule: aside(rule) for rule in ASIDE},
    "show_password": on_node("GET", "", passes=shows("hush")),
    "show_instance_secrets": on_node("GET", "", passes=shows("http://u:p@i")),
    # nodes as records
    "baremetal:node:create": Request(
        "POST", "/v1/nodes", {"driver": "none"}, closed=("baremetal:node:create:self_owned_node",)
    ),
    "baremetal:node:create:self_owned_node": Request("POST", "/v1/nodes", {"driver": "none"}),
    "baremetal:node:list": Request("GET", "/v1/nodes"),
    "baremetal:node:list_all": lists("/v1/nodes", "foreign", "baremetal:node:list"),
    SEE: Request("GET", "/v1/nodes/{busy}"),
    f"{SEE}:filter_threshold": on_node("GET", "?fields=last_error", closed=FOUR, passes=shows("it broke")),
    **{rule: sees(rule.rpartition(":")[2]) for rule in FOUR},
    **{
        f"baremetal:node:update:{name}": change(name)
        for name in (
            "driver_info",
            "properties",
            "chassis_uuid",
            "instance_uuid",
            "lessee",
            "owner",
            "network_data",
            "conductor_group",
            "name",
            "retired",
            "shard",
            "parent_node",
            "disable_power_off",
        )
    },
    "baremetal:node:update:driver_interfaces": change("power_interface", "fake"),
    "baremetal:node:update": change("description", "x"),
    "baremetal:node:update_extra": change("extra", {}),
    "baremetal:node:update_instance_info": change("instance_info", {}),
    "baremetal:node:update_owner_provisioned": Request(
        "PATCH",
        "/v1/nodes/{active}",
        [{"op": "add", "path": "/owner", "value": "somebody"}],
        opened=(SEE, "baremetal:node:update:owner"),
        passes=lambda reply: reply.status == 200,
    ),
    "baremetal:node:disable_cleaning": change("automated_clean", False),
    "baremetal:node:delete": on_node("DELETE", "", closed=("baremetal:node:delete:self_owned_node",)),
    "baremetal:node:delete:self_owned_node": on_node("DELETE", "", closed=("baremetal:node:delete",)),
    # what is done with nodes
    "baremetal:node:validate": on_node("GET", "/validate"),
    "baremetal:node:set_maintenance": on_node("PUT", "/maintenance", {}),
    "baremetal:node:clear_maintenance": on_node("DELETE", "/maintenance"),
    "baremetal:node:get_boot_device": on_node("GET", "/management/boot_device"),
    "baremetal:node:set_boot_device": on_node("PUT", "/management/boot_device", {"boot_device": "pxe"}),
    "baremetal:node:get_indicator_state": on_node("GET", "/management/indicators"),
    "baremetal:node:set_indicator_state": on_node("PUT", "/management/indicators/a@b", {"state": "ON"}),
    "baremetal:node:inject_nmi": on_node("PUT", "/management/inject_nmi", {}),
    "baremetal:node:get_states": on_node("GET", "/states"),
    "baremetal:node:set_power_state": on_node("PUT", "/states/power", {"target": "power on"}),
    "baremetal:node:set_boot_mode": on_node("PUT", "/states/boot_mode", {"target": "uefi"}),
    "baremetal:node:set_secure_boot": on_node("PUT", "/states/secure_boot", {"target": True}),
    "baremetal:node:set_provision_state": on_node("PUT", "/states/provision", {"target": "provide"}),
    **{
        f"baremetal:node:set_provision_state:{verb}_steps": on_node(
            "PUT",
            "/states/provision",
            {"target": verb, f"{verb}_steps": [STEP]},
            opened=("baremetal:node:set_provision_state",),
        )
        for verb in ("clean", "service")
    },
    "baremetal:node:set_raid_state": on_node("PUT", "/states/raid", {"target_raid_config": {}}),
    "baremetal:node:get_console": on_node("GET", "/states/console"),
    "baremetal:node:set_console_state": on_node("PUT", "/states/console", {"enabled": True}),
    "baremetal:node:vif:list": on_node("GET", "/vifs"),
    "baremetal:node:vif:attach": on_node("POST", "/vifs", {"id": "v"}),
    "baremetal:node:vif:detach": on_node("DELETE", "/vifs/v"),
    "baremetal:node:traits:list": on_node("GET", "/traits"),
    "baremetal:node:traits:set": on_node("PUT", "/traits", {"traits": []}),
    "baremetal:node:traits:delete": on_node("DELETE", "/traits"),
    "baremetal:node:bios:get": on_node("GET", "/bios"),
    "baremetal:node:history:get": on_node("GET", "/history"),
    "baremetal:node:inventory:get": on_node("GET", "/inventory"),
    "baremetal:node:firmware:get": on_node("GET", "/firmware"),
    "baremetal:node:vmedia:attach": on_node(
        "POST", "/vmedia", {"device_type": "cdrom", "image_url": "nowhere"}
    ),
    "baremetal:node:vmedia:detach": on_node("DELETE", "/vmedia"),
    "baremetal:node:vmedia:get": on_node("GET", "/vmedia"),
    "baremetal:node:vendor_passthru": on_node("GET", "/vendor_passthru/methods"),
    # what belongs to nodes
    "baremetal:port:get": below_node("GET", "/v1/ports/{port}"),
    "baremetal:port:list": Request("GET", "/v1/ports"),
    "baremetal:port:list_all": lists("/v1/ports", "52:54:00:00:00:01", "baremetal:port:list"),
    "baremetal:port:create": below_node("POST", "/v1/ports", PORT),
    "baremetal:port:update": below_node(
        "PATCH", "/v1/ports/{port}", [{"op": "add", "path": "/node_uuid", "value": "{foreign}"}]
    ),
    "baremetal:port:delete": below_node("DELETE", "/v1/ports/{port}"),
    "baremetal:portgroup:get": below_node("GET", "/v1/portgroups/{group}"),
    "baremetal:portgroup:list": Request("GET", "/v1/portgroups"),
    "baremetal:portgroup:list_all": lists("/v1/portgroups", "group-foreign", "baremetal:portgroup:list"),
    "baremetal:portgroup:create": below_node("POST", "/v1/portgroups", GROUP),
    "baremetal:portgroup:update": below_node(
        "PATCH", "/v1/portgroups/{group}", [{"op": "add", "path": "/node_uuid", "value": "{foreign}"}]
    ),
    "baremetal:portgroup:delete": below_node("DELETE", "/v1/portgroups/{group}"),
    "baremetal:volume:get": below_node("GET", "/v1/volume/connectors/{connector}"),
    "baremetal:volume:list": Request("GET", "/v1/volume/targets"),
    "baremetal:volume:list_all": lists("/v1/volume/connectors", "iqn.foreign", "baremetal:volume:list"),
    "baremetal:volume:create": below_node("POST", "/v1/volume/connectors", CONNECTOR),
    "baremetal:volume:update": below_node("PATCH", "/v1/volume/targets/{target}", PATCH_NOTE),
    "baremetal:volume:delete": below_node("DELETE", "/v1/volume/connectors/{connector}"),
    "baremetal:volume:view_target_properties": Request(
        "GET", "/v1/volume/targets/{target}", opened=(SEE, "baremetal:volume:get"), passes=shows('"lun"')
    ),
    # allocations and runbooks
    "baremetal:allocation:get": Request("GET", "/v1/allocations/{allocation}"),
    "baremetal:allocation:list": Request("GET", "/v1/allocations"),
    "baremetal:allocation:list_all": lists("/v1/allocations", "project-of-str", "baremetal:allocation:list"),
    "baremetal:allocation:create": Request("POST", "/v1/allocations", {"resource_class": "none"}),
    "baremetal:allocation:create_restricted": Request(
        "POST",
        "/v1/allocations",
        {"resource_class": "none", "owner": "somebody"},
        opened=("baremetal:allocation:create",),
    ),
    "baremetal:allocation:create_pre_rbac": Request(
        "POST",
        "/v1/allocations",
        {"resource_class": "none", "owner": "somebody"},
        opened=("baremetal:allocation:create", "baremetal:allocation:create_restricted"),
        options={"enforce_new_defaults": False},
    ),
    "baremetal:allocation:update": Request(
        "PATCH", "/v1/allocations/{allocation}", PATCH_NOTE, opened=("baremetal:allocation:get",)
    ),
    "baremetal:allocation:delete": Request(
        "DELETE", "/v1/allocations/{allocation}", opened=("baremetal:allocation:get",)
    ),
    "baremetal:runbook:get": Request("GET", "/v1/runbooks/{runbook}"),
    "baremetal:runbook:list": Request("GET", "/v1/runbooks"),
    "baremetal:runbook:list_all": lists("/v1/runbooks", "foreign", "baremetal:runbook:list"),
    "baremetal:runbook:create": Request("POST", "/v1/runbooks", {"name": "ours", "steps": [STEP]}),
    "baremetal:runbook:update": Request("PATCH", "/v1/runbooks/{runbook}", PATCH_NOTE),
    "baremetal:runbook:update:public": Request(
        "PATCH", "/v1/runbooks/{runbook}", [{"op": "add", "path": "/public", "value": False}]
    ),
    "baremetal:runbook:update:owner": Request(
        "PATCH", "/v1/runbooks/{runbook}", [{"op": "add", "path": "/owner", "value": "somebody"}]
    ),
    "baremetal:runbook:delete": Request("DELETE", "/v1/runbooks/{runbook}"),
    "baremetal:runbook:use": Request(
        "PUT",
        "/v1/nodes/{still}/states/provision",
        {"target": "clean", "runbook": "ours"},
        opened=(SEE, "baremetal:node:set_provision_state"),
    ),
    # what is no project's
    "baremetal:chassis:get": Request("GET", "/v1/chassis/{chassis}"),
    "baremetal:chassis:create": Request("POST", "/v1/chassis", {"uuid": "{chassis}"}),
    "baremetal:chassis:update": Request("PATCH", "/v1/chassis/{chassis}", PATCH_NOTE),
    "baremetal:chassis:delete": Request("DELETE", "/v1/chassis/{chassis}"),
    "baremetal:driver:get": Request("GET", "/v1/drivers"),
    "baremetal:driver:get_properties": Request("GET", "/v1/drivers/fake-hardware/properties"),
    "baremetal:driver:get_raid_logical_disk_properties": Request(
        "GET", "/v1/drivers/fake-hardware/raid/logical_disk_properties"
    ),
    "baremetal:driver:vendor_passthru": Request("GET", "/v1/drivers/fake-hardware/vendor_passthru/methods"),
    "baremetal:conductor:get": Request("GET", "/v1/conductors"),
    "baremetal:shards:get": Request("GET", "/v1/shards"),
    "baremetal:events:post": Request("POST", "/v1/events", {"events": [EVENT]}),
    "baremetal:deploy_template:get": Request("GET", "/v1/deploy_templates/{template}"),
    "baremetal:deploy_template:create": Request(
        "POST", "/v1/deploy_templates", {"name": "CUSTOM_T", "steps": []}
    ),
    "baremetal:deploy_template:update": Request("PATCH", "/v1/deploy_templates/{template}", PATCH_NOTE),
    "baremetal:deploy_template:delete": Request("DELETE", "/v1/deploy_templates/{template}"),
    "baremetal:inspection_rule:get": Request("GET", "/v1/inspection_rules/{rule}"),
    "baremetal:inspection_rule:create": Request("POST", "/v1/inspection_rules", {"actions": []}),
    "baremetal:inspection_rule:update": Request(
        "PATCH", "/v1/inspection_rules/{rule}", [{"op": "add", "path": "/description", "value": "x"}]
    ),
    "baremetal:inspection_rule:delete": Request("DELETE", "/v1/inspection_rules/{rule}"),
    # agents
    "baremetal:node:ipa_heartbeat": Request("POST", "/v1/heartbeat/{busy}", {"callback_url": "https://a"}),
    "baremetal:driver:ipa_lookup": Request("GET", "/v1/lookup?node_uuid={busy}"),
    "baremetal:driver:ipa_continue_inspection": Request("POST", "/v1/continue_inspection", {"inventory": {}}),
}
#: Rules of ours, which the table does not know, and who passes them.
OURS = {
    "baremetal:operation:list": Request("GET", "/v2/nodes/{busy}/operations", opened=(SEE,)),
    "baremetal:operation:get": Request("GET", "/v2/operations/{operation}", opened=(SEE,)),
}
LET_IN_TO_OURS = frozenset(
    ["sa", "sm", "sr", "ss", "oa", "og", "om", "or", "os", "la", "lg", "lm", "lr", "es"]
)


def read_table() -> tuple[dict[str, str], dict[str, frozenset[str]]]:
    """The personas by their initials, and for each rule the initials of those it lets pass."""
    personas: dict[str, str] = {}
    verdicts: dict[str, frozenset[str]] = {}
    for line in Path(__file__).with_name("verdicts.txt").read_text().splitlines():
        name, *words = line.split() or ["#"]
        if name == "personas:":
            personas = dict(word.split("=") for word in words)
        elif not name.startswith("#"):
            verdicts[name] = frozenset(personas if words == ["all"] else () if words == ["none"] else words)
    return personas, verdicts


PERSONAS, VERDICTS = read_table()


def test_the_table_and_the_requests_cover_every_rule() -> None:
    assert len(VERDICTS) == 133
    assert len(PERSONAS) == 20
    assert VERDICTS.keys() == REQUESTS.keys() == DEFAULTS.keys() - OURS.keys()


async def test_every_verdict_over_http_is_that_of_the_table_and_every_rule_lets_in_and_refuses(
    stage: PolicyWorld, tmp_path: Path
) -> None:
    stage.known["operation"] = await an_operation(stage)
    expected = {**VERDICTS, **dict.fromkeys(OURS, LET_IN_TO_OURS)}
    requests = {**REQUESTS, **OURS}
    seen: dict[str, set[bool]] = {}
    wrong: list[str] = []
    for rule, request in requests.items():
        found = await verdicts(stage, tmp_path, rule, request)
        seen[rule] = set(found.values())
        wrong += [
            f"{rule}: {PERSONAS[initials]} {'is let in' if passes else 'is refused'}, not so in the table"
            for initials, passes in found.items()
            if passes != (initials in expected[rule])
        ]
    count = len(requests) * len(PERSONAS)
    print(f"{len(requests)} rules x {len(PERSONAS)} personas: {count} verdicts over HTTP, {len(wrong)} wrong")
    assert not wrong, "\n".join(wrong)
    assert count == (133 + 2) * 20
    # What lets everybody in, or nobody, by default: the other way is the operator's to choose.
    one_way = {rule: ways for rule, ways in seen.items() if len(ways) < 2}
    for rule, ways in one_way.items():
        check = NOBODY if True in ways else EVERYBODY
        with WATCH.paused():  # two of these rules are about who is shown secrets
            ways |= set((await verdicts(stage, tmp_path, rule, requests[rule], check)).values())
    print(f"{len(seen)} rules exercised both ways, {len(one_way)} of them by a policy file")
    assert {rule: ways for rule, ways in seen.items() if ways != {True, False}} == {}


@pytest.mark.parametrize(
    "rule",
    [
        "baremetal:node:ipa_heartbeat",
        "baremetal:driver:ipa_lookup",
        "baremetal:driver:ipa_continue_inspection",
    ],
)
async def test_a_policy_that_refuses_agents_refuses_them_all(
    stage: PolicyWorld, tmp_path: Path, rule: str
) -> None:
    request = REQUESTS[rule]
    before = await ask(stage, request, "nobody")
    assert before.status not in (401, 403)
    stage.judge_by(policy_with(tmp_path, request.policy_text(rule, NOBODY)))
    for persona in ("nobody", "system_admin", "owner_admin"):
        reply = await ask(stage, request, persona)
        assert (reply.status, rule in reply.message) == (403, True), (persona, reply.body)


async def verdicts(
    stage: PolicyWorld, directory: Path, rule: str, request: Request, check: str | None = None
) -> dict[str, bool]:
    """Who passes the rule: as it is by default, or as ``check`` has it."""
    options = {"rbac_service_role_elevated_access": True, **request.options}
    stage.judge_by(policy_with(directory, request.policy_text(rule, check), **options))
    assert await is_reached(stage, request), f"{rule}: somebody trusted gets nowhere"
    found = {}
    for initials, persona in PERSONAS.items():
        reply = await ask(stage, request, persona)
        assert reply.status not in (401, 500), (rule, persona, reply.body)
        found[initials] = request.passes(reply)
    return found


async def an_operation(stage: PolicyWorld) -> str:
    """One of the node that is being cleaned, in nobody's way."""
    database, node = stage.world.database, stage.known["busy"]
    async with database.write() as tx:
        new = NewOperation(node_uuid=node, kind="clean", is_exclusive=False)
        return (await stage.world.gateway.enqueue(tx, new)).uuid


async def is_reached(stage: PolicyWorld, request: Request) -> bool:
    """Whether nothing but a rule refuses: otherwise refusals prove nothing."""
    return is_let_in(await ask(stage, request, ""))


async def ask(stage: PolicyWorld, request: Request, persona: str) -> Reply:
    reply = await stage.as_(persona).call(
        request.method, request.path.format(**stage.known), filled(request.body, stage.known)
    )
    if request.method != "GET" and reply.status < 300:
        await restore(stage)
    return reply


def filled(body: Any, known: Mapping[str, str]) -> Any:
    """``body`` with the names in braces replaced."""
    if isinstance(body, str):
        return body.format(**known)
    if isinstance(body, list):
        return [filled(item, known) for item in body]
    return {key: filled(value, known) for key, value in body.items()} if isinstance(body, dict) else body
