"""What is measured, what Ironic 39 was measured at, and how many times cheaper Bessemer has to be."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Goal:
    """``ironic_ms``: CPU of one operation on the machine the design was made on, None where it was not
    measured. ``factor``: required ratio to Ironic measured in the same run, None where none is required.
    """

    title: str
    ironic_ms: float | None = None
    factor: int | None = None


GET = Goal("GET node", 5.7, 8)
CREATE = Goal("create node", 20, 8)
PATCH = Goal("PATCH node", 40, 8)
LIST = Goal("list 1000 nodes", 190, 20)
LIST_DETAIL = Goal("list 1000 with detail", 400, 20)
LIST_FIELDS = Goal("list 1000, 3 fields")
WALK = Goal("walk all by pages")
FILTER = Goal("filter by state and class")
POWER = Goal("power change", 55)
CYCLE = Goal("deploy, delete, clean", 115, 10)

GOALS = (GET, CREATE, PATCH, LIST, LIST_DETAIL, LIST_FIELDS, WALK, FILTER, POWER, CYCLE)

FIRST_ANSWER_S = 1.5
RESIDENT_MIB = 120.0
#: The fleet that bound of memory is for.
RESIDENT_NODES = 10_000
