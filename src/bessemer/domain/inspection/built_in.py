"""Rules that come with an installation: written in a file by its operator, shown to no user.

Source: v1 contract, ``[inspection_rules]built_in_rules``: a YAML list of rules in the form of the API. Their
priority may be any number, so that they can go before or behind all rules made through the API.
"""

from typing import Any
from uuid import NAMESPACE_URL, uuid5

import msgspec

from bessemer.domain.inspection.rule import PHASES, InspectionRule, check_actions, check_conditions
from bessemer.kernel.error import InvalidValue
from bessemer.kernel.ident import is_uuid


class _Written(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    actions: list[dict[str, Any]]
    conditions: list[dict[str, Any]] = []
    description: str | None = None
    phase: str = "main"
    priority: int = 0
    sensitive: bool = False
    uuid: str | None = None


def parse_built_in_rules(text: bytes) -> tuple[InspectionRule, ...]:
    """The rules in a file, which keep its order among equals.

    Raises:
        InvalidValue: It is no YAML list of rules; the message says which rule is wrong and why.
    """
    try:
        items = msgspec.yaml.decode(text)
    except msgspec.DecodeError as error:
        raise InvalidValue(f"It is no YAML: {str(error)[:200]}") from error
    if not isinstance(items, list):
        raise InvalidValue("It must be a list of rules.")
    return tuple(_rule(number, item) for number, item in enumerate(items))


def _rule(number: int, item: object) -> InspectionRule:
    try:
        written = msgspec.convert(item, _Written)
        check_conditions(written.conditions)
        check_actions(written.actions)
    except (msgspec.ValidationError, InvalidValue) as error:
        raise InvalidValue(f"Rule {number + 1}: {error}") from error
    if written.phase not in PHASES:
        raise InvalidValue(f"Rule {number + 1}: 'phase' must be one of: {', '.join(PHASES)}.")
    if written.uuid is not None and not is_uuid(written.uuid):
        raise InvalidValue(f"Rule {number + 1}: 'uuid' is none.")
    return InspectionRule(
        uuid=written.uuid or str(uuid5(NAMESPACE_URL, f"bessemer:built-in-rule:{number}")),
        created_at=f"{number:06d}",
        description=written.description,
        priority=written.priority,
        phase=written.phase,
        sensitive=written.sensitive,
        conditions=tuple(written.conditions),
        actions=tuple(written.actions),
    )
