"""One node in the hands of one step: what drivers get to see and may change, fenced by the operation."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from bessemer.domain.node import Node
from bessemer.domain.port import Port
from bessemer.hardware.driver import Driver
from bessemer.store.database import Transaction
from bessemer.store.node import get_node, merge_node, update_node
from bessemer.store.port import list_ports_of
from bessemer.workflow.collaborators import NodeContext


class NodeTask:
    """A ``hardware.interface.Task`` whose writes are those of a running operation.

    ``save`` and ``remember`` raise FenceLost when another process has taken the operation over.
    """

    def __init__(self, context: NodeContext, node: Node, ports: Sequence[Port]) -> None:
        self._context = context
        self._node = node
        self._ports = ports
        self._driver: tuple[Node, Driver] | None = None

    @property
    def node(self) -> Node:
        return self._node

    @property
    def ports(self) -> Sequence[Port]:
        return self._ports

    @property
    def driver(self) -> Driver:
        """The interfaces chosen for the node as it is now."""
        if self._driver is None or self._driver[0] is not self._node:
            self._driver = self._node, self._context.deps.composition.driver_for(self._node)
        return self._driver[1]

    async def save(self, **changes: Any) -> None:
        async with self._context.write() as tx:
            self._node = await update_node(tx, self._node.uuid, **changes)

    def saving(self, **changes: Any) -> Callable[[Transaction], Awaitable[None]]:
        """The same as ``save``, to be done together with the step's completion (``Done.also``)."""

        async def save(tx: Transaction) -> None:
            await update_node(tx, self._node.uuid, **changes)

        return save

    async def remember(self, **facts: Any) -> None:
        async with self._context.write() as tx:
            self._node = await merge_node(tx, self._node.uuid, "driver_internal_info", facts)


async def open_task(context: NodeContext) -> NodeTask:
    """The operation's node and its ports as they are, or were a moment ago (see ``Known``)."""
    uuid = context.operation.node_uuid
    node, ports = context.known.find(uuid), context.known.find(f"ports of {uuid}")
    if node is None or ports is None:
        async with context.deps.database.read() as tx:
            node = node or await get_node(tx, uuid)
            ports = await list_ports_of(tx, uuid)
        context.known.note(uuid, node)
        context.known.note(f"ports of {uuid}", ports)
    return NodeTask(context, node, ports)
