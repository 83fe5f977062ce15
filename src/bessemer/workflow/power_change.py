"""The operation "power": what a user asked of the machine's power.

Arguments: ``target`` (a ``PowerTarget``), ``timeout`` (seconds or None), and ``relatives_first`` when the
node has a parent or children, whose power goes with its own. Source: v1 contract, power.
"""

from collections.abc import Callable
from typing import Any

from bessemer.domain.node import Node
from bessemer.domain.operation import Operation
from bessemer.domain.power import PowerState, PowerTarget
from bessemer.domain.provision import ProvisionState
from bessemer.engine.gateway import Gateway
from bessemer.engine.workflow import Done, OnInterrupt, Wait, Workflow
from bessemer.kernel.error import Forbidden
from bessemer.workflow.agent_boot import AGENT_FACTS
from bessemer.workflow.collaborators import Collaborators, NodeContext, NodeStep
from bessemer.workflow.other_node import tell_asker
from bessemer.workflow.power import patient, reached, request
from bessemer.workflow.power_relative import relatives_first
from bessemer.workflow.projection import Projection
from bessemer.workflow.task import open_task


def _target(operation: Operation) -> PowerTarget:
    return PowerTarget(operation.args["target"])


def _goes_off(operation: Operation) -> bool:
    return _target(operation) is not PowerTarget.ON


def _ends_on(operation: Operation) -> bool:
    return _target(operation).result is PowerState.ON


def _timeout_s(context: NodeContext) -> float:
    asked = context.operation.args.get("timeout")
    if asked is not None:
        return float(asked)
    settings = context.deps.settings.conductor
    is_soft = _target(context.operation).is_soft
    return settings.soft_power_off_timeout if is_soft else settings.power_state_change_timeout


async def _switch_off(context: NodeContext) -> None:
    """The first half of a reboot; a machine that must not be switched off is reset in the second half."""
    target = _target(context.operation)
    task = await open_task(context)
    context.data["is_reset"] = task.node.disable_power_off and target.result is PowerState.ON
    if context.data["is_reset"]:
        _check_reset(target, task.driver.power.supported_targets(task))
        return
    await request(context, PowerTarget.SOFT_OFF if target.is_soft else PowerTarget.OFF)


def _check_reset(target: PowerTarget, supported: Any) -> None:
    if target not in supported:
        raise Forbidden("This machine must not be switched off, and cannot be rebooted in another way.")


async def _is_off(context: NodeContext) -> Done | Wait:
    if context.data.get("is_reset"):
        return Done(detail="the machine must not be switched off; it will be reset")
    outcome = await reached(context, PowerState.OFF, _timeout_s(context))
    if isinstance(outcome, Done) and not _ends_on(context.operation):
        task = await open_task(context)
        if task.node.provision_state is ProvisionState.ACTIVE:
            await task.driver.storage.detach_volumes(task)
    return outcome


async def _switch_on(context: NodeContext) -> None:
    task = await open_task(context)
    if task.node.provision_state is ProvisionState.ACTIVE:
        await task.driver.storage.attach_volumes(task)
    await request(context, _target(context.operation) if context.data.get("is_reset") else PowerTarget.ON)


async def _is_on(context: NodeContext) -> Done | Wait:
    return await reached(context, PowerState.ON, _timeout_s(context))


def _settled(node: Node, operation: Operation) -> dict[str, Any]:
    """The ramdisk, if one was running, is gone after a power change: forget it.

    Beside work that waits for a ramdisk the next boot brings it again: what its boot medium holds stays good.
    """
    facts = node.driver_internal_info
    if _target(operation) is not PowerTarget.ON:
        kept = set() if operation.is_exclusive else _on_medium(facts)
        facts = {key: value for key, value in facts.items() if key not in AGENT_FACTS or key in kept}
    return {"target_power_state": None, "driver_internal_info": facts}


def _on_medium(facts: dict[str, Any]) -> set[str]:
    token = {"agent_secret_token", "agent_secret_token_pregenerated"}
    return {"boot_key", *(token if facts.get("agent_secret_token_pregenerated") else ())}


def power(projection: Callable[..., Projection], gateway: Gateway) -> Workflow[Collaborators]:
    """Bring the machine to the target in ``args``; a reboot is off, then on, so that it can be resumed."""
    return Workflow(
        "power",
        steps=(
            relatives_first(gateway),
            NodeStep(
                "power off", _switch_off, OnInterrupt.IDEMPOTENT, until=patient(_is_off), when=_goes_off
            ),
            NodeStep("power on", _switch_on, OnInterrupt.IDEMPOTENT, until=patient(_is_on), when=_ends_on),
        ),
        on_change=projection(
            history="power",
            on_success=_settled,
            at_end=lambda tx, node, operation: tell_asker(gateway, tx, operation),
        ),
    )
