"""An inspection rule: when its conditions hold, its actions are carried out."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import msgspec

from bessemer.domain.inspection.call import Call, parse_action, parse_condition
from bessemer.domain.inspection.draft import NODE_FIELDS, PORT_FIELDS
from bessemer.domain.inspection.path import parse_path
from bessemer.kernel.clock import Timestamp
from bessemer.kernel.error import InvalidValue

JsonObject = dict[str, Any]

PHASES: Final = ("main",)
#: Of rules made through the API; built-in ones may go before or behind them all.
PRIORITIES: Final = (0, 9999)
MOST_CALLS: Final = 500


class InspectionRule(msgspec.Struct, frozen=True, kw_only=True):
    """Everything stored of a rule. Field names and meanings are those of the v1 API."""

    uuid: str
    created_at: Timestamp
    updated_at: Timestamp | None = None
    description: str | None = None
    #: Higher first.
    priority: int = 0
    phase: str = "main"
    #: Conditions, actions and messages of a sensitive rule are shown to nobody.
    sensitive: bool = False
    #: All must hold; none: always.
    conditions: tuple[JsonObject, ...] = ()
    actions: tuple[JsonObject, ...] = ()


def in_order(rules: Iterable[InspectionRule]) -> list[InspectionRule]:
    """The order in which they run: by falling priority, then by age."""
    return sorted(rules, key=lambda rule: (-rule.priority, rule.created_at, rule.uuid))


def check_conditions(conditions: object) -> list[Call]:
    """The conditions of a rule, understood.

    Raises:
        InvalidValue: No list, or a condition with an unknown operation, missing or unknown arguments, or a
            value that is wrong whatever inspection finds; the message names it by its place.
    """
    return _parsed("conditions", conditions, parse_condition)


def check_actions(actions: object) -> list[Call]:
    """The actions of a rule, understood; at least one. Raises as ``check_conditions``."""
    calls = _parsed("actions", actions, parse_action)
    if not calls:
        raise InvalidValue("'actions' must have at least one item.")
    for number, call in enumerate(calls):
        _check_place(f"actions[{number}]", call)
    return calls


def check_update(rule: InspectionRule, *, sensitive: bool) -> None:
    """Raises InvalidValue: what was sensitive stays so."""
    if rule.sensitive and not sensitive:
        raise InvalidValue(
            "A sensitive rule can not be made visible again.", hint="Delete it and make a new one."
        )


def _parsed(name: str, items: object, parse: Callable[[str, object], Call]) -> list[Call]:
    if not isinstance(items, Sequence) or isinstance(items, str) or len(items) > MOST_CALLS:
        raise InvalidValue(f"'{name}' must be a list of at most {MOST_CALLS} objects.")
    return [parse(f"{name}[{number}]", item) for number, item in enumerate(items)]


def _check_place(where: str, call: Call) -> None:
    """That an attribute to be changed is one rules may change, where the place is known already."""
    path = call.args.get("path")
    if not call.op.endswith("-attribute") or not isinstance(path, str) or "{" in path:
        return
    allowed = PORT_FIELDS if "port" in call.op else NODE_FIELDS
    name = parse_path(path)[0]
    if name not in allowed:
        raise InvalidValue(
            f"{where}: rules can not change '{name}'.", hint=f"They can: {', '.join(sorted(allowed))}."
        )
