"""Calls that ask a node's machine something, or tell it something small, while somebody waits for the answer.

A "query" reads, and may be made again after an interruption. A "command" changes something: one that was
cut short is not repeated, its caller learns that nobody can say how far it came. Arguments of both: ``call``
(a name in the tables below), ``given`` (that call's own arguments), ``until`` (when the caller stops waiting)
and ``of_free_node`` (whether to refuse while an operation is at work on the node). Results are JSON values.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from bessemer.domain.interface import InterfaceType
from bessemer.domain.node import refuse_locked
from bessemer.domain.power import BootDevice
from bessemer.engine.workflow import OnInterrupt, Workflow
from bessemer.kernel.clock import timestamp
from bessemer.kernel.error import BessemerError, DeadlineExceeded, InternalError, InvalidValue, Unsupported
from bessemer.workflow.collaborators import Collaborators, NodeContext, NodeStep
from bessemer.workflow.task import NodeTask, open_task

#: Longest time for a machine while a caller waits for us.
CALL_TIMEOUT_S: Final = 60.0

Given = Mapping[str, Any]
Call = Callable[[NodeTask, Given], Awaitable[Any]]


async def _validate(task: NodeTask, given: Given) -> dict[str, Any]:
    """By kind of interface: whether it could work with the node's settings (None: there is no such thing),
    and why not. The vendor interface is not asked."""
    return {kind.value: _verdict(task, kind) for kind in InterfaceType if kind is not InterfaceType.VENDOR}


def _verdict(task: NodeTask, kind: InterfaceType) -> tuple[bool | None, str | None]:
    try:
        task.driver.get(kind).validate(task)
    except Unsupported as error:
        return None, str(error)
    except BessemerError as error:
        return False, str(error)
    return True, None


async def _get_boot_device(task: NodeTask, given: Given) -> tuple[str | None, bool | None]:
    return await task.driver.management.get_boot_device(task)


async def _list_boot_devices(task: NodeTask, given: Given) -> list[str]:
    return list(task.driver.management.supported_boot_devices(task))


async def _set_boot_device(task: NodeTask, given: Given) -> None:
    management, device = task.driver.management, BootDevice(given["device"])
    supported = management.supported_boot_devices(task)
    if device not in supported:
        raise InvalidValue(
            f"The boot device '{device}' is not supported.", hint=f"Supported: {', '.join(supported)}."
        )
    await management.set_boot_device(task, device, persistent=given["persistent"])


async def _inject_nmi(task: NodeTask, given: Given) -> None:
    await task.driver.management.inject_nmi(task)


async def _list_indicators(task: NodeTask, given: Given) -> Any:
    """Their properties, by component and by name."""
    return await task.driver.management.get_indicators(task)


async def _get_indicator(task: NodeTask, given: Given) -> str:
    return await task.driver.management.get_indicator(task, given["component"], given["indicator"])


async def _set_indicator(task: NodeTask, given: Given) -> None:
    component, indicator = given["component"], given["indicator"]
    await task.driver.management.set_indicator(task, component, indicator, given["state"])


async def _list_virtual_media(task: NodeTask, given: Given) -> Any:
    return await task.driver.management.get_virtual_media(task)


async def _attach_virtual_media(task: NodeTask, given: Given) -> None:
    await task.driver.management.attach_virtual_media(task, given["device"], given["image_url"])


async def _detach_virtual_media(task: NodeTask, given: Given) -> None:
    await task.driver.management.detach_virtual_media(task, given["devices"])


async def _get_console(task: NodeTask, given: Given) -> Any:
    """How to reach the console; None while it is off. Raises Unsupported where there is none."""
    task.driver.console.validate(task)
    return await task.driver.console.get_console(task) if task.node.console_enabled else None


async def _call_vendor(task: NodeTask, given: Given) -> Any:
    return await task.driver.vendor.call(task, given["method"], given["http_method"], given["args"])


def _managed(call: Call) -> Call:
    """``call`` after the check of what the node says of its BMC."""

    async def check_and_call(task: NodeTask, given: Given) -> Any:
        task.driver.management.validate(task)
        return await call(task, given)

    return check_and_call


_CALLS: Final[Mapping[str, Mapping[str, Call]]] = {
    "query": {
        "validate": _validate,
        "get boot device": _managed(_get_boot_device),
        "list boot devices": _list_boot_devices,
        "list indicators": _managed(_list_indicators),
        "get indicator": _managed(_get_indicator),
        "list virtual media": _managed(_list_virtual_media),
        "get console": _get_console,
    },
    "command": {
        "set boot device": _managed(_set_boot_device),
        "inject NMI": _managed(_inject_nmi),
        "set indicator": _managed(_set_indicator),
        "attach virtual media": _managed(_attach_virtual_media),
        "detach virtual media": _managed(_detach_virtual_media),
        "call vendor": _call_vendor,
    },
}


async def carry_out(context: NodeContext) -> None:
    """Raises what the driver raises; DeadlineExceeded when the caller has stopped waiting already."""
    args = context.operation.args
    if args["until"] <= timestamp(context.clock):
        raise DeadlineExceeded("Nobody waits for the answer any more.")
    call = _CALLS[context.operation.kind].get(args["call"])
    if call is None:
        raise InternalError(f"there is no call '{args['call']}'")
    task = await open_task(context)
    if args["of_free_node"]:
        refuse_locked(task.node)
    context.data["result"] = await call(task, args["given"])


def _one_call(kind: str, on_interrupt: OnInterrupt) -> Workflow[Collaborators]:
    step = NodeStep(kind, carry_out, on_interrupt, timeout_s=CALL_TIMEOUT_S, attempts=1)
    return Workflow(kind, steps=(step,), is_shared=True)


def query() -> Workflow[Collaborators]:
    return _one_call("query", OnInterrupt.IDEMPOTENT)


def command() -> Workflow[Collaborators]:
    return _one_call("command", OnInterrupt.ASK)
