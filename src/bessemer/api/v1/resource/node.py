"""Nodes: list, show, create, change, delete, maintenance."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from bessemer.api.v1 import show
from bessemer.api.v1.call import Answer, Call, empty, ok
from bessemer.api.v1.page import page, selection
from bessemer.api.v1.patch import Patch
from bessemer.api.v1.redaction import Redaction
from bessemer.api.v1.route import OPEN, PatchOf, Route
from bessemer.api.v1.table import action
from bessemer.api.v1.table import node as table
from bessemer.api.v1.table.chassis import CHASSIS
from bessemer.api.v1.table.node import NODE, NODE_STATES
from bessemer.api.v1.version import Behaviour
from bessemer.api.v1.view import Computed, Selection, View, view
from bessemer.config.settings import ApiSettings
from bessemer.domain.node import Node
from bessemer.domain.provision import ProvisionState
from bessemer.kernel.error import InvalidValue, NotFound
from bessemer.service.node_access import SEE
from bessemer.service.node_field import FieldChange, Sight, change_rules, revealed
from bessemer.service.services import Services
from bessemer.store.node_list import NodeFilter

FAULTS = ("power failure", "clean failure", "rescue abort failure", "service failure")


class NodeApi:
    def __init__(self, services: Services, settings: ApiSettings) -> None:
        self._nodes = services.nodes
        self._traits = services.traits
        self._conductors = services.conductors
        self._chassis = services.chassis
        self._most = settings.max_limit

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/nodes", self.list, rule="baremetal:node:list", query=table.LIST),
            Route("POST", "/nodes", self.create, rule="baremetal:node:create", body=NODE.creation),
            Route("PATCH", "/nodes", self.without_ident, rule=OPEN),
            Route("DELETE", "/nodes", self.without_ident, rule=OPEN),
            Route(
                "GET", "/nodes/detail", self.list_detail, rule="baremetal:node:list", query=table.LIST_DETAIL
            ),
            Route("GET", "/nodes/{node}", self.get, rule="baremetal:node:get", query=table.GET),
            Route(
                "PATCH",
                "/nodes/{node}",
                self.update,
                rule="baremetal:node:update",
                query=table.PATCH,
                body=PatchOf(NODE),
            ),
            Route("DELETE", "/nodes/{node}", self.delete, rule="baremetal:node:delete"),
            Route(
                "GET",
                "/nodes/{node}/{field}",
                self.get_one_field,
                rule="baremetal:node:get",
                since=action.ONE_FIELD_SINCE,
            ),
            Route("GET", "/nodes/{node}/states", self.get_states, rule="baremetal:node:get_states"),
            Route(
                "GET",
                "/nodes/{node}/children",
                self.list_children,
                rule="baremetal:node:get",
                since=action.CHILDREN_SINCE,
            ),
            Route(
                "PUT",
                "/nodes/{node}/maintenance",
                self.set_maintenance,
                rule="baremetal:node:set_maintenance",
                body=action.MAINTENANCE,
            ),
            Route(
                "DELETE",
                "/nodes/{node}/maintenance",
                self.clear_maintenance,
                rule="baremetal:node:clear_maintenance",
            ),
            Route(
                "GET",
                "/chassis/{chassis}/nodes",
                self.list_of_chassis,
                rule="baremetal:node:list",
                query=table.LIST,
            ),
            Route(
                "GET",
                "/chassis/{chassis}/nodes/detail",
                self.list_detail_of_chassis,
                rule="baremetal:node:list",
                query=table.LIST_DETAIL,
            ),
        ]

    async def list(self, call: Call) -> Answer:
        return await self._list(call, selection(NODE, call), {})

    async def list_detail(self, call: Call) -> Answer:
        return await self._list(call, "all", {})

    async def list_of_chassis(self, call: Call) -> Answer:
        return await self._list(call, selection(NODE, call), await self._of_chassis(call))

    async def list_detail_of_chassis(self, call: Call) -> Answer:
        return await self._list(call, "all", await self._of_chassis(call))

    async def get(self, call: Call) -> Answer:
        shown, ident = show.full(NODE, call, revealed(call.caller)), show.ident(call, NODE)
        if "traits" in shown.computed:
            node, traits = await self._nodes.get_with_traits(call.caller, ident)
            return await self._one(call, shown, node, traits)
        return await self._one(call, shown, await self._nodes.get(call.caller, ident))

    async def get_one_field(self, call: Call) -> Answer:
        """A path that is no resource names a field. Raises InvalidValue when it is none."""
        call.query = {"fields": [call.params["field"]]}
        return await self.get(call)

    async def create(self, call: Call) -> Answer:
        is_new = call.version.has(Behaviour.NODES_START_IN_ENROLL)
        state = ProvisionState.ENROLL if is_new else ProvisionState.AVAILABLE
        node = await self._nodes.create(call.caller, call.body, state=state)
        return await self._one(call, show.full(NODE, call, revealed(call.caller)), node, (), status=201)

    async def update(self, call: Call) -> Answer:
        patch: Patch = call.body
        changes = (FieldChange(op.root.name, op.value, op.op == "remove") for op in patch.ops)
        node = await self._nodes.update(
            call.caller.asking(*change_rules(changes)),
            show.ident(call, NODE),
            lambda node: patch.apply(lambda name: getattr(node, name)),
            reset_interfaces=call.query.get("reset_interfaces", False),
            is_only_leaving=patch.removes_only("instance_uuid"),
            refuse_while_inspecting=call.version.has(Behaviour.INSPECTION_REFUSES_UPDATES),
        )
        return await self._one(call, view(NODE, call.version.minor, "all", revealed(call.caller)), node)

    async def delete(self, call: Call) -> Answer:
        await self._nodes.delete(call.caller, show.ident(call, NODE))
        return empty()

    async def without_ident(self, call: Call) -> Answer:
        raise InvalidValue(f"{call.method} needs a node: /v1/nodes/<uuid or name>.")

    async def get_states(self, call: Call) -> Answer:
        node = await self._nodes.get(call.caller, show.ident(call, NODE))
        shown = view(NODE_STATES, call.version.minor, "all")
        return show.one(call, shown, shown.row_of(node))

    async def list_children(self, call: Call) -> Answer:
        """UUIDs only, and one link instead of a list of links: to the list of these nodes."""
        node, children = await self._nodes.list_children(call.caller, show.ident(call, NODE))
        link = {"href": f"{call.base}/v1/nodes?parent_node={node.uuid}", "rel": "children"}
        return ok({"children": children, "links": link})

    async def set_maintenance(self, call: Call) -> Answer:
        await self._nodes.set_maintenance(call.caller, show.ident(call, NODE), call.body.get("reason"))
        return empty(202)

    async def clear_maintenance(self, call: Call) -> Answer:
        await self._nodes.clear_maintenance(call.caller, show.ident(call, NODE))
        return empty(202)

    # ------------------------------------------------------------------ inside

    async def _list(self, call: Call, chosen: Selection, more: Mapping[str, Any]) -> Answer:
        sight = Sight(call.caller)
        shown = view(NODE, call.version.minor, chosen, revealed(call.caller), is_joined=sight.is_whole)
        asked = page(NODE, call, most=self._most)
        filters = NodeFilter(**{**await self._filters(call), **more})
        redaction = Redaction(sight, shown)
        rows = redaction.rows(await self._nodes.list_rows(call.caller, redaction.columns, filters, asked))
        return show.many(
            call, shown, rows, asked, await self._computed(call, shown, [row[0] for row in rows])
        )

    async def _one(
        self, call: Call, shown: View, node: Node, traits: Sequence[str] | None = None, *, status: int = 200
    ) -> Answer:
        computed = await self._computed(call, shown, [node.uuid], traits)
        row = Redaction(Sight(call.caller), shown).row(shown.row_of(node), node.owner, node.lessee)
        return show.one(call, shown, row, computed, status=status)

    async def _computed(
        self, call: Call, shown: View, uuids: Sequence[str], traits: Sequence[str] | None = None
    ) -> Computed:
        """How to make the fields of these nodes that lie in other tables. ``traits`` if they are known."""
        computed: dict[str, Any] = {}
        if "traits" in shown.computed:
            known = None if traits is None else {uuids[0]: traits}
            computed["traits"] = (known or await self._traits.list_of(call.caller, uuids)).get
        if "conductor" in shown.computed:
            computed["conductor"] = (await self._conductors.landscape()).responsible
        return computed

    async def _filters(self, call: Call) -> dict[str, Any]:
        """The filters in the query, as the store names them. Raises InvalidValue or NotFound."""
        found = {
            name: held
            for name, held in call.query.items()
            if name not in ("fields", "detail", "limit", "marker", "sort_key", "sort_dir")
        }
        if "provision_state" in found:
            show.check_word("provision_state", found["provision_state"], list(ProvisionState))
        if "fault" in found:
            show.check_word("fault", found["fault"], FAULTS)
        if "conductor_group" in found:
            found["conductor_group"] = found["conductor_group"].lower()
        if "shard" in found:
            found["shards"] = found.pop("shard")
        if not found.get("conductor", "any"):
            del found["conductor"]
        if "chassis_uuid" in found:
            await self._chassis.get(call.caller, found["chassis_uuid"])
        if "parent_node" in found:
            with suppress(NotFound):  # which has no children
                parent = await self._nodes.get(call.caller.asking(SEE), found["parent_node"])
                found["parent_node"] = parent.uuid
        return found

    async def _of_chassis(self, call: Call) -> dict[str, Any]:
        chassis = await self._chassis.get(call.caller, show.uuid(call, CHASSIS))
        return {"chassis_uuid": chassis.uuid}
