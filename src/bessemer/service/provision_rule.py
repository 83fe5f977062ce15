"""What may be asked of a node in its state, in maintenance, protected or retired; and with which arguments.

Source: v1 contract, states (verbs, provision_request_check_order, maintenance, protected, retired).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bessemer.config.settings import Settings
from bessemer.domain.node import Node, label
from bessemer.domain.provision import Event, ProvisionState, Verb, event_for
from bessemer.domain.step_request import check_clean_steps, check_deploy_steps, check_service_steps
from bessemer.image.config_drive import check_config_drive
from bessemer.kernel.error import Conflict, Forbidden, InvalidValue

#: Verbs whose second name changes nothing.
ALIASES = {Verb.DEPLOY: Verb.ACTIVE, Verb.UNDEPLOY: Verb.DELETED}
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

#: Called with the node's state once it is known; raises when the client's version may not ask this then.
StateGate = Callable[[ProvisionState], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvisionRequest:
    """``arguments`` holds what was given besides the verb, by its v1 name."""

    verb: Verb
    arguments: Mapping[str, Any]


def check_request(node: Node, request: ProvisionRequest, gate: StateGate, settings: Settings) -> Event:
    """Everything that can be told from the record, in the order clients know; the event it stands for.

    Raises:
        InvalidValue: Not in this state or in maintenance, or arguments that do not go with the verb.
        Forbidden: The node is protected.
        Conflict: Abortion in maintenance.
    """
    verb = ALIASES.get(request.verb, request.verb)
    if node.maintenance and verb in (Verb.ACTIVE, Verb.REBUILD):
        raise _in_maintenance(node, request.verb)
    event = event_for(node.provision_state, request.verb)
    _check_arguments(request, settings)
    gate(node.provision_state)
    if node.maintenance:
        _check_maintenance(node, verb, settings)
    if node.protected and verb in _REFUSED_PROTECTED:
        raise Forbidden(
            f"Node '{label(node)}' is protected: {request.verb} is refused.", hint="Clear 'protected' first."
        )
    if node.retired and verb is Verb.PROVIDE:
        raise InvalidValue(f"Node '{label(node)}' is retired and can not be made available.")
    return event


def _check_maintenance(node: Node, verb: Verb, settings: Settings) -> None:
    if verb in _REFUSED_IN_MAINTENANCE:
        raise _in_maintenance(node, verb)
    if verb is Verb.PROVIDE and not settings.conductor.allow_provisioning_in_maintenance:
        raise _in_maintenance(node, verb)
    if verb is Verb.ABORT and node.provision_state is ProvisionState.SERVICE_FAILED:
        raise Conflict(f"Node '{label(node)}' is in maintenance: abort is refused.")


def _check_arguments(request: ProvisionRequest, settings: Settings) -> None:
    """Raises InvalidValue for an argument that does not go with the verb, or is malformed."""
    given = request.arguments
    for name in given:
        if request.verb not in _ARGUMENTS[name]:
            wanted = ", ".join(sorted(_ARGUMENTS[name]))
            raise InvalidValue(f"'{name}' can only be given with the target {wanted}.")
    if "configdrive" in given:
        check_config_drive(given["configdrive"])
    _check_steps(request, settings)
    if request.verb is Verb.RESCUE and not given.get("rescue_password", "").strip():
        raise InvalidValue("'rescue_password' must not be empty.")


def _check_steps(request: ProvisionRequest, settings: Settings) -> None:
    given, api = request.arguments, settings.api
    if given.get("deploy_steps", []) != []:
        check_deploy_steps(given["deploy_steps"], disallowed=api.disallow_deploy_steps)
    if "runbook" in given:
        if "clean_steps" in given or "service_steps" in given:
            raise InvalidValue("A runbook and explicit steps can not be given together.")
        if "disable_ramdisk" in given:
            raise InvalidValue("Whether a runbook needs the ramdisk is said in the runbook.")
    elif request.verb is Verb.CLEAN:
        check_clean_steps(given.get("clean_steps"), disallowed=api.disallow_clean_steps)
    elif request.verb is Verb.SERVICE:
        check_service_steps(given.get("service_steps"), disallowed=api.disallow_service_steps)


def _in_maintenance(node: Node, verb: Verb) -> InvalidValue:
    return InvalidValue(f"Node '{label(node)}' is in maintenance: {verb} is refused.")
