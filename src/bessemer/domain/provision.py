"""The life of a node as data: provision states, what moves a node between them, and who may ask.

Three tables say everything. ``TRANSITIONS`` is the machine: state, event, next state. ``VERBS`` is what an
API caller may ask for and from which states. ``TARGETS`` is where a node in a passing state is heading.
Reference: the v1 contract's state machine (30 states, 93 transitions).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from bessemer.kernel.error import InvalidValue


class ProvisionState(StrEnum):
    ENROLL = "enroll"
    VERIFYING = "verifying"
    MANAGEABLE = "manageable"
    AVAILABLE = "available"
    ACTIVE = "active"
    ERROR = "error"
    DEPLOYING = "deploying"
    DEPLOY_WAIT = "wait call-back"
    DEPLOY_FAILED = "deploy failed"
    DEPLOY_HOLD = "deploy hold"
    DELETING = "deleting"
    CLEANING = "cleaning"
    CLEAN_WAIT = "clean wait"
    CLEAN_FAILED = "clean failed"
    CLEAN_HOLD = "clean hold"
    INSPECTING = "inspecting"
    INSPECT_WAIT = "inspect wait"
    INSPECT_FAILED = "inspect failed"
    ADOPTING = "adopting"
    ADOPT_FAILED = "adopt failed"
    RESCUE = "rescue"
    RESCUING = "rescuing"
    RESCUE_WAIT = "rescue wait"
    RESCUE_FAILED = "rescue failed"
    UNRESCUING = "unrescuing"
    UNRESCUE_FAILED = "unrescue failed"
    SERVICING = "servicing"
    SERVICE_WAIT = "service wait"
    SERVICE_FAILED = "service failed"
    SERVICE_HOLD = "service hold"


class Event(StrEnum):
    """What happens to a node. The first block is asked for by people, the second reported by operations."""

    MANAGE = "manage"
    PROVIDE = "provide"
    INSPECT = "inspect"
    CLEAN = "clean"
    ADOPT = "adopt"
    DEPLOY = "deploy"
    REBUILD = "rebuild"
    DELETE = "delete"
    RESCUE = "rescue"
    UNRESCUE = "unrescue"
    SERVICE = "service"
    ABORT = "abort"
    UNHOLD = "unhold"

    DONE = "done"
    FAIL = "fail"
    WAIT = "wait"
    RESUME = "resume"
    HOLD = "hold"


class Verb(StrEnum):
    """Targets of the provision request of the v1 API."""

    MANAGE = "manage"
    PROVIDE = "provide"
    INSPECT = "inspect"
    ABORT = "abort"
    CLEAN = "clean"
    ADOPT = "adopt"
    ACTIVE = "active"
    DEPLOY = "deploy"
    DELETED = "deleted"
    UNDEPLOY = "undeploy"
    REBUILD = "rebuild"
    RESCUE = "rescue"
    UNRESCUE = "unrescue"
    UNHOLD = "unhold"
    SERVICE = "service"


class StateKind(StrEnum):
    """How long a node stays: for good, after a failure, while work runs, while work waits, or on hold."""

    STABLE = "stable"
    FAILED = "failed"
    RUNNING = "running"
    WAITING = "waiting"
    HOLD = "hold"


_S, _E = ProvisionState, Event

TRANSITIONS: Mapping[ProvisionState, Mapping[Event, ProvisionState]] = MappingProxyType(
    {
        _S.ENROLL: {_E.MANAGE: _S.VERIFYING},
        _S.VERIFYING: {_E.DONE: _S.MANAGEABLE, _E.FAIL: _S.ENROLL},
        _S.MANAGEABLE: {
            _E.ADOPT: _S.ADOPTING,
            _E.CLEAN: _S.CLEANING,
            _E.INSPECT: _S.INSPECTING,
            _E.PROVIDE: _S.CLEANING,
        },
        _S.AVAILABLE: {_E.DEPLOY: _S.DEPLOYING, _E.MANAGE: _S.MANAGEABLE},
        _S.ACTIVE: {
            _E.DELETE: _S.DELETING,
            _E.REBUILD: _S.DEPLOYING,
            _E.RESCUE: _S.RESCUING,
            _E.SERVICE: _S.SERVICING,
        },
        _S.ERROR: {_E.DELETE: _S.DELETING, _E.REBUILD: _S.DEPLOYING},
        _S.DEPLOYING: {
            _E.DONE: _S.ACTIVE,
            _E.FAIL: _S.DEPLOY_FAILED,
            _E.HOLD: _S.DEPLOY_HOLD,
            _E.WAIT: _S.DEPLOY_WAIT,
        },
        _S.DEPLOY_WAIT: {
            _E.ABORT: _S.DEPLOY_FAILED,
            _E.DELETE: _S.DELETING,
            _E.FAIL: _S.DEPLOY_FAILED,
            _E.HOLD: _S.DEPLOY_HOLD,
            _E.RESUME: _S.DEPLOYING,
        },
        _S.DEPLOY_FAILED: {_E.DELETE: _S.DELETING, _E.DEPLOY: _S.DEPLOYING, _E.REBUILD: _S.DEPLOYING},
        _S.DEPLOY_HOLD: {_E.ABORT: _S.DEPLOY_FAILED, _E.UNHOLD: _S.DEPLOY_WAIT},
        _S.DELETING: {_E.CLEAN: _S.CLEANING, _E.FAIL: _S.ERROR},
        _S.CLEANING: {
            _E.DONE: _S.AVAILABLE,
            _E.FAIL: _S.CLEAN_FAILED,
            _E.HOLD: _S.CLEAN_HOLD,
            _E.MANAGE: _S.MANAGEABLE,
            _E.WAIT: _S.CLEAN_WAIT,
        },
        _S.CLEAN_WAIT: {
            _E.ABORT: _S.CLEAN_FAILED,
            _E.FAIL: _S.CLEAN_FAILED,
            _E.HOLD: _S.CLEAN_HOLD,
            _E.RESUME: _S.CLEANING,
        },
        _S.CLEAN_FAILED: {_E.MANAGE: _S.MANAGEABLE},
        _S.CLEAN_HOLD: {_E.ABORT: _S.CLEAN_FAILED, _E.UNHOLD: _S.CLEAN_WAIT},
        _S.INSPECTING: {_E.DONE: _S.MANAGEABLE, _E.FAIL: _S.INSPECT_FAILED, _E.WAIT: _S.INSPECT_WAIT},
        _S.INSPECT_WAIT: {
            _E.ABORT: _S.INSPECT_FAILED,
            _E.DONE: _S.MANAGEABLE,
            _E.FAIL: _S.INSPECT_FAILED,
            _E.RESUME: _S.INSPECTING,
        },
        _S.INSPECT_FAILED: {_E.INSPECT: _S.INSPECTING, _E.MANAGE: _S.MANAGEABLE},
        _S.ADOPTING: {_E.DONE: _S.ACTIVE, _E.FAIL: _S.ADOPT_FAILED},
        _S.ADOPT_FAILED: {_E.ADOPT: _S.ADOPTING, _E.MANAGE: _S.MANAGEABLE},
        _S.RESCUE: {_E.DELETE: _S.DELETING, _E.RESCUE: _S.RESCUING, _E.UNRESCUE: _S.UNRESCUING},
        _S.RESCUING: {_E.DONE: _S.RESCUE, _E.FAIL: _S.RESCUE_FAILED, _E.WAIT: _S.RESCUE_WAIT},
        _S.RESCUE_WAIT: {
            _E.ABORT: _S.RESCUE_FAILED,
            _E.DELETE: _S.DELETING,
            _E.FAIL: _S.RESCUE_FAILED,
            _E.RESUME: _S.RESCUING,
        },
        _S.RESCUE_FAILED: {_E.DELETE: _S.DELETING, _E.RESCUE: _S.RESCUING, _E.UNRESCUE: _S.UNRESCUING},
        _S.UNRESCUING: {_E.DONE: _S.ACTIVE, _E.FAIL: _S.UNRESCUE_FAILED},
        _S.UNRESCUE_FAILED: {_E.DELETE: _S.DELETING, _E.RESCUE: _S.RESCUING, _E.UNRESCUE: _S.UNRESCUING},
        _S.SERVICING: {
            _E.DONE: _S.ACTIVE,
            _E.FAIL: _S.SERVICE_FAILED,
            _E.HOLD: _S.SERVICE_HOLD,
            _E.WAIT: _S.SERVICE_WAIT,
        },
        _S.SERVICE_WAIT: {
            _E.ABORT: _S.SERVICE_FAILED,
            _E.DELETE: _S.DELETING,
            _E.FAIL: _S.SERVICE_FAILED,
            _E.HOLD: _S.SERVICE_HOLD,
            _E.RESUME: _S.SERVICING,
        },
        _S.SERVICE_FAILED: {
            _E.ABORT: _S.ACTIVE,
            _E.DELETE: _S.DELETING,
            _E.HOLD: _S.SERVICE_HOLD,
            _E.RESCUE: _S.RESCUING,
            _E.SERVICE: _S.SERVICING,
            _E.WAIT: _S.SERVICE_WAIT,
        },
        _S.SERVICE_HOLD: {
            _E.ABORT: _S.SERVICE_FAILED,
            _E.FAIL: _S.SERVICE_FAILED,
            _E.SERVICE: _S.SERVICING,
            _E.UNHOLD: _S.SERVICE_WAIT,
        },
    }
)

KINDS: Mapping[ProvisionState, StateKind] = MappingProxyType(
    {
        **dict.fromkeys(
            (_S.ENROLL, _S.MANAGEABLE, _S.AVAILABLE, _S.ACTIVE, _S.ERROR, _S.RESCUE), StateKind.STABLE
        ),
        **{state: StateKind.FAILED for state in _S if state.value.endswith(" failed")},
        **{state: StateKind.HOLD for state in _S if state.value.endswith(" hold")},
        **dict.fromkeys(
            (_S.DEPLOY_WAIT, _S.CLEAN_WAIT, _S.INSPECT_WAIT, _S.RESCUE_WAIT, _S.SERVICE_WAIT),
            StateKind.WAITING,
        ),
        **{state: StateKind.RUNNING for state in _S if state.value.endswith("ing")},
    }
)

#: Where a node in a state is heading. Manual cleaning heads for manageable instead (see ``next_state``).
TARGETS: Mapping[ProvisionState, ProvisionState] = MappingProxyType(
    {
        _S.VERIFYING: _S.MANAGEABLE,
        **dict.fromkeys((_S.DEPLOYING, _S.DEPLOY_WAIT, _S.DEPLOY_FAILED, _S.DEPLOY_HOLD), _S.ACTIVE),
        **dict.fromkeys((_S.CLEANING, _S.CLEAN_WAIT, _S.CLEAN_FAILED, _S.CLEAN_HOLD), _S.AVAILABLE),
        _S.DELETING: _S.AVAILABLE,
        **dict.fromkeys((_S.INSPECTING, _S.INSPECT_WAIT, _S.INSPECT_FAILED), _S.MANAGEABLE),
        **dict.fromkeys((_S.ADOPTING, _S.ADOPT_FAILED), _S.ACTIVE),
        **dict.fromkeys((_S.RESCUING, _S.RESCUE_WAIT, _S.RESCUE_FAILED), _S.RESCUE),
        **dict.fromkeys((_S.UNRESCUING, _S.UNRESCUE_FAILED), _S.ACTIVE),
        **dict.fromkeys((_S.SERVICING, _S.SERVICE_WAIT, _S.SERVICE_FAILED, _S.SERVICE_HOLD), _S.ACTIVE),
    }
)


@dataclass(frozen=True, slots=True)
class VerbRule:
    """What a verb asks of the machine: the event it stands for and the states it may be asked in."""

    event: Event
    states: frozenset[ProvisionState]


def _rule(event: Event, *states: ProvisionState) -> VerbRule:
    return VerbRule(event, frozenset(states))


_DEPLOY = _rule(_E.DEPLOY, _S.AVAILABLE, _S.DEPLOY_FAILED)
_DELETE = _rule(
    _E.DELETE,
    _S.ACTIVE, _S.ERROR, _S.RESCUE, _S.DEPLOY_WAIT, _S.DEPLOY_FAILED, _S.RESCUE_WAIT, _S.RESCUE_FAILED,
    _S.UNRESCUE_FAILED, _S.SERVICE_WAIT, _S.SERVICE_FAILED,
)  # fmt: skip

VERBS: Mapping[Verb, VerbRule] = MappingProxyType({
    Verb.MANAGE: _rule(
        _E.MANAGE, _S.ENROLL, _S.AVAILABLE, _S.CLEAN_FAILED, _S.INSPECT_FAILED, _S.ADOPT_FAILED
    ),
    Verb.PROVIDE: _rule(_E.PROVIDE, _S.MANAGEABLE),
    Verb.INSPECT: _rule(_E.INSPECT, _S.MANAGEABLE, _S.INSPECT_FAILED),
    Verb.ABORT: _rule(
        _E.ABORT,
        _S.CLEAN_WAIT, _S.CLEAN_HOLD, _S.RESCUE_WAIT, _S.INSPECT_WAIT, _S.DEPLOY_WAIT, _S.DEPLOY_HOLD,
        _S.SERVICE_WAIT, _S.SERVICE_HOLD, _S.SERVICE_FAILED,
    ),
    Verb.CLEAN: _rule(_E.CLEAN, _S.MANAGEABLE),
    Verb.ADOPT: _rule(_E.ADOPT, _S.MANAGEABLE, _S.ADOPT_FAILED),
    Verb.ACTIVE: _DEPLOY,
    Verb.DEPLOY: _DEPLOY,
    Verb.DELETED: _DELETE,
    Verb.UNDEPLOY: _DELETE,
    Verb.REBUILD: _rule(_E.REBUILD, _S.ACTIVE, _S.ERROR, _S.DEPLOY_FAILED),
    Verb.RESCUE: _rule(
        _E.RESCUE, _S.ACTIVE, _S.RESCUE, _S.RESCUE_FAILED, _S.UNRESCUE_FAILED, _S.SERVICE_FAILED
    ),
    Verb.UNRESCUE: _rule(_E.UNRESCUE, _S.RESCUE, _S.RESCUE_FAILED, _S.UNRESCUE_FAILED),
    Verb.UNHOLD: _rule(_E.UNHOLD, _S.CLEAN_HOLD, _S.DEPLOY_HOLD, _S.SERVICE_HOLD),
    Verb.SERVICE: _rule(_E.SERVICE, _S.ACTIVE, _S.SERVICE_FAILED, _S.SERVICE_HOLD),
})  # fmt: skip


def next_state(state: ProvisionState, event: Event) -> ProvisionState:
    """The state that ``event`` leads to.

    Raises:
        InvalidValue: The event cannot happen in ``state``.
    """
    found = TRANSITIONS[state].get(event)
    if found is None:
        raise InvalidValue(f"A node in state '{state}' cannot take the event '{event}'.")
    return found


def event_for(state: ProvisionState, verb: Verb) -> Event:
    """The event that ``verb`` stands for, if it may be asked for in ``state``.

    Raises:
        InvalidValue: The verb is not possible in ``state``; the message names those that are.
    """
    rule = VERBS[verb]
    if state not in rule.states:
        possible = sorted(v.value for v, r in VERBS.items() if state in r.states)
        raise InvalidValue(
            f"The requested action '{verb}' can not be performed while the node is in state '{state}'.",
            hint=f"Possible now: {', '.join(possible) or 'nothing, wait for the running work'}.",
        )
    return rule.event


def is_settled(state: ProvisionState) -> bool:
    """Whether no work is under way: the node stays as it is until somebody asks for something."""
    return KINDS[state] in (StateKind.STABLE, StateKind.FAILED)
