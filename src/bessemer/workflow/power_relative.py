"""Parents and children: a child is on only while its parent is, so their power changes in that order.

Source: v1 contract, power.side_effects.
"""

from bessemer.domain.node import Node
from bessemer.domain.operation import Operation
from bessemer.domain.power import PowerState, PowerTarget
from bessemer.engine.gateway import Gateway
from bessemer.engine.workflow import OnInterrupt
from bessemer.store.node import get_node, list_child_nodes
from bessemer.workflow.collaborators import NodeContext, NodeStep
from bessemer.workflow.other_node import are_done, begin
from bessemer.workflow.task import open_task


def relatives_first(gateway: Gateway) -> NodeStep:
    """A step that switches the children off before their parent, or the parent on before a child."""

    async def run(context: NodeContext) -> None:
        task = await open_task(context)
        target = PowerTarget(context.operation.args["target"])
        if target.result is PowerState.ON:
            relatives = await _parent_that_is_off(context, task.node)
        else:
            relatives = await _children_that_are_on(context, task.node)
        args = {"target": target.result.value, "timeout": None}
        await begin(context, gateway, [(node, "power", args) for node in relatives])

    def is_needed(operation: Operation) -> bool:
        return bool(operation.args.get("relatives_first"))

    return NodeStep("power of relatives", run, OnInterrupt.IDEMPOTENT, until=are_done, when=is_needed)


async def _parent_that_is_off(context: NodeContext, node: Node) -> list[Node]:
    if node.parent_node is None:
        return []
    async with context.deps.database.read() as tx:
        parent = await get_node(tx, node.parent_node)
    return [] if parent.power_state is PowerState.ON else [parent]


async def _children_that_are_on(context: NodeContext, node: Node) -> list[Node]:
    """Those with a power supply of their own stay as they are."""
    async with context.deps.database.read() as tx:
        children = await list_child_nodes(tx, node.uuid)
    return [
        child
        for child in children
        if child.power_state is not PowerState.OFF and not child.driver_info.get("has_dedicated_power_supply")
    ]
