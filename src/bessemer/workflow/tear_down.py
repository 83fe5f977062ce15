"""Tear down: the instance goes away; the machine is handed to cleaning."""

from collections.abc import Callable
from typing import Any

from bessemer.config.settings import Settings
from bessemer.domain.limit import Priority
from bessemer.domain.node import Node
from bessemer.domain.operation import NewOperation, Operation
from bessemer.domain.provision import Event, ProvisionState
from bessemer.engine.gateway import Gateway
from bessemer.engine.workflow import OnInterrupt, Workflow
from bessemer.store.allocation import release_node
from bessemer.store.database import Transaction
from bessemer.store.node import update_node
from bessemer.workflow.agent_boot import AGENT_FACTS
from bessemer.workflow.collaborators import Collaborators, NodeContext, NodeStep
from bessemer.workflow.power import hard_off
from bessemer.workflow.projection import Projection
from bessemer.workflow.task import open_task


async def disconnect(context: NodeContext) -> None:
    """No tenant network, none of ours from deployment, rescue or servicing, no volumes."""
    task = await open_task(context)
    await task.driver.network.unconfigure_tenant_networks(task)
    for purpose in ("provisioning", "rescuing", "servicing"):
        await task.driver.network.remove_network(task, purpose)
    await task.driver.storage.detach_volumes(task)


async def clean_up_boot(context: NodeContext) -> None:
    task = await open_task(context)
    await task.driver.boot.clean_up_ramdisk(task)
    await task.driver.boot.clean_up_instance(task)
    await task.driver.rescue.clean_up(task)


def without_instance(node: Node, operation: Operation) -> dict[str, Any]:
    """The node's fields once its instance is gone."""
    gone = (*AGENT_FACTS, "automatic_lessee")
    facts = {key: value for key, value in node.driver_internal_info.items() if key not in gone}
    return {
        "instance_uuid": None,
        "instance_name": None,
        "instance_info": {},
        "driver_internal_info": facts,
        "lessee": None if node.driver_internal_info.get("automatic_lessee") else node.lessee,
    }


def cleaned_next(settings: Settings, gateway: Gateway) -> Callable[..., Any]:
    """What follows a tear-down, in its very transaction: the end of the allocation that held the node, and
    automated cleaning, or availability without it."""

    async def follow(tx: Transaction, node: Node, operation: Operation) -> None:
        if node.allocation_uuid is not None:
            await release_node(tx, node.uuid)
        wanted = node.automated_clean
        if settings.conductor.automated_clean if wanted is None else wanted:
            await gateway.enqueue(
                tx,
                NewOperation(
                    node_uuid=node.uuid,
                    kind="clean",
                    args={"automated": True},
                    conductor_group=node.conductor_group,
                    requested_by=operation.requested_by,
                    request_id=operation.request_id,
                    project=operation.project,
                    priority=Priority.LOW,
                ),
            )
            return
        end = ProvisionState.MANAGEABLE if node.retired else ProvisionState.AVAILABLE
        await update_node(tx, node.uuid, provision_state=end, target_provision_state=None)

    return follow


def tear_down(projection: Callable[..., Projection], follow: Any) -> Workflow[Collaborators]:
    return Workflow(
        "tear down",
        steps=(
            hard_off(),
            NodeStep("disconnect networks and volumes", disconnect, OnInterrupt.IDEMPOTENT),
            NodeStep("clean up boot", clean_up_boot, OnInterrupt.IDEMPOTENT),
        ),
        on_change=projection(
            history="unprovision",
            states=frozenset({ProvisionState.DELETING}),
            done=lambda *_: Event.CLEAN,
            on_success=without_instance,
            follow=follow,
        ),
    )
