"""The whole API in memory, asked by personas: things of the projects of ``persona``, and of strangers."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from bessemer.api.app import create_app
from bessemer.api.v2.operation import routes as operation_routes
from bessemer.kernel.clock import Clock
from bessemer.policy.policy import Policy
from bessemer.store.database import Database
from bessemer.store.inventory import put_inventory
from bessemer.store.port import update_port
from fakes.api_client import ApiClient, Reply
from fakes.api_world import World, answering, make_world, quick_settings
from fakes.persona import LESSEE, OWNER, Masquerade, default_policy

STRANGER = "project-of-strangers"
STEP = {"interface": "raid", "step": "delete_configuration", "args": {}, "order": 1}
TEMPLATE_STEP = {"interface": "raid", "step": "delete_configuration", "args": {}, "priority": 1}


class PersonaClient(ApiClient):
    """Calls as one persona; without a name as somebody trusted."""

    def __init__(self, app: Any, name: str = "", version: str = "1.115") -> None:
        super().__init__(app, version)
        self._name = name

    async def call(
        self, method: str, path: str, body: Any = None, *, headers: Mapping[str, str] | None = None
    ) -> Reply:
        return await super().call(method, path, body, headers={"x-auth-token": self._name, **(headers or {})})


@dataclass
class PolicyWorld:
    """``known`` are the things there are, by name: fit for ``str.format`` of paths."""

    world: World
    policy: Policy
    known: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.judge_by(self.policy)

    def judge_by(self, policy: Policy) -> None:
        """Have everybody judged by other rules from now on."""
        world = self.world
        extra = operation_routes(world.services.operations, lambda request: request.state.caller)
        self.app = create_app(world.services, world.settings, extra, Masquerade(), policy)

    def as_(self, name: str = "") -> PersonaClient:
        return PersonaClient(self.app, name)

    async def made(self, path: str, **values: Any) -> str:
        """The UUID of what was made by somebody trusted."""
        reply = await self.as_().post(path, values)
        assert reply.status == 201, (path, reply.body)
        return str(reply.json["uuid"])


@asynccontextmanager
async def policy_world(
    database: Database, clock: Clock, policy: Policy | None = None, **sections: Mapping[str, Any]
) -> AsyncIterator[PolicyWorld]:
    """``sections`` change single settings."""
    world = await make_world(database, clock, settings=quick_settings(**sections))
    async with answering(world):
        yield PolicyWorld(world, policy or default_policy())


async def furnish(stage: PolicyWorld) -> None:
    """Fill a world with one of each kind of thing, most in states in which little can be done to them.

    Nodes ``busy`` (being cleaned), ``still`` (manageable), ``active`` and ``foreign`` (a stranger's).
    """
    known, ours = stage.known, {"owner": OWNER, "lessee": LESSEE}
    known["chassis"] = await stage.made("/v1/chassis")
    plain = {"driver": "fake-hardware", "resource_class": "gold"}
    secret = {"driver_info": {"fake_password": "hush"}, "instance_info": {"image_url": "http://u:p@i"}}
    for name in ("busy", "still", "active"):
        known[name] = await stage.made(
            "/v1/nodes", name=name, chassis_uuid=known["chassis"], **plain, **ours, **secret
        )
    known["foreign"] = await stage.made("/v1/nodes", name="foreign", owner=STRANGER, **plain)
    await _furnish_below(stage)
    await _furnish_beside(stage)
    world = stage.world
    heading = {"provision_state": "cleaning", "target_provision_state": "manageable"}
    await world.put_node(known["busy"], power_state="power on", last_error="it broke", **heading)
    await world.put_node(known["still"], provision_state="manageable")
    await world.put_node(known["active"], provision_state="active")
    async with world.database.write() as tx:
        await update_port(tx, known["port"], internal_info={"tenant_vif_port_id": "v"})
        await put_inventory(tx, known["busy"], inventory={}, plugin_data={})


async def _furnish_below(stage: PolicyWorld) -> None:
    known = stage.known
    for number, name in enumerate(("busy", "foreign")):
        node = {"node_uuid": known[name]}
        group = await stage.made("/v1/portgroups", name=f"group-{name}", **node)
        mac = f"52:54:00:00:00:0{number}"
        port = await stage.made("/v1/ports", address=mac, portgroup_uuid=group, **node)
        connector = await stage.made("/v1/volume/connectors", type="iqn", connector_id=f"iqn.{name}", **node)
        target = await stage.made(
            "/v1/volume/targets",
            volume_type="iscsi",
            boot_index=0,
            volume_id=name,
            properties={"lun": 1},
            **node,
        )
        made = {"group": group, "port": port, "connector": connector, "target": target}
        known.update(made if name == "busy" else {f"foreign_{kind}": uuid for kind, uuid in made.items()})


async def _furnish_beside(stage: PolicyWorld) -> None:
    known = stage.known
    await stage.world.put_node(known["busy"], provision_state="active")
    known["allocation"] = await stage.made("/v1/allocations", name="ours", node=known["busy"], owner=OWNER)
    known["foreign_allocation"] = await stage.made("/v1/allocations", resource_class="gold", owner=STRANGER)
    await restore(stage)
    known["foreign_runbook"] = await stage.made("/v1/runbooks", name="foreign", steps=[STEP], owner=STRANGER)
    known["public_runbook"] = await stage.made("/v1/runbooks", name="public", steps=[STEP], public=True)


async def restore(stage: PolicyWorld) -> None:
    """Bring back what requests may have deleted or given away."""
    known, client = stage.known, stage.as_()
    await stage.world.put_node(known["active"], owner=OWNER)
    for kind, path, values in (
        ("runbook", "/v1/runbooks", {"name": "ours", "steps": [STEP], "owner": OWNER}),
        ("template", "/v1/deploy_templates", {"name": "CUSTOM_T", "steps": [TEMPLATE_STEP]}),
        ("rule", "/v1/inspection_rules", {"actions": [{"op": "fail", "args": {"msg": "no"}}]}),
    ):
        if kind in known:
            await client.delete(f"{path}/{known[kind]}")
        known[kind] = await stage.made(path, **values)
