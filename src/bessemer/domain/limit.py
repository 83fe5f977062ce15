"""Limits: how many operations of a kind may be under way at once, and how conductor groups share them."""

from collections.abc import Mapping, Sequence
from enum import IntEnum

import msgspec


class Priority(IntEnum):
    """How much of the queue an operation is entitled to: each step up is four times as much.

    No priority is absolute: what is low is served more seldom, and never not at all.
    """

    #: Nobody waits for it: what the service does by itself.
    LOW = 0
    NORMAL = 1
    #: Somebody waits for the answer.
    HIGH = 2


class Limit(msgspec.Struct, frozen=True):
    """How many operations may be running or waiting at once: everywhere, and in one conductor group. None:
    as many as there are."""

    everywhere: int | None = None
    in_group: int | None = None


class Demand(msgspec.Struct, frozen=True):
    """What a conductor group has under way and what it has queued, of the operations one limit is about."""

    group: str
    active: int = 0
    queued: int = 0


def entitlement(weight: float, priority: Priority) -> float:
    """Operations of a project of this weight that are served for each one of a project of weight 1 whose
    priority is low."""
    return float(weight * 4**priority)


def free_slots(limit: Limit, demands: Sequence[Demand], group: str) -> int | None:
    """How many more operations may be begun in ``group``; None when there is no limit.

    A group may use all that nobody else wants. Where groups want more than there is, each has a right to an
    equal share, and what one has beyond its share it gives back as its operations end. ``demands`` are those
    of every group; the queued ones of groups without a conductor must not be among them.
    """
    mine = next((one for one in demands if one.group == group), Demand(group))
    bounds = []
    if limit.in_group is not None:
        bounds.append(limit.in_group - mine.active)
    if limit.everywhere is not None:
        free = limit.everywhere - sum(one.active for one in demands)
        wanting = [one for one in demands if one.queued and one.group != group]
        share = max(1, limit.everywhere // (len(wanting) + 1))
        owed = sum(min(one.queued, max(0, share - one.active)) for one in wanting)
        bounds.append(min(free, max(share - mine.active, free - owed)))
    return max(0, min(bounds)) if bounds else None


def weights(given: Mapping[str, str]) -> dict[str, float]:
    """Weights by project, from text.

    Raises:
        ValueError: One of them is not a number from 0.001 to 1000.
    """
    found = {}
    for project, text in given.items():
        weight = float(text)
        if not 0.001 <= weight <= 1000:
            raise ValueError(f"{project}: {text} is not from 0.001 to 1000")
        found[project] = weight
    return found
