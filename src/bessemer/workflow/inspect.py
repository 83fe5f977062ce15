"""Inspect: what is this machine made of? Fills in its ports, properties and inventory."""

from collections.abc import Callable
from typing import Any

from bessemer.domain.node import Node
from bessemer.domain.operation import Operation
from bessemer.domain.port import Port
from bessemer.domain.provision import ProvisionState
from bessemer.engine.workflow import Done, OnInterrupt, Workflow
from bessemer.hardware.interface import Inspection
from bessemer.kernel.clock import timestamp
from bessemer.kernel.error import Unsupported
from bessemer.kernel.ident import new_uuid
from bessemer.store.database import Transaction
from bessemer.store.inventory import put_inventory
from bessemer.store.node import merge_node, update_node
from bessemer.store.port import create_port, find_port_by_address
from bessemer.workflow.collaborators import Collaborators, NodeContext, NodeStep
from bessemer.workflow.projection import Projection
from bessemer.workflow.task import open_task


async def check_settings(context: NodeContext) -> None:
    task = await open_task(context)
    task.driver.power.validate(task)
    task.driver.inspect.validate(task)
    if not task.driver.inspect.is_out_of_band:
        raise Unsupported(
            "Inspection through the agent is not available yet.",
            hint="Choose an out-of-band inspect interface.",
        )
    await task.save(inspection_started_at=timestamp(context.clock), inspection_finished_at=None)


async def read_hardware(context: NodeContext) -> Done:
    """Ask the BMC and write down all it says at once: properties, ports, inventory."""
    task = await open_task(context)
    found = await task.driver.inspect.inspect(task)
    async with context.write() as tx:
        new = await _add_ports(tx, task.node.uuid, found)
        await merge_node(tx, task.node.uuid, "properties", found.properties)
        await put_inventory(tx, task.node.uuid, found.inventory, found.plugin_data)
        await update_node(tx, task.node.uuid, inspection_finished_at=tx.now())
    return Done(detail=f"{len(found.macs)} network cards, {new} new ports")


async def _add_ports(tx: Transaction, node_uuid: str, found: Inspection) -> int:
    """Create the ports that do not exist yet. A MAC that belongs to another node is left where it is."""
    new = 0
    for mac in found.macs:
        if await find_port_by_address(tx, mac.lower()) is None:
            await create_port(
                tx, Port(uuid=new_uuid(), address=mac.lower(), node_uuid=node_uuid, created_at=tx.now())
            )
            new += 1
    return new


def _not_finished(node: Node, operation: Operation) -> dict[str, Any]:
    return {"inspection_finished_at": None}


def inspect(projection: Callable[..., Projection]) -> Workflow[Collaborators]:
    return Workflow(
        "inspect",
        steps=(
            NodeStep("check settings", check_settings, OnInterrupt.IDEMPOTENT, attempts=1),
            NodeStep("read hardware", read_hardware, OnInterrupt.IDEMPOTENT, timeout_s=300.0),
        ),
        on_change=projection(
            history="introspection",
            states=frozenset({ProvisionState.INSPECTING, ProvisionState.INSPECT_WAIT}),
            on_failure=_not_finished,
        ),
    )
