"""How a rule is written down."""

from dataclasses import dataclass
from typing import Any

from oslo_policy.policy import DeprecatedRule, DocumentedRuleDefault, Operation, RuleDefault

from bessemer.policy.remote import refuse_remote_checks

refuse_remote_checks()

SYSTEM = ("system",)
PROJECT = ("project",)
BOTH = ("system", "project")

#: The first release that had the present defaults.
_SINCE = "0.1"
_REASON = "The present rules know system scope, and owners and lessees of nodes."


@dataclass(frozen=True, slots=True)
class Was:
    """What guarded the same before scopes: another rule, with another default."""

    name: str
    check: str


def rule(
    name: str,
    check: str,
    description: str,
    *calls: str,
    was: Was | str | None = None,
    scopes: tuple[str, ...] = BOTH,
    is_leaving: bool = False,
) -> RuleDefault:
    """A rule for oslo.policy.

    ``calls`` are what it guards ('GET /v1/nodes'); a rule that guards none serves to build others. ``was`` is
    what is let through besides, while ``enforce_new_defaults`` is off: an older check of the same name, or of
    another. ``scopes``: kinds of tokens it is meant for; empty: all. ``is_leaving``: it will go some day.
    """
    old = Was(name, was) if isinstance(was, str) else was
    more: dict[str, Any] = {
        "description": description,
        "scope_types": list(scopes) or None,
        "deprecated_rule": old
        and DeprecatedRule(old.name, old.check, deprecated_reason=_REASON, deprecated_since=_SINCE),
        "deprecated_for_removal": is_leaving,
        "deprecated_reason": _REASON if is_leaving else None,
        "deprecated_since": _SINCE if is_leaving else None,
    }
    if not calls:
        return RuleDefault(name, check, **more)
    guarded: list[Operation] = [
        {"method": method, "path": path} for method, path in (call.split(" ", 1) for call in calls)
    ]
    return DocumentedRuleDefault(name, check, operations=guarded, **more)
