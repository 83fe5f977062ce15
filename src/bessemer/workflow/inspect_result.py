"""What comes of an inspection's report: ports, properties, the inventory; then what rules make of them."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import msgspec
import structlog

from bessemer.domain.inspection.action import ApiCall, Message
from bessemer.domain.inspection.evaluation import Outcome, Subject, apply_rules
from bessemer.domain.inspection.port_plan import PortPolicy, plan_ports
from bessemer.domain.inspection.property import found_properties
from bessemer.domain.inspection.report import Report
from bessemer.domain.inspection.rule import InspectionRule
from bessemer.domain.interface import InterfaceType
from bessemer.domain.node import Node
from bessemer.domain.port import Port
from bessemer.engine.workflow import Done
from bessemer.hardware.composition import Composition
from bessemer.kernel.error import BessemerError, DeviceError, Fault, InternalError, Unavailable
from bessemer.kernel.ident import new_uuid
from bessemer.store.database import Transaction
from bessemer.store.inspection_report import KeptReport, find_report, use_report
from bessemer.store.inspection_rule import list_inspection_rules
from bessemer.store.inventory import put_inventory
from bessemer.store.node import get_node, merge_node, update_node
from bessemer.store.port import create_port, delete_port, find_port_by_address, list_ports_of, update_port
from bessemer.store.trait import list_traits, set_traits
from bessemer.workflow.collaborators import NodeContext

JsonObject = dict[str, Any]

#: Bounds of what a rule may ask for with its calls.
_MOST_ATTEMPTS = 10
_LONGEST_CALL_S = 60.0
_LONGEST_PAUSE_S = 30.0

log = structlog.get_logger(__name__)


class RamdiskFailed(DeviceError):
    """The ramdisk could not find out what the machine is made of."""

    code = "inspection-ramdisk-failed"


class RulesFailed(BessemerError):
    """An inspection rule failed, or asks for what cannot be."""

    code = "inspection-rules-failed"
    fault = Fault.OPERATOR


async def record_report(context: NodeContext, policy: PortPolicy) -> Done:
    """Write down what was found. It stays on the node whatever rules say of it.

    Raises:
        RamdiskFailed: The ramdisk reported a failure of its own.
        InvalidValue: The report and the node do not go together.
    """
    async with context.write() as tx:
        report = (await _kept(tx, context)).report
        if report.error:
            raise RamdiskFailed(f"the ramdisk reports: {report.error}")
        node = await get_node(tx, context.operation.node_uuid, lock=True)
        found = found_properties(report, node.properties) if report.properties is None else report.properties
        plan = plan_ports(policy, report, await list_ports_of(tx, node.uuid))
        new = 0
        for mac, is_booted in plan.create:
            new += await _add_port(tx, node.uuid, mac, pxe_enabled=is_booted)
        for uuid, is_booted in plan.change:
            await update_port(tx, uuid, pxe_enabled=is_booted)
        for uuid in plan.delete:
            await delete_port(tx, uuid)
        await merge_node(tx, node.uuid, "properties", found)
        await put_inventory(tx, node.uuid, report.inventory, report.plugin_data)
    return Done(detail=f"ports: {new} new, {len(plan.change)} changed, {len(plan.delete)} deleted")


async def _kept(tx: Transaction, context: NodeContext) -> KeptReport:
    kept = await find_report(tx, context.operation.node_uuid)
    if kept is None:
        raise InternalError("the report of this inspection is gone")
    return kept


async def _add_port(tx: Transaction, node_uuid: str, mac: str, *, pxe_enabled: bool) -> bool:
    """A MAC that belongs to another node is left where it is."""
    if await find_port_by_address(tx, mac) is not None:
        log.warning("a found MAC address is the port of another node", node=node_uuid, address=mac)
        return False
    port = Port(
        uuid=new_uuid(), address=mac, node_uuid=node_uuid, created_at=tx.now(), pxe_enabled=pxe_enabled
    )
    await create_port(tx, port)
    return True


async def apply_inspection_rules(context: NodeContext, built_in: Sequence[InspectionRule]) -> Done:
    """Do what the rules say, in one transaction with the note that it was done.

    Raises:
        RulesFailed: A rule failed, or what it asks for cannot be; no rule has changed anything then.
    """
    uuid = context.operation.node_uuid
    async with context.write() as tx:
        kept = await _kept(tx, context)
        if kept.calls is not None:
            return Done(detail="the rules were applied before")
        outcome = await _evaluate(tx, uuid, kept.report, built_in)
        if outcome.failure is None:
            await _carry_out(tx, context.deps.composition, uuid, kept.report, outcome)
            await use_report(tx, uuid, [msgspec.to_builtins(call) for call in outcome.calls])
            await update_node(tx, uuid, inspection_started_at=None, inspection_finished_at=tx.now())
    _log_messages(uuid, outcome.messages)
    if outcome.failure is not None:
        raise RulesFailed(outcome.failure)
    return Done(detail=f"applied: {', '.join(outcome.applied) or 'none'}")


async def _evaluate(
    tx: Transaction, uuid: str, report: Report, built_in: Sequence[InspectionRule]
) -> Outcome:
    """What the rules make of the node as it is by now."""
    rules = [*built_in, *await list_inspection_rules(tx)]
    if not rules:
        return Outcome(plugin_data=report.plugin_data)
    subject = Subject(
        node=await get_node(tx, uuid, lock=True),
        traits=(await list_traits(tx, [uuid]))[uuid],
        ports=await list_ports_of(tx, uuid),
        inventory=report.inventory,
        plugin_data=report.plugin_data,
    )
    return apply_rules(rules, subject)


async def _carry_out(
    tx: Transaction, composition: Composition, uuid: str, report: Report, outcome: Outcome
) -> None:
    try:
        if outcome.node_changes:
            changes = _with_driver(composition, await get_node(tx, uuid), outcome.node_changes)
            await update_node(tx, uuid, **changes)
        for port_uuid, changes in outcome.port_changes.items():
            await update_port(tx, port_uuid, **changes)
        if outcome.traits is not None:
            await set_traits(tx, uuid, outcome.traits)
        if outcome.plugin_data != report.plugin_data:
            await put_inventory(tx, uuid, report.inventory, outcome.plugin_data)
    except BessemerError as error:
        if error.retry:
            raise
        raise RulesFailed(f"What inspection rules ask for cannot be: {error.message}") from error


def _with_driver(composition: Composition, node: Node, changes: Mapping[str, Any]) -> JsonObject:
    """``changes``, with the interfaces that come of them. Raises InvalidValue for a driver that cannot be."""
    fields = {kind.node_field for kind in InterfaceType}
    named = {name: value for name, value in changes.items() if name in fields}
    if not named and "driver" not in changes:
        return dict(changes)
    return {**changes, **composition.change_driver(node, changes.get("driver", node.driver), named)}


def _log_messages(uuid: str, messages: Sequence[Message]) -> None:
    speak = {"debug": log.debug, "info": log.info, "warning": log.warning, "error": log.error}
    for message in messages:
        speak[message.level]("inspection rule says", node=uuid, text=message.text)


async def make_calls(context: NodeContext) -> Done:
    """Make the HTTP calls that rules ask for, one after the other; each is crossed off when it was answered.

    Raises:
        RulesFailed: A server did not answer as often as the rule allows, or answered with an error.
    """
    uuid = context.operation.node_uuid
    async with context.deps.database.read() as tx:
        kept = await find_report(tx, uuid)
    calls = list(kept.calls or ()) if kept else []
    made = 0
    while calls:
        await _call(context, msgspec.convert(calls[0], ApiCall))
        calls, made = calls[1:], made + 1
        async with context.write() as tx:
            await use_report(tx, uuid, calls)
    return Done(detail=f"{made} calls made" if made else "")


async def _call(context: NodeContext, call: ApiCall) -> None:
    parts = urlsplit(call.url)
    attempts = min(max(call.retries, 0) + 1, _MOST_ATTEMPTS)
    for attempt in range(1, attempts + 1):
        try:
            status = await context.deps.web.call(
                call.url,
                headers=call.headers,
                proxy=call.proxies.get(parts.scheme),
                timeout_s=min(call.timeout_s, _LONGEST_CALL_S),
            )
            if status < 400:
                return
            problem = f"it answered with HTTP status {status}"
        except Unavailable as error:
            problem = error.message
        if attempt < attempts:
            await asyncio.sleep(min(call.backoff_factor * 2.0 ** (attempt - 1), _LONGEST_PAUSE_S))
    raise RulesFailed(f"An inspection rule calls {parts.hostname}, in vain: {problem}")
