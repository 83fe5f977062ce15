"""Subscriptions to events of BMCs: what is known of those there are, and those that nobody needs any more."""

from collections.abc import Sequence
from typing import Any

import structlog
from sqlalchemy import and_, bindparam, delete, exists, insert, select, update

from bessemer.domain.event_subscription import EventSubscription
from bessemer.kernel.clock import Timestamp
from bessemer.kernel.ident import new_uuid
from bessemer.kernel.seal import SealBroken
from bessemer.store.database import Transaction
from bessemer.store.sealed import SealedMapper
from bessemer.store.statement import Statement
from bessemer.store.table import EVENT_SUBSCRIPTIONS, NODES

log = structlog.get_logger(__name__)

SUBSCRIPTION = SealedMapper(
    EventSubscription, EVENT_SUBSCRIPTIONS, json_fields=("access",), secrets={"access": frozenset()}
)
_C = EVENT_SUBSCRIPTIONS.c
_OF_NODE = Statement(SUBSCRIPTION.select().where(_C.node_uuid == bindparam("key")))
_INSERT = Statement(insert(EVENT_SUBSCRIPTIONS))
_UPDATE = Statement(update(EVENT_SUBSCRIPTIONS).where(_C.uuid == bindparam("key")))
_HEARD = Statement(
    update(EVENT_SUBSCRIPTIONS).where(_C.node_uuid == bindparam("node")).values(heard_at=bindparam("now")),
    is_long=True,  # a rack loses its power: hundreds of machines tell of it together
)
_DOUBT = Statement(
    update(EVENT_SUBSCRIPTIONS)
    .where(_C.node_uuid == bindparam("node"), _C.heard_at < bindparam("before"))
    .values(heard_at=None)
)
_LEAVE = (
    update(EVENT_SUBSCRIPTIONS)
    .where(_C.node_uuid == bindparam("node"))
    .values(node_uuid=None, next_due_at=bindparam("now"), failures=0)
)
_LEFT = (
    select(_C.id)
    .where(
        _C.node_uuid.is_(None),
        _C.conductor_group == bindparam("group"),
        _C.next_due_at <= bindparam("now"),
    )
    .order_by(_C.next_due_at)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
    .cte("left_ones")
)
_CLAIM_LEFT = (
    update(EVENT_SUBSCRIPTIONS)
    .where(_C.id.in_(select(_LEFT.c.id)))
    .values(next_due_at=bindparam("claimed_until"))
    .returning(*SUBSCRIPTION.columns)
)


async def find_subscription(tx: Transaction, node_uuid: str) -> EventSubscription | None:
    """The node's subscription, as far as we know. Raises SealBroken when its access cannot be opened."""
    row = (await tx.execute(_OF_NODE, {"key": node_uuid})).first()
    return None if row is None else SUBSCRIPTION.to_record(tx, row)


async def add_subscription(
    tx: Transaction, *, node_uuid: str | None, group: str, access: dict[str, Any], path: str, context: str
) -> EventSubscription:
    """Remember a subscription; without a node it is there to be taken away. The node must be locked, and have
    none yet."""
    made = EventSubscription(
        uuid=new_uuid(),
        node_uuid=node_uuid,
        conductor_group=group,
        created_at=tx.now(),
        path=path,
        context=context,
        access=access,
        next_due_at=tx.now(),
    )
    await tx.execute(_INSERT, SUBSCRIPTION.to_row(tx, made))
    return made


async def update_subscription(tx: Transaction, uuid: str, **changes: Any) -> None:
    """Change fields (named as in ``EventSubscription``). Nothing happens when it is gone."""
    values = SUBSCRIPTION.encode(tx, uuid, {"updated_at": tx.now(), **changes})
    await tx.execute(_UPDATE, {"key": uuid, **values})


async def note_heard(tx: Transaction, node_uuids: Sequence[str]) -> None:
    """Events of these nodes have arrived."""
    if node_uuids:
        await tx.execute(_HEARD, [{"node": uuid, "now": tx.now()} for uuid in sorted(node_uuids)])


async def doubt_subscription(tx: Transaction, node_uuid: str, *, unheard_since: Timestamp) -> bool:
    """Cease to rely on the node's events, unless one came after ``unheard_since``; whether that is new."""
    return (await tx.execute(_DOUBT, {"node": node_uuid, "before": unheard_since})).rowcount > 0


async def leave_subscription(tx: Transaction, node_uuid: str) -> bool:
    """Let the node's subscription be taken away, as when the node is deleted; whether it had one."""
    return (await tx.execute(_LEAVE, {"node": node_uuid, "now": tx.now()})).rowcount > 0


async def leave_subscriptions(tx: Transaction, group: str) -> int:
    """The same for all of a conductor group; how many they were."""
    every = (
        update(EVENT_SUBSCRIPTIONS)
        .where(_C.conductor_group == group, _C.node_uuid.is_not(None))
        .values(node_uuid=None, next_due_at=tx.now(), failures=0)
    )
    return (await tx.execute(every)).rowcount


async def claim_left_subscriptions(
    tx: Transaction, group: str, *, limit: int, claimed_until: Timestamp
) -> list[EventSubscription]:
    """Up to ``limit`` subscriptions to be taken away that are due. Nobody else gets them before
    ``claimed_until``. Those whose access cannot be opened any more are forgotten instead."""
    values = {"group": group, "now": tx.now(), "most": limit, "claimed_until": claimed_until}
    claimed = []
    for row in (await tx.execute(_CLAIM_LEFT, values)).all():
        try:
            claimed.append(SUBSCRIPTION.to_record(tx, row))
        except SealBroken as error:  # nobody will ever be able to
            uuid = row[SUBSCRIPTION.fields.index("uuid")]
            log.warning("a subscription stays at a BMC: its access cannot be opened", reason=str(error))
            await delete_subscription(tx, uuid)
    return claimed


async def is_subscribed(tx: Transaction, context: str) -> bool:
    """Whether a node's subscription, one that is wanted, is known by ``context``."""
    wanted = exists().where(_C.context == context, _C.node_uuid.is_not(None))
    return bool((await tx.execute(select(wanted))).scalar_one())


async def prune_left_subscriptions(tx: Transaction, before: Timestamp) -> int:
    """Forget those that nobody has tried to take away since ``before``; how many they were."""
    old = delete(EVENT_SUBSCRIPTIONS).where(_C.node_uuid.is_(None), _C.next_due_at < before)
    return (await tx.execute(old)).rowcount


async def forget_subscription(tx: Transaction, node_uuid: str) -> None:
    """Forget the node's subscription without having it taken away. Idempotent."""
    await tx.execute(delete(EVENT_SUBSCRIPTIONS).where(_C.node_uuid == node_uuid))


async def delete_subscription(tx: Transaction, uuid: str) -> None:
    """Forget a subscription. Idempotent."""
    await tx.execute(delete(EVENT_SUBSCRIPTIONS).where(_C.uuid == uuid))


def is_heard() -> Any:
    """Of a query on nodes: whether the node's events can be relied on."""
    return exists().where(and_(_C.node_uuid == NODES.c.uuid, _C.heard_at.is_not(None)))
