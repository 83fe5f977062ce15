"""Runbooks: named lists of steps to clean or service the nodes they are meant for."""

import re
from collections.abc import Collection
from typing import Any, Final

import msgspec

from bessemer.domain.node import Node, label
from bessemer.domain.trait import check_trait
from bessemer.kernel.clock import Timestamp
from bessemer.kernel.error import InvalidValue
from bessemer.kernel.ident import is_uuid

JsonObject = dict[str, Any]

#: Source: v1 contract, fields of ``runbook``; RFC 3986, section 2.3.
_NAME: Final = re.compile(r"[A-Za-z0-9._~-]{1,255}")


class Runbook(msgspec.Struct, frozen=True, kw_only=True):
    """Everything stored of a runbook but its traits. Names and meanings are those of the v1 API."""

    uuid: str
    name: str
    created_at: Timestamp
    updated_at: Timestamp | None = None
    description: str | None = None
    #: Checked by ``step_request.check_runbook_steps``.
    steps: tuple[JsonObject, ...] = ()
    disable_ramdisk: bool = False
    #: Whether every project may use it; a public runbook has no owner.
    public: bool = False
    owner: str | None = None
    extra: JsonObject = {}


def check_name(name: str, *, is_trait_wanted: bool) -> None:
    """Raises InvalidValue. ``is_trait_wanted``: API versions before 1.112 know only traits as names."""
    if is_trait_wanted:
        check_trait(name)
    elif _NAME.fullmatch(name) is None or is_uuid(name):
        raise InvalidValue(
            f"{name[:80]!r} can not be the name of a runbook.",
            hint="1 to 255 letters, digits and any of . _ ~ -, not in the form of a UUID.",
        )


def check_owner(*, is_public: bool, owner: str | None) -> None:
    """Raises InvalidValue: a public runbook has no owner."""
    if is_public and owner is not None:
        raise InvalidValue("A runbook is either public or has an owner.")


def effective_traits(runbook: Runbook, traits: Collection[str]) -> frozenset[str]:
    """What the runbook is matched by: its traits, or its name when it has none.

    The name alone is how runbooks were matched before API version 1.112, and still is for clients that do
    not know traits; a name that is no trait matches nothing.
    """
    return frozenset(traits or (runbook.name,))


def check_use(runbook: Runbook, traits: Collection[str], node: Node, node_traits: Collection[str]) -> None:
    """Whether the runbook is meant for this node.

    Raises:
        InvalidValue: They share no trait, or the runbook belongs to a project that neither owns nor leases
            the node.

    Source: v1 contract, microversion 1.112; OpenStack documentation of runbooks, access control.
    """
    meant_for = effective_traits(runbook, traits)
    if meant_for.isdisjoint(node_traits):
        raise InvalidValue(
            f"Runbook '{runbook.name}' is not meant for node '{label(node)}': they share no trait.",
            hint=f"Give the node one of: {', '.join(sorted(meant_for))}.",
        )
    if runbook.owner is not None and runbook.owner not in (node.owner, node.lessee):
        raise InvalidValue(
            f"Runbook '{runbook.name}' is of a project that neither owns nor leases node '{label(node)}'."
        )


def requested_steps(runbook: Runbook) -> list[JsonObject]:
    """Its steps as a request would give them: in the order they run, without the member ``order``."""
    ordered = sorted(runbook.steps, key=lambda step: int(step["order"]))
    return [{name: value for name, value in step.items() if name != "order"} for step in ordered]
