"""What a node should be after each call: a model of its life that knows nothing of the service.

The model says which status a call gets, and where the node may be once the work that the call started is
over. On healthy machines that is one state; where machines fail it is also any state that a failure leads to.
Source: v1 contract, states (``contract.toml``) and its guards.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from property.provision.contract import GUARDS, STATES

#: The event that a verb stands for.
_EVENTS = {"active": "deploy", "deploy": "deploy", "deleted": "delete", "undeploy": "delete"}
_REFUSED_IN_MAINTENANCE = frozenset({"active", "deploy", "rebuild", "clean", "service", "rescue", "unrescue"})
_REFUSED_PROTECTED = frozenset({"rebuild", "deleted", "undeploy"})
#: Which verbs take which argument.
_TAKES = {
    "clean_steps": frozenset({"clean"}),
    "service_steps": frozenset({"service"}),
    "deploy_steps": frozenset({"active", "deploy", "rebuild"}),
    "rescue_password": frozenset({"rescue"}),
    "configdrive": frozenset({"active", "rebuild"}),  # not with the alias
}
NEEDS = {"clean": "clean_steps", "service": "service_steps", "rescue": "rescue_password"}
#: Work that leaves a node in maintenance when it fails at one of the steps that were asked for.
_FAULTS = {"clean failed": "clean failure", "service failed": "service failure"}
#: Steps a request may name: one that works, one that holds the node, one that waits for the agent (that
#: never comes here), one that no interface has.
WORKS, HOLDS, WAITS, UNKNOWN = "works", "holds", "waits", "unknown"
_STOPS = {HOLDS: "hold", WAITS: "wait"}


@dataclass(frozen=True)
class Ask:
    """A provision request. ``steps``: what it names, in order; ``is_bad``: an argument is malformed."""

    verb: str
    arguments: frozenset[str] = frozenset()
    steps: tuple[str, ...] = ()
    is_bad: bool = False


@dataclass(frozen=True)
class Node:
    """A node as clients see it. ``steps`` are those still to be done by the work that is held."""

    state: str = "enroll"
    maintenance: bool = False
    fault: str | None = None
    protected: bool = False
    retired: bool = False
    automated_clean: bool | None = None
    disable_power_off: bool = False
    #: Whether inspection and rescue go by an agent, which never comes here.
    by_agent: bool = False
    is_manual: bool = False
    has_failed: bool = False
    steps: tuple[str, ...] = field(default=(), compare=False)

    @property
    def target(self) -> str | None:
        if self.is_manual and self.state in ("cleaning", "clean wait", "clean hold", "clean failed"):
            return "manageable"
        return STATES[self.state].target

    @property
    def is_at_work(self) -> bool:
        return not STATES[self.state].is_settled


# --------------------------------------------------------------------------- provision requests


def status_of(node: Node, ask: Ask) -> int:
    """What the request is answered with."""
    if ask.verb not in STATES[node.state].verbs or not _arguments_fit(ask):
        return 400
    if node.maintenance and ask.verb in _REFUSED_IN_MAINTENANCE:
        return 400
    if node.maintenance and ask.verb == "abort" and node.state == "service failed":
        return 409
    if node.protected and ask.verb in _REFUSED_PROTECTED:
        return 403
    if node.retired and ask.verb == "provide":
        return 400
    return 202


def _arguments_fit(ask: Ask) -> bool:
    fits = all(ask.verb in _TAKES[name] for name in ask.arguments)
    if "deploy_steps" in ask.arguments:  # they are ordered by priority: each may be named once
        fits = fits and len(set(ask.steps)) == len(ask.steps)
    return fits and not ask.is_bad and NEEDS.get(ask.verb, "") in {*ask.arguments, ""}


def after(node: Node, ask: Ask, *, machines_fail: bool) -> list[Node]:
    """Every way the node may be when the granted request's work is over or held; the likely one first."""
    if ask.verb == "abort":
        return _aborted(node, machines_fail=machines_fail)
    if ask.verb == "unhold":
        # A change of power may have failed meanwhile: going on wipes that out.
        going_on = replace(node, state=_next(node, "unhold"), has_failed=False)
        return _work(going_on, machines_fail=machines_fail)
    event = _EVENTS.get(ask.verb, ask.verb)
    started = replace(node, state=_next(node, event), has_failed=False, steps=ask.steps)
    if not started.is_at_work:
        return [replace(started, is_manual=False)]
    started = replace(started, is_manual=ask.verb == "clean")
    if started.state == "deleting":
        return _torn_down(started, machines_fail=machines_fail)
    if ask.verb == "provide" and node.automated_clean is False:
        return [replace(started, state="available")]
    return _work(started, machines_fail=machines_fail)


def _next(node: Node, event: str) -> str:
    return STATES[node.state].events[event]


def _work(node: Node, *, machines_fail: bool) -> list[Node]:
    """The ends of work, from the state it runs or waits in."""
    if STATES[node.state].kind == "waiting":
        node = replace(node, state=_next(node, "resume"))
    if node.by_agent and node.state in ("inspecting", "rescuing"):
        likely = replace(node, state=_next(node, "wait"))
        return [likely, _failed(node)] if machines_fail else [likely]
    if UNKNOWN in node.steps:
        return [_failed(node)]
    stop = next((number for number, step in enumerate(node.steps) if step in _STOPS), None)
    if stop is not None:
        event = _STOPS[node.steps[stop]]
        likely = replace(node, state=_next(node, event), steps=node.steps[stop + 1 :])
    else:
        is_kept = node.state == "cleaning" and (node.is_manual or node.retired)
        likely = replace(node, state=_next(node, "manage" if is_kept else "done"), steps=(), is_manual=False)
    return [likely, _failed(node), _failed_in_step(node)] if machines_fail else [likely]


def _torn_down(node: Node, *, machines_fail: bool) -> list[Node]:
    """The instance goes, then the machine is cleaned as a part of it."""
    cleaning = replace(node, state=_next(node, "clean"), steps=())
    if node.automated_clean is False:
        ends = [replace(cleaning, state="manageable" if node.retired else "available")]
    else:
        ends = _work(cleaning, machines_fail=machines_fail)
    return [*ends, _failed(node)] if machines_fail else ends


def _aborted(node: Node, *, machines_fail: bool) -> list[Node]:
    """Servicing that is stopped gives the machine back to its instance, if it can."""
    if node.state == "service failed":
        back = replace(node, state="active", has_failed=False)
        return [back, replace(node, has_failed=True)] if machines_fail else [back]
    stopped = replace(node, state=_next(node, "abort"), has_failed=True, steps=())
    if node.state == "rescue wait" and machines_fail:
        return [stopped, replace(stopped, maintenance=True, fault="rescue abort failure")]
    if stopped.state != "service failed":
        return [stopped]
    back = replace(stopped, state="active")
    return [back, stopped] if machines_fail else [back]


def _failed(node: Node) -> Node:
    return replace(node, state=_next(node, "fail"), has_failed=True, steps=())


def _failed_in_step(node: Node) -> Node:
    failed = _failed(node)
    fault = _FAULTS.get(failed.state)
    return replace(failed, maintenance=True, fault=fault) if fault else failed


def may_end(state: str) -> set[str]:
    """Every settled or held state that work running in ``state`` may lead to, by whatever happens to it."""
    seen, todo = {state}, [state]
    while todo:
        row = STATES[todo.pop()]
        events: Iterable[str] = () if row.is_settled else row.events.values()
        for following in set(events) - seen:
            seen.add(following)
            todo.append(following)
    return {found for found in seen if STATES[found].kind != "transient"}


# --------------------------------------------------------------------------- everything else


def patch_status(node: Node, changes: Mapping[str, object]) -> int:
    """What a change of fields is answered with."""
    if node.target is not None and node.state not in GUARDS["patch"]:
        return 409
    if changes.get("protected") and node.state not in GUARDS["protect"]:
        return 409
    if changes.get("retired") and not node.retired and node.state == "available":
        return 409
    if "resource_class" in changes and node.state not in GUARDS["resource_class"]:
        return 409
    return 200


def delete_status(node: Node) -> int:
    if node.protected:
        return 403
    return 204 if node.maintenance or node.state in GUARDS["delete"] else 409


def power_status(node: Node, target: str) -> int:
    """What a change of power is answered with; work that waits or is held does not stand in its way."""
    if node.state in ("cleaning", "clean wait"):
        return 400
    return 409 if node.disable_power_off and target in ("power off", "soft power off") else 202


def without_maintenance(node: Node) -> Node:
    return replace(node, maintenance=False, fault=None)
