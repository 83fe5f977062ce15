"""What rules know of a caller: the attributes that Keystone gives a token, under oslo.policy's names."""

from collections.abc import Collection, Mapping
from typing import Any

Credentials = Mapping[str, Any]


def credentials(
    *, roles: Collection[str] = (), is_public_api: bool = False, **attributes: str | None
) -> Credentials:
    """The credentials that rules are evaluated with.

    ``roles`` are compared without regard to case. What is None is left out: a node without an owner is not
    the property of everybody whose token has no project. ``attributes``: ``user_id``, ``project_id``,
    ``domain_id``, ``system_scope`` and whatever else a rule may name.
    """
    found: dict[str, Any] = {name: value for name, value in attributes.items() if value is not None}
    found["roles"] = [role.lower() for role in roles]
    found["is_admin_project"] = True
    if is_public_api:
        found["is_public_api"] = True
    if found.get("system_scope"):
        found["system"] = found["system_scope"]
    return found
