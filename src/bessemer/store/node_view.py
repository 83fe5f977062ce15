"""What sweeps know of nodes before they look at the machines: many nodes with one statement."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import JSON, Text, bindparam, cast, exists, func, select

from bessemer.domain.node import Node
from bessemer.domain.operation import OperationState
from bessemer.store.database import Transaction
from bessemer.store.document import encode_json
from bessemer.store.event_subscription import is_heard
from bessemer.store.node import NODE
from bessemer.store.operation import ACTIVE, is_in
from bessemer.store.statement import Statement
from bessemer.store.table import NODES, OPERATIONS

_IS_BUSY = exists().where(
    OPERATIONS.c.node_uuid == NODES.c.uuid,
    OPERATIONS.c.is_exclusive,
    is_in(OPERATIONS.c.state, *ACTIVE, OperationState.QUEUED),
)
_ALL = select(*NODE.columns, _IS_BUSY, is_heard())
# One parameter, a JSON list: see store.trait.
_UUIDS = bindparam("uuids", type_=Text())
_SQLITE = Statement(
    _ALL.where(NODES.c.uuid.in_(select(func.json_each(_UUIDS).table_valued("value").c.value)))
)
_POSTGRESQL = Statement(
    _ALL.where(NODES.c.uuid.in_(select(func.json_array_elements_text(cast(_UUIDS, JSON)).column_valued())))
)


@dataclass(frozen=True, slots=True)
class NodeView:
    """``is_busy``: an exclusive operation runs, waits or is queued on the node. ``has_events``: its BMC tells
    us when something happens, and what it tells arrives."""

    node: Node
    is_busy: bool
    has_events: bool = False


async def read_node_views(tx: Transaction, node_uuids: Sequence[str]) -> dict[str, NodeView]:
    """These nodes by their UUIDs; those that do not exist are missing."""
    statement = _POSTGRESQL if tx.is_postgresql else _SQLITE
    rows = await tx.execute(statement, {"uuids": encode_json(list(node_uuids))})
    views = (NodeView(NODE.to_record(tx, row[:-2]), bool(row[-2]), bool(row[-1])) for row in rows)
    return {view.node.uuid: view for view in views}
