"""Provisioning: what may be asked of a node in which state, and the operation each request starts.

The provision state changes in the same transaction that queues the operation, so that a node is never
heading somewhere with nobody taking it there.

Source: v1 contract, states (verbs, abort_semantics).
"""

import asyncio
import secrets
import string
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from bessemer.config.settings import Settings
from bessemer.domain.node import Node
from bessemer.domain.operation import NewOperation, Operation
from bessemer.domain.password_hash import hash_password
from bessemer.domain.provision import (
    KINDS,
    TARGETS,
    Event,
    ProvisionState,
    StateKind,
    Verb,
    next_state,
)
from bessemer.domain.step import StepKind
from bessemer.domain.trait import check_instance_traits
from bessemer.engine.gateway import Gateway
from bessemer.image.source import validate_instance
from bessemer.service.caller import Caller
from bessemer.service.conductor import ConductorService
from bessemer.service.node_access import NodeAccess
from bessemer.service.provision_rule import ALIASES, ProvisionRequest, StateGate, check_request
from bessemer.service.step import step_arguments
from bessemer.service.step_access import check_steps
from bessemer.service.task import ServiceTask, Tasks
from bessemer.store.database import Transaction
from bessemer.store.event import add_event
from bessemer.store.node import merge_node, update_node
from bessemer.store.operation import find_active
from bessemer.store.trait import list_traits
from bessemer.workflow.cancel_reason import ABORTED, DELETED, REPLACED
from bessemer.workflow.rescue import PASSWORD_KEY

__all__ = ["ProvisionRequest", "ProvisionService", "StateGate"]

_S = ProvisionState
#: The field that shows the current step, by the state it is shown in.
_STEP_FIELDS = {
    **dict.fromkeys((_S.CLEAN_WAIT, _S.CLEAN_HOLD), "clean_step"),
    **dict.fromkeys((_S.DEPLOY_WAIT, _S.DEPLOY_HOLD), "deploy_step"),
    **dict.fromkeys((_S.SERVICE_WAIT, _S.SERVICE_HOLD), "service_step"),
}
#: Interfaces whose settings must be complete before the work is begun.
_VALIDATED = {
    Verb.INSPECT: ("power", "inspect"),
    Verb.CLEAN: ("power", "network"),
    Verb.SERVICE: ("power", "network"),
    Verb.ACTIVE: ("power", "deploy", "storage"),
    Verb.REBUILD: ("power", "deploy", "storage"),
    Verb.RESCUE: ("power", "network", "rescue"),
    Verb.UNRESCUE: ("power", "network", "rescue"),
}
_RULE = "baremetal:node:set_provision_state"
#: Arguments that need a rule of their own, which is called like them.
_STEPS = ("clean_steps", "service_steps")
_SALT_LETTERS = string.ascii_letters + string.digits + "./"


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request that may be granted: what was asked of which node, by whom, in which transaction."""

    tx: Transaction
    caller: Caller
    node: Node
    event: Event
    verb: Verb
    given: Mapping[str, Any]


class ProvisionService:
    def __init__(
        self,
        access: NodeAccess,
        gateway: Gateway,
        tasks: Tasks,
        conductors: ConductorService,
        settings: Settings,
    ) -> None:
        self._access = access
        self._gateway = gateway
        self._tasks = tasks
        self._conductors = conductors
        self._settings = settings

    async def request(
        self, caller: Caller, ident: str, request: ProvisionRequest, *, gate: StateGate = lambda _: None
    ) -> Node:
        """Move a node on, or start the operation that will. The node as it is then.

        Raises:
            NotFound: No such node, or no such runbook.
            InvalidValue: The verb is not possible in the node's state, in maintenance, or with these
                arguments; or the node's settings cannot work; or no conductor drives its hardware type.
            Forbidden: The node is protected; or a rule refuses: of the request, of a step or of the runbook.
            NodeLocked: An operation is at work on the node.
            Conflict: The state does not allow it although the verb fits.
        """
        password_hash = await self._hashed(request)
        landscape = await self._conductors.landscape()
        asked = caller.also_asking(*(f"{_RULE}:{name}" for name in _STEPS if name in request.arguments))

        async def work(tx: Transaction, node: Node) -> Node:
            check_steps(caller, node, request.arguments)
            event = check_request(node, request, gate, self._settings)
            landscape.check_offered(node)
            if password_hash:
                await merge_node(tx, node.uuid, "instance_info", {PASSWORD_KEY: password_hash})
            verb = ALIASES.get(request.verb, request.verb)
            return await self._start(_Asked(tx, caller, node, event, verb, request.arguments))

        return await self._access.change(asked, ident, work)

    async def _hashed(self, request: ProvisionRequest) -> str | None:
        """The rescue password as it may be kept: nothing but its hash is ever written down."""
        password = request.arguments.get("rescue_password")
        if request.verb is not Verb.RESCUE or not isinstance(password, str) or not password:
            return None
        algorithm = self._settings.conductor.rescue_password_hash_algorithm
        salt = "".join(secrets.choice(_SALT_LETTERS) for _ in range(16))
        return await asyncio.to_thread(hash_password, password, algorithm=algorithm, salt=salt)

    async def _start(self, asked: _Asked) -> Node:
        task = await self._tasks.open_in(asked.tx, asked.node)
        for kind in _VALIDATED.get(asked.verb, ()):
            getattr(task.driver, kind).validate(task)
        special: dict[Verb, Callable[[_Asked, ServiceTask], Awaitable[Node]]] = {
            Verb.MANAGE: self._manage,
            Verb.PROVIDE: self._provide,
            Verb.CLEAN: self._clean,
            Verb.SERVICE: self._service,
            Verb.ACTIVE: self._deploy,
            Verb.REBUILD: self._deploy,
            Verb.DELETED: self._delete,
            Verb.UNHOLD: self._unhold,
            Verb.ABORT: self._abort,
        }
        if asked.verb in special:
            return await special[asked.verb](asked, task)
        return await self._begin(asked, asked.verb.value)

    async def _begin(
        self, asked: _Asked, kind: str, args: dict[str, Any] | None = None, *, target: _S | None = None
    ) -> Node:
        """Move the node and queue the operation that takes it on from there."""
        node = await self._move(asked, target=target)
        await self._enqueue(asked, kind, args)
        return node

    async def _manage(self, asked: _Asked, task: ServiceTask) -> Node:
        """A node that was verified before needs no work."""
        if asked.node.provision_state is _S.ENROLL:
            return await self._begin(asked, "verify")
        return await self._move(asked)

    async def _provide(self, asked: _Asked, task: ServiceTask) -> Node:
        wanted = asked.node.automated_clean
        if self._settings.conductor.automated_clean if wanted is None else wanted:
            return await self._begin(asked, "clean", {"automated": True})
        node = await self._move(asked)
        return await self._move(replace(asked, node=node, event=Event.DONE))

    async def _clean(self, asked: _Asked, task: ServiceTask) -> Node:
        steps = await step_arguments(
            asked.tx, asked.caller, task, StepKind.CLEAN, asked.given, settings=self._settings
        )
        return await self._begin(asked, "clean", {"automated": False, **steps}, target=_S.MANAGEABLE)

    async def _service(self, asked: _Asked, task: ServiceTask) -> Node:
        """Asked for on hold, it takes the place of the servicing that is held."""
        steps = await step_arguments(
            asked.tx, asked.caller, task, StepKind.SERVICE, asked.given, settings=self._settings
        )
        await self._cancel_waiting(asked, REPLACED)
        return await self._begin(asked, "service", steps)

    async def _delete(self, asked: _Asked, task: ServiceTask) -> Node:
        await self._cancel_waiting(asked, DELETED)
        return await self._begin(asked, "tear down")

    async def _unhold(self, asked: _Asked, task: ServiceTask) -> Node:
        node = await self._move(asked)
        await self._gateway.signal(asked.tx, node.uuid, "unhold")
        return node

    async def _deploy(self, asked: _Asked, task: ServiceTask) -> Node:
        """The config drive goes to ``instance_info``, where deployment reads it and answers mask it."""
        tx, node, given = asked.tx, asked.node, asked.given
        has = (await list_traits(tx, [node.uuid]))[node.uuid]
        check_instance_traits(node.instance_info.get("traits"), has)
        if task.driver.deploy.needs_agent:
            task.driver.boot.validate(task)
            validate_instance(node, self._settings)
        changes = self._lessee(asked.caller, node)
        if given.get("configdrive"):
            changes["instance_info"] = {**node.instance_info, "configdrive": given["configdrive"]}
        if changes:
            await update_node(tx, node.uuid, **changes)
        args: dict[str, Any] = {"rebuild": asked.verb is Verb.REBUILD}
        if given.get("deploy_steps"):
            args["deploy_steps"] = given["deploy_steps"]
        return await self._begin(asked, "deploy", args)

    def _lessee(self, caller: Caller, node: Node) -> dict[str, Any]:
        """The project that leases the node for as long as the instance lives, if nobody does already."""
        source = self._settings.conductor.automatic_lessee_source
        projects = {"instance": node.instance_info.get("project_id"), "request": caller.project}
        project = projects.get(source)
        if node.lessee is not None or not isinstance(project, str) or not project:
            return {}
        facts = {**node.driver_internal_info, "automatic_lessee": True}
        return {"lessee": project, "driver_internal_info": facts}

    async def _abort(self, asked: _Asked, task: ServiceTask) -> Node:
        """The operation moves the node when it has stopped; without one there is nothing to wait for."""
        if asked.node.provision_state is _S.SERVICE_FAILED:
            await self._enqueue(asked, "service abort")
            return asked.node
        active = await self._cancel_waiting(asked, ABORTED)
        if active is None:
            return await self._move(asked)
        return await self._note_abort(asked, active)

    async def _note_abort(self, asked: _Asked, active: Operation) -> Node:
        """A step that is not abortable goes on to its end; until then the node says what comes after it."""
        node = asked.node
        item = active.plan[active.position] if active.position < len(active.plan) else None
        step = item.args.get("hardware_step") if item else None
        field = _STEP_FIELDS.get(node.provision_state)
        if field is None or step is None or step.get("abortable"):
            return node
        return await update_node(
            asked.tx, node.uuid, **{field: {**getattr(node, field), "abort_after": True}}
        )

    async def _cancel_waiting(self, asked: _Asked, reason: str) -> Operation | None:
        """The operation that was told to stop, if one waits in the middle of its work."""
        if KINDS[asked.node.provision_state] not in (StateKind.WAITING, StateKind.HOLD):
            return None
        active = await find_active(asked.tx, asked.node.uuid)
        if active is not None:
            await self._gateway.cancel(asked.tx, active.uuid, reason)
        return active

    async def _move(self, asked: _Asked, *, target: _S | None = None) -> Node:
        """Change the state, and write it into the node's history."""
        tx, node, caller = asked.tx, asked.node, asked.caller
        state = next_state(node.provision_state, asked.event)
        heading = None if KINDS[state] is StateKind.STABLE else target or TARGETS.get(state)
        moved = await update_node(
            tx,
            node.uuid,
            provision_state=state,
            target_provision_state=heading,
            provision_updated_at=tx.now(),
            last_error=None,
        )
        await add_event(
            tx,
            node_uuid=node.uuid,
            kind="transition",
            message=f"Node moved from '{node.provision_state}' to '{state}'.",
            user=caller.user,
            project=caller.project,
            state=state,
            target_state=heading,
        )
        return moved

    async def _enqueue(self, asked: _Asked, kind: str, args: dict[str, Any] | None = None) -> None:
        await self._gateway.enqueue(
            asked.tx,
            NewOperation(
                node_uuid=asked.node.uuid,
                kind=kind,
                args=args or {},
                conductor_group=asked.node.conductor_group,
                requested_by=asked.caller.label,
                request_id=asked.caller.request_id,
                project=asked.caller.project or "",
            ),
        )
