"""Provisioning: what may be asked of a node in which state, and the operation each request starts.

The provision state changes in the same transaction that queues the operation, so that a node is never
heading somewhere with nobody taking it there.

Source: v1 contract, states (verbs, provision_request_check_order).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bessemer.config.settings import Settings
from bessemer.domain.node import Node, label
from bessemer.domain.operation import NewOperation
from bessemer.domain.provision import (
    KINDS,
    TARGETS,
    Event,
    ProvisionState,
    StateKind,
    Verb,
    event_for,
    next_state,
)
from bessemer.engine.gateway import Gateway
from bessemer.image.config_drive import check_config_drive
from bessemer.image.source import validate_instance
from bessemer.kernel.error import Conflict, Forbidden, InvalidValue, Unsupported
from bessemer.service.caller import Caller
from bessemer.service.node_access import NodeAccess
from bessemer.service.step import check_clean_steps, check_deploy_steps, check_service_steps
from bessemer.service.task import Tasks
from bessemer.store.database import Transaction
from bessemer.store.event import add_event
from bessemer.store.node import update_node
from bessemer.store.operation import find_active

_S = ProvisionState

#: Verbs whose second name changes nothing.
_ALIASES = {Verb.DEPLOY: Verb.ACTIVE, Verb.UNDEPLOY: Verb.DELETED}
_REFUSED_IN_MAINTENANCE = frozenset(
    {Verb.ACTIVE, Verb.REBUILD, Verb.CLEAN, Verb.SERVICE, Verb.RESCUE, Verb.UNRESCUE}
)
_REFUSED_PROTECTED = frozenset({Verb.REBUILD, Verb.DELETED})
#: Which verbs take which argument.
_ARGUMENTS: Mapping[str, frozenset[Verb]] = {
    "configdrive": frozenset({Verb.ACTIVE, Verb.REBUILD}),
    "runbook": frozenset({Verb.CLEAN, Verb.SERVICE}),
    "disable_ramdisk": frozenset({Verb.CLEAN, Verb.SERVICE}),
    "clean_steps": frozenset({Verb.CLEAN}),
    "deploy_steps": frozenset({Verb.ACTIVE, Verb.DEPLOY, Verb.REBUILD}),
    "service_steps": frozenset({Verb.SERVICE}),
    "rescue_password": frozenset({Verb.RESCUE}),
}
_LATER = frozenset({Verb.ADOPT, Verb.RESCUE, Verb.UNRESCUE, Verb.UNHOLD, Verb.SERVICE})

#: Called with the node's state once it is known; raises when the client's version may not ask this then.
StateGate = Callable[[ProvisionState], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvisionRequest:
    """``arguments`` holds what was given besides the verb, by its v1 name."""

    verb: Verb
    arguments: Mapping[str, Any]


class ProvisionService:
    def __init__(self, access: NodeAccess, gateway: Gateway, tasks: Tasks, settings: Settings) -> None:
        self._access = access
        self._gateway = gateway
        self._tasks = tasks
        self._settings = settings

    async def request(
        self, caller: Caller, ident: str, request: ProvisionRequest, *, gate: StateGate = lambda _: None
    ) -> Node:
        """Move a node on, or start the operation that will. The node as it is then.

        Raises:
            NotFound: No such node.
            InvalidValue: The verb is not possible in the node's state, in maintenance, or with these
                arguments; or the node's settings cannot work.
            Forbidden: The node is protected.
            NodeLocked: An operation is at work on the node.
            Conflict: The state does not allow it although the verb fits.
        """

        async def work(tx: Transaction, node: Node) -> Node:
            event = self._check(node, request, gate)
            return await self._start(tx, caller, node, request, event)

        return await self._access.change(caller, ident, work)

    # ------------------------------------------------------------------ may it be asked?

    def _check(self, node: Node, request: ProvisionRequest, gate: StateGate) -> Event:
        """Everything that can be told from the record, in the order clients know."""
        verb = _ALIASES.get(request.verb, request.verb)
        if node.maintenance and verb in (Verb.ACTIVE, Verb.REBUILD):
            raise _in_maintenance(node, request.verb)
        event = event_for(node.provision_state, request.verb)
        self._check_arguments(request)
        gate(node.provision_state)
        if node.maintenance:
            self._check_maintenance(node, verb)
        if node.protected and verb in _REFUSED_PROTECTED:
            raise Forbidden(
                f"Node '{label(node)}' is protected: {request.verb} is refused.",
                hint="Clear 'protected' first.",
            )
        if node.retired and verb is Verb.PROVIDE:
            raise InvalidValue(f"Node '{label(node)}' is retired and can not be made available.")
        if verb in _LATER:
            raise Unsupported(f"The target '{request.verb}' is not supported by this release.")
        return event

    def _check_maintenance(self, node: Node, verb: Verb) -> None:
        if verb in _REFUSED_IN_MAINTENANCE:
            raise _in_maintenance(node, verb)
        if verb is Verb.PROVIDE and not self._settings.conductor.allow_provisioning_in_maintenance:
            raise _in_maintenance(node, verb)
        if verb is Verb.ABORT and node.provision_state is _S.SERVICE_FAILED:
            raise Conflict(f"Node '{label(node)}' is in maintenance: abort is refused.")

    def _check_arguments(self, request: ProvisionRequest) -> None:
        """Raises InvalidValue for an argument that does not go with the verb, or is malformed."""
        given = request.arguments
        for name in given:
            if request.verb not in _ARGUMENTS[name]:
                wanted = ", ".join(sorted(_ARGUMENTS[name]))
                raise InvalidValue(f"'{name}' can only be given with the target {wanted}.")
        if "configdrive" in given:
            check_config_drive(given["configdrive"])
        if "runbook" in given:
            if "clean_steps" in given or "service_steps" in given:
                raise InvalidValue("A runbook and explicit steps can not be given together.")
            raise Unsupported("Runbooks are not supported by this release.")
        if request.verb is Verb.CLEAN:
            check_clean_steps(given.get("clean_steps"))
        if "deploy_steps" in given:
            check_deploy_steps(given["deploy_steps"])
        if "service_steps" in given:
            check_service_steps(given["service_steps"])
        if request.verb is Verb.RESCUE and not given.get("rescue_password"):
            raise InvalidValue("'rescue_password' must not be empty.")

    # ------------------------------------------------------------------ do it

    async def _start(
        self, tx: Transaction, caller: Caller, node: Node, request: ProvisionRequest, event: Event
    ) -> Node:
        given = request.arguments
        match _ALIASES.get(request.verb, request.verb):
            case Verb.MANAGE if node.provision_state is _S.ENROLL:
                node = await self._move(tx, caller, node, event)
                await self._enqueue(tx, caller, node, "verify")
            case Verb.MANAGE:
                node = await self._move(tx, caller, node, event)
            case Verb.PROVIDE:
                node = await self._provide(tx, caller, node, event)
            case Verb.INSPECT:
                await self._validate(tx, node, "power", "inspect")
                node = await self._move(tx, caller, node, event)
                await self._enqueue(tx, caller, node, "inspect")
            case Verb.CLEAN:
                await self._validate(tx, node, "power", "network")
                node = await self._move(tx, caller, node, event, target=_S.MANAGEABLE)
                args = {"automated": False, "clean_steps": check_clean_steps(given["clean_steps"])}
                if given.get("disable_ramdisk"):
                    args["disable_ramdisk"] = True
                await self._enqueue(tx, caller, node, "clean", args)
            case Verb.ACTIVE | Verb.REBUILD as verb:
                node = await self._deploy(tx, caller, node, event, given, is_rebuild=verb is Verb.REBUILD)
            case Verb.DELETED:
                await self._cancel_waiting(tx, node, "deleted")
                node = await self._move(tx, caller, node, event)
                await self._enqueue(tx, caller, node, "tear down")
            case Verb.ABORT:
                node = await self._abort(tx, caller, node, event)
        return node

    async def _provide(self, tx: Transaction, caller: Caller, node: Node, event: Event) -> Node:
        wanted = node.automated_clean
        if self._settings.conductor.automated_clean if wanted is None else wanted:
            node = await self._move(tx, caller, node, event)
            await self._enqueue(tx, caller, node, "clean", {"automated": True})
            return node
        node = await self._move(tx, caller, node, event)
        return await self._move(tx, caller, node, Event.DONE)

    async def _deploy(
        self,
        tx: Transaction,
        caller: Caller,
        node: Node,
        event: Event,
        given: Mapping[str, Any],
        *,
        is_rebuild: bool,
    ) -> Node:
        """The config drive goes to ``instance_info``, where deployment reads it and answers mask it."""
        task = await self._validate(tx, node, "power", "deploy", "storage")
        if task.driver.deploy.needs_agent:
            task.driver.boot.validate(task)
            validate_instance(node, self._settings)
        if given.get("configdrive"):
            info = {**node.instance_info, "configdrive": given["configdrive"]}
            await update_node(tx, node.uuid, instance_info=info)
        node = await self._move(tx, caller, node, event)
        args: dict[str, Any] = {"rebuild": is_rebuild}
        if given.get("deploy_steps"):
            args["deploy_steps"] = given["deploy_steps"]
        await self._enqueue(tx, caller, node, "deploy", args)
        return node

    async def _abort(self, tx: Transaction, caller: Caller, node: Node, event: Event) -> Node:
        """The operation moves the node when it has stopped; without one there is nothing to wait for."""
        if await self._cancel_waiting(tx, node, "aborted"):
            return node
        return await self._move(tx, caller, node, event)

    async def _cancel_waiting(self, tx: Transaction, node: Node, reason: str) -> bool:
        if KINDS[node.provision_state] not in (StateKind.WAITING, StateKind.HOLD):
            return False
        active = await find_active(tx, node.uuid)
        if active is None:
            return False
        await self._gateway.cancel(tx, active.uuid, reason)
        return True

    async def _validate(self, tx: Transaction, node: Node, *kinds: str) -> Any:
        """Ask the interfaces whether the node's settings are complete. Raises InvalidValue."""
        task = await self._tasks.open_in(tx, node)
        for kind in kinds:
            getattr(task.driver, kind).validate(task)
        return task

    async def _move(
        self, tx: Transaction, caller: Caller, node: Node, event: Event, *, target: _S | None = None
    ) -> Node:
        """Change the state, and write it into the node's history."""
        state = next_state(node.provision_state, event)
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

    async def _enqueue(
        self, tx: Transaction, caller: Caller, node: Node, kind: str, args: dict[str, Any] | None = None
    ) -> None:
        await self._gateway.enqueue(
            tx,
            NewOperation(
                node_uuid=node.uuid,
                kind=kind,
                args=args or {},
                conductor_group=node.conductor_group,
                requested_by=caller.label,
                request_id=caller.request_id,
            ),
        )


def _in_maintenance(node: Node, verb: Verb) -> InvalidValue:
    return InvalidValue(f"Node '{label(node)}' is in maintenance: {verb} is refused.")
