"""The steps that a request to clean or service stands for: those it names, or those of its runbook."""

from collections.abc import Mapping
from typing import Any

from bessemer.config.settings import Settings
from bessemer.domain.node import Node
from bessemer.domain.runbook import check_use, requested_steps
from bessemer.domain.step import StepKind
from bessemer.domain.step_request import check_clean_steps, check_service_steps
from bessemer.kernel.error import NotFound
from bessemer.service.caller import Caller
from bessemer.service.target import of_runbook
from bessemer.service.task import ServiceTask
from bessemer.store.database import Transaction
from bessemer.store.runbook import find_runbook
from bessemer.store.runbook_trait import list_runbook_traits
from bessemer.store.trait import list_traits
from bessemer.workflow.hardware_step import driver_steps
from bessemer.workflow.step_choice import check_without_ramdisk

JsonObject = dict[str, Any]

_USE = "baremetal:runbook:use"


async def step_arguments(
    tx: Transaction,
    caller: Caller,
    task: ServiceTask,
    kind: StepKind,
    given: Mapping[str, Any],
    *,
    settings: Settings,
) -> JsonObject:
    """The arguments of the operation: ``clean_steps`` or ``service_steps``, and perhaps ``disable_ramdisk``.

    Raises:
        NotFound: There is no such runbook.
        Forbidden: The runbook is neither public nor the caller's to use.
        InvalidValue: The runbook is not meant for this node, or has a step that is refused; or without the
            ramdisk, a step that needs it.
    """
    name = f"{kind.value}_steps"
    if "runbook" in given:
        steps, has_no_ramdisk = await _of_runbook(
            tx, caller, task.node, kind, given["runbook"], settings=settings
        )
    else:
        steps, has_no_ramdisk = list(given[name]), bool(given.get("disable_ramdisk"))
    if has_no_ramdisk:
        check_without_ramdisk(driver_steps(task.driver, kind), steps)
    return {name: steps} | ({"disable_ramdisk": True} if has_no_ramdisk else {})


async def _of_runbook(
    tx: Transaction, caller: Caller, node: Node, kind: StepKind, ident: str, *, settings: Settings
) -> tuple[list[JsonObject], bool]:
    runbook = await find_runbook(tx, ident)
    if runbook is None:
        raise NotFound(f"Runbook {ident} could not be found.")
    if not runbook.public:
        caller.asking(_USE).check(of_runbook(runbook))
    traits = (await list_runbook_traits(tx, [runbook.uuid]))[runbook.uuid]
    check_use(runbook, traits, node, (await list_traits(tx, [node.uuid]))[node.uuid])
    steps = requested_steps(runbook)
    if kind is StepKind.CLEAN:
        return check_clean_steps(steps, disallowed=settings.api.disallow_clean_steps), runbook.disable_ramdisk
    return check_service_steps(steps, disallowed=settings.api.disallow_service_steps), runbook.disable_ramdisk
