"""How the service is doing: numbers and the few rows that somebody should look at."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import exists, func, select

from bessemer.domain.conductor import Conductor
from bessemer.domain.operation import OperationState
from bessemer.kernel.clock import Timestamp
from bessemer.store.conductor import list_conductors
from bessemer.store.database import Transaction
from bessemer.store.moment import shared_now
from bessemer.store.operation import ACTIVE, is_in
from bessemer.store.table import NODES, OPERATIONS

_COLUMNS = OPERATIONS.c
_OPEN = is_in(_COLUMNS.state, OperationState.QUEUED, *ACTIVE)


@dataclass(frozen=True, slots=True)
class OpenOperation:
    """An operation that is not over, with the name of its node."""

    uuid: str
    node: str
    kind: str
    version: int
    state: str
    conductor_group: str
    driver: str
    progress_text: str
    created_at: Timestamp
    waiting_since: Timestamp | None
    owner: str | None


@dataclass(frozen=True, slots=True)
class Status:
    """``counts`` are operations that are not over by kind and state, ``held`` those at work by holder."""

    now: Timestamp
    conductors: list[Conductor]
    counts: list[tuple[str, str, int]]
    held: dict[str, int]
    oldest_queued: list[OpenOperation]
    oldest_waiting: list[OpenOperation]
    reserved_for_nothing: list[str]

    def is_alive(self, conductor: Conductor) -> bool:
        return conductor.is_online and (conductor.lease_until or conductor.updated_at) > self.now

    def nobody_for(self, operation: OpenOperation) -> bool:
        """Whether no living conductor serves the operation's group, knows its kind and drives its node."""
        wanted, group, driver = (
            (operation.kind, operation.version),
            operation.conductor_group,
            operation.driver,
        )
        return not any(
            self.is_alive(one)
            and one.conductor_group == group
            and wanted in one.kinds
            and driver in (one.drivers or (driver,))
            for one in self.conductors
        )


async def read_status(tx: Transaction, *, most: int = 10) -> Status:
    """The present state of things; lists hold ``most`` rows each."""
    by_kind = select(_COLUMNS.kind, _COLUMNS.state, func.count()).where(_OPEN)
    by_owner = select(_COLUMNS.owner, func.count()).where(
        is_in(_COLUMNS.state, *ACTIVE), _COLUMNS.owner.is_not(None)
    )
    kinds = (_COLUMNS.kind, _COLUMNS.state)
    counts = await tx.execute(by_kind.group_by(*kinds).order_by(*kinds))
    held = await tx.execute(by_owner.group_by(_COLUMNS.owner))
    return Status(
        now=(await tx.execute(select(shared_now(tx)))).scalar_one(),
        conductors=await list_conductors(tx),
        counts=[(row[0], row[1], row[2]) for row in counts],
        held={row[0]: row[1] for row in held},
        oldest_queued=await _oldest(tx, OperationState.QUEUED, _COLUMNS.id, most),
        oldest_waiting=await _oldest(tx, OperationState.WAITING, _COLUMNS.waiting_since, most),
        reserved_for_nothing=await _reserved_for_nothing(tx, most),
    )


async def _oldest(tx: Transaction, state: OperationState, order: Any, most: int) -> list[OpenOperation]:
    fields = ("kind", "version", "state", "conductor_group")
    others = ("progress_text", "created_at", "waiting_since", "owner")
    statement = (
        select(_COLUMNS.uuid, func.coalesce(NODES.c.name, NODES.c.uuid))
        .add_columns(*(_COLUMNS[field] for field in fields), NODES.c.driver)
        .add_columns(*(_COLUMNS[field] for field in others))
        .join_from(OPERATIONS, NODES, NODES.c.uuid == _COLUMNS.node_uuid)
        .where(is_in(_COLUMNS.state, state))
        .order_by(order)
        .limit(most)
    )
    return [OpenOperation(*row) for row in await tx.execute(statement)]


async def _reserved_for_nothing(tx: Transaction, most: int) -> list[str]:
    """Nodes with a reservation although no operation works on them."""
    is_worked_on = exists().where(_COLUMNS.node_uuid == NODES.c.uuid, _OPEN)
    statement = (
        select(func.coalesce(NODES.c.name, NODES.c.uuid))
        .where(NODES.c.reservation.is_not(None), ~is_worked_on)
        .limit(most)
    )
    return list((await tx.execute(statement)).scalars())
