"""Steps on the children of a node: each child runs the step as an operation of its own.

Source: v1 contract, steps.child_nodes.
"""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from bessemer.domain.interface import InterfaceType
from bessemer.domain.node import Node, label
from bessemer.domain.operation import Operation
from bessemer.domain.step import HardwareStep, StepKind
from bessemer.domain.step_request import RESERVED
from bessemer.engine.gateway import Gateway
from bessemer.engine.workflow import Done, OnInterrupt, Wait, Workflow
from bessemer.kernel.error import InvalidValue
from bessemer.store.database import Transaction
from bessemer.store.node import find_node, list_child_nodes
from bessemer.workflow.collaborators import Collaborators, NodeContext, NodeStep
from bessemer.workflow.other_node import are_done, begin, tell_asker
from bessemer.workflow.power import hard_off, patient, switch_on
from bessemer.workflow.projection import Projection
from bessemer.workflow.step_choice import check_args
from bessemer.workflow.task import open_task

KIND = "child step"
ON_CHILDREN = "step on child nodes"


def on_children(gateway: Gateway, kind: StepKind) -> NodeStep:
    """The row that has a step carried out by the node's children, all at the same time."""

    async def run(context: NodeContext) -> None:
        async with context.deps.database.read() as tx:
            children = await _children(tx, context.operation.node_uuid, context.item.args["children"])
        args = {"hardware_step": context.item.args["hardware_step"], "kind": kind.value}
        await begin(context, gateway, [(child, KIND, args) for child in children])

    return NodeStep(ON_CHILDREN, run, OnInterrupt.IDEMPOTENT, until=are_done)


async def _children(tx: Transaction, parent_uuid: str, idents: Sequence[str]) -> list[Node]:
    """The named children, or all. Raises InvalidValue for one that is none, or has children itself."""
    children = await list_child_nodes(tx, parent_uuid)
    if idents:
        by_uuid = {child.uuid: child for child in children}
        named = [await find_node(tx, ident) for ident in idents]
        strangers = [ident for ident, node in zip(idents, named, strict=True) if not _is_in(node, by_uuid)]
        if strangers:
            raise InvalidValue(f"Node '{strangers[0]}' is not a child of this node.")
        children = [node for node in named if node is not None]
    for child in children:
        if await list_child_nodes(tx, child.uuid):
            raise InvalidValue(f"Node '{label(child)}' has children itself: steps go down one level only.")
    return children


def _is_in(node: Node | None, known: dict[str, Node]) -> bool:
    return node is not None and node.uuid in known


# --------------------------------------------------------------------------- the operation on the child


def _step(operation: Operation) -> HardwareStep:
    return msgspec.convert(operation.args["hardware_step"], HardwareStep)


def _is_one_of(*names: str) -> Callable[[Operation], bool]:
    return lambda operation: _step(operation).step in names


def _is_of_driver(operation: Operation) -> bool:
    return _step(operation).step not in RESERVED


async def _carry_out(context: NodeContext) -> None:
    step, task = _step(context.operation), await open_task(context)
    kind = StepKind(context.operation.args["kind"])
    offered = {one.key: one for i in InterfaceType for one in task.driver.get(i).steps(kind)}
    if step.key not in offered:
        raise InvalidValue(f"Node '{label(task.node)}' has no step {step.interface}.{step.step}.")
    check_args(offered[step.key], step.args)
    context.data["is_done"] = await task.driver.get(step.interface).execute(task, step) is None


async def _is_carried_out(context: NodeContext) -> Done | Wait:
    if context.data.get("is_done"):
        return Done()
    step, task = _step(context.operation), await open_task(context)
    progress = await task.driver.get(step.interface).poll(task, step)
    if progress is None:
        return Done()
    await context.report(progress.percent, progress.text)
    return Wait("step", timeout_s=None, poll_s=progress.poll_s, reason=progress.text)


def child_step(projection: Callable[..., Projection], gateway: Gateway) -> Workflow[Collaborators]:
    """What a child does for its parent; it changes neither the child's provision state nor its ramdisk."""

    async def at_end(tx: Transaction, node: Node, operation: Operation) -> None:
        await tell_asker(gateway, tx, operation)

    options: dict[str, Any] = {"history": "child step", "at_end": at_end}
    return Workflow(
        KIND,
        steps=(
            hard_off("power off", when=_is_one_of("power_off", "reboot")),
            switch_on("power on", when=_is_one_of("power_on", "reboot")),
            NodeStep(
                "carry out the step",
                _carry_out,
                OnInterrupt.ASK,
                until=patient(_is_carried_out),
                when=_is_of_driver,
                attempts=1,
            ),
        ),
        on_change=projection(**options),
    )
