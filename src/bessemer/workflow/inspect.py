"""Inspect: what is this machine made of? Fills in its ports, properties and inventory.

Out of band the BMC is asked; in band the machine boots a ramdisk that reports. What comes of the report, and
of the operator's rules, is the same (``inspect_result``). Source: v1 contract, inspect; agent API, inspection
callback.
"""

from collections.abc import Callable, Sequence
from typing import Any

from bessemer.config.settings import Settings
from bessemer.domain.inspection.port_plan import PortPolicy
from bessemer.domain.inspection.report import Report
from bessemer.domain.inspection.rule import InspectionRule
from bessemer.domain.node import Node
from bessemer.domain.operation import Operation
from bessemer.domain.power import PowerState
from bessemer.domain.provision import ProvisionState
from bessemer.engine.workflow import Done, OnInterrupt, Wait, Workflow
from bessemer.kernel.clock import timestamp
from bessemer.store.database import Transaction
from bessemer.store.inspection_report import add_report, drop_report, has_report
from bessemer.workflow.agent_boot import into_agent, leave_nothing_behind, needs_agent
from bessemer.workflow.collaborators import Collaborators, NodeContext, NodeStep
from bessemer.workflow.inspect_result import apply_inspection_rules, make_calls, record_report
from bessemer.workflow.power import hard_off
from bessemer.workflow.projection import Projection
from bessemer.workflow.task import open_task

#: The signal that wakes an inspection that waits for its ramdisk's report.
SIGNAL = "inspection"


async def check_settings(context: NodeContext) -> None:
    """Everything that can be known to be wrong is found first; what an earlier inspection left is dropped."""
    task = await open_task(context)
    task.driver.power.validate(task)
    task.driver.inspect.validate(task)
    context.data["needs_agent"] = not task.driver.inspect.is_out_of_band
    if context.data["needs_agent"]:
        task.driver.network.validate(task)
        task.driver.boot.validate(task)
        context.deps.artefacts.validate(task.node)
    context.data["stays_up"] = not context.deps.settings.inspector.power_off
    now = timestamp(context.clock)
    await task.save(inspection_started_at=now, inspection_finished_at=None, last_error=None)
    async with context.write() as tx:
        await drop_report(tx, task.node.uuid)


async def read_hardware(context: NodeContext) -> None:
    """Ask the BMC, and keep what it says."""
    task = await open_task(context)
    found = await task.driver.inspect.inspect(task)
    report = Report(
        inventory=found.inventory,
        plugin_data=found.plugin_data,
        properties=found.properties,
        macs=tuple(found.macs),
    )
    async with context.write() as tx:
        await add_report(tx, task.node.uuid, report)


async def has_reported(context: NodeContext) -> Done | Wait:
    """Whether the ramdisk's report is there (``service.inspection`` keeps it)."""
    async with context.deps.database.read() as tx:
        is_there = await has_report(tx, context.operation.node_uuid)
    if not is_there:
        return Wait(
            SIGNAL,
            timeout_s=_timeout(context.deps.settings) or None,
            reason="the ramdisk has sent no inventory. Look at the machine's console; check that the BMC "
            "reached the boot ISO and that the machine's network reaches the API.",
        )
    await (await open_task(context)).save(power_state=PowerState.ON, target_power_state=None)
    return Done(detail="the ramdisk has reported")


def _timeout(settings: Settings) -> int:
    return settings.conductor.inspect_wait_timeout


def _out_of_band(operation: Operation) -> bool:
    return not needs_agent(operation)


def _powers_off(operation: Operation) -> bool:
    return needs_agent(operation) and not operation.data.get("stays_up")


def _not_finished(node: Node, operation: Operation) -> dict[str, Any]:
    return {"inspection_started_at": None, "inspection_finished_at": None}


async def _forget_report(tx: Transaction, node: Node, operation: Operation) -> None:
    await drop_report(tx, node.uuid)


def inspect(
    projection: Callable[..., Projection], policy: PortPolicy, built_in: Sequence[InspectionRule]
) -> Workflow[Collaborators]:
    """``policy`` is about ports, ``built_in`` are rules besides those of the database."""

    async def record(context: NodeContext) -> Done:
        return await record_report(context, policy)

    async def apply_rules(context: NodeContext) -> Done:
        return await apply_inspection_rules(context, built_in)

    return Workflow(
        "inspect",
        steps=(
            NodeStep("check settings", check_settings, OnInterrupt.IDEMPOTENT, attempts=1),
            NodeStep("read hardware", read_hardware, OnInterrupt.IDEMPOTENT, when=_out_of_band),
            *into_agent("inspection", _timeout, until=has_reported),
            NodeStep("record what was found", record, OnInterrupt.IDEMPOTENT),
            NodeStep("apply inspection rules", apply_rules, OnInterrupt.IDEMPOTENT),
            NodeStep("make the calls of rules", make_calls, OnInterrupt.IDEMPOTENT, timeout_s=600.0),
            hard_off("power off after inspection", when=_powers_off),
            *leave_nothing_behind("inspection"),
        ),
        on_change=projection(
            history="introspection",
            states=frozenset({ProvisionState.INSPECTING, ProvisionState.INSPECT_WAIT}),
            on_failure=_not_finished,
            at_end=_forget_report,
        ),
    )
