"""Nodes: create, look up, change. Their lists are in ``node_list``."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, delete, insert, update
from sqlalchemy.exc import IntegrityError

from bessemer.domain.node import JSON_FIELDS, SECRET_KEYS, Node
from bessemer.domain.power import PowerState
from bessemer.domain.provision import ProvisionState
from bessemer.kernel.error import InvalidValue, NotFound
from bessemer.kernel.ident import is_uuid
from bessemer.store.database import AnyRow, Transaction
from bessemer.store.duty import add_node_duties
from bessemer.store.event_subscription import leave_subscription
from bessemer.store.failure import conflict
from bessemer.store.sealed import SealedMapper
from bessemer.store.statement import Statement
from bessemer.store.table import EVENTS, NODES, OPERATIONS

NODE = SealedMapper(
    Node,
    NODES,
    json_fields=JSON_FIELDS,
    secrets=SECRET_KEYS,
    decoders={
        "provision_state": ProvisionState,
        "target_provision_state": ProvisionState,
        "power_state": PowerState,
        "target_power_state": PowerState,
    },
)
_SELECT = NODE.select().where(NODES.c.uuid == bindparam("key"))
_BY_UUID = Statement(_SELECT)
_INSERT = Statement(insert(NODES))
_UPDATE = Statement(update(NODES).where(NODES.c.uuid == bindparam("key")).returning(*NODE.columns))
# Of a node that is locked and known there is nothing to bring back.
_UPDATE_KNOWN = Statement(update(NODES).where(NODES.c.uuid == bindparam("key")))
_BY_UUID_LOCKED = Statement(_SELECT.with_for_update(key_share=True))
_OF_PARENT = Statement(NODE.select().where(NODES.c.parent_node == bindparam("key")).order_by(NODES.c.id))
_SELECT_BY_NAME = NODE.select().where(NODES.c.name == bindparam("key"))
_BY_NAME = Statement(_SELECT_BY_NAME)
_BY_NAME_LOCKED = Statement(_SELECT_BY_NAME.with_for_update(key_share=True))

# What is over tells which group it was carried out in. A turn counts in the queue it was given in only.
_REGROUP = Statement(
    update(OPERATIONS)
    .where(OPERATIONS.c.node_uuid == bindparam("key"), OPERATIONS.c.finished_at.is_(None))
    .values(conductor_group=bindparam("group"), turn=0.0)
)


async def create_node(tx: Transaction, node: Node) -> Node:
    """Store a new node.

    Raises:
        Duplicate: Its uuid, name or instance_uuid is taken.
        NotFound: Its chassis does not exist.
    """
    tx.note_change("node", node.uuid)
    row = NODE.to_row(tx, node)
    try:
        await tx.execute(_INSERT, row)
    except IntegrityError as error:
        raise conflict(error, NODES, "node", row) from error
    await add_node_duties(tx, node.uuid, node.conductor_group, node.driver)
    return node


async def get_node(tx: Transaction, uuid: str, *, lock: bool = False) -> Node:
    """The node. ``lock`` keeps others from changing it until this transaction ends.

    Raises:
        NotFound: There is none.
    """
    if uuid in tx.nodes:
        known: Node = tx.nodes[uuid]
        return known
    if uuid in tx.node_rows:
        return _locked(tx, tx.node_rows[uuid])
    row = (await tx.execute(_BY_UUID_LOCKED if lock else _BY_UUID, {"key": uuid})).first()
    if row is None:
        raise NotFound(f"Node '{uuid}' could not be found.")
    return _locked(tx, row) if lock else NODE.to_record(tx, row)


async def find_node(tx: Transaction, ident: str, *, lock: bool = False) -> Node | None:
    """The node with this UUID, or else with this name. ``lock`` keeps others from changing it until this
    transaction ends."""
    by_uuid, by_name = (_BY_UUID_LOCKED, _BY_NAME_LOCKED) if lock else (_BY_UUID, _BY_NAME)
    row = None
    if is_uuid(ident):
        row = (await tx.execute(by_uuid, {"key": ident.lower()})).first()
    if row is None:
        row = (await tx.execute(by_name, {"key": ident})).first()
    if row is None:
        return None
    return _locked(tx, row) if lock else NODE.to_record(tx, row)


async def list_child_nodes(tx: Transaction, parent_uuid: str) -> list[Node]:
    """The nodes whose ``parent_node`` this one is, oldest first."""
    return [NODE.to_record(tx, row) for row in await tx.execute(_OF_PARENT, {"key": parent_uuid})]


async def update_node(tx: Transaction, uuid: str, **changes: Any) -> Node:
    """Change fields (named as in ``Node``) and ``updated_at``; the node as it is then. Into another conductor
    group it takes its operations that are not over along.

    Raises:
        NotFound: There is no such node, or the chassis it is moved to does not exist.
        Duplicate: The name or instance_uuid is taken.
    """
    tx.note_change("node", uuid)
    values = NODE.encode(tx, uuid, {"updated_at": tx.now(), **changes})
    known = await get_node(tx, uuid) if uuid in tx.nodes or uuid in tx.node_rows else None
    try:
        done = await tx.execute(_UPDATE if known is None else _UPDATE_KNOWN, {"key": uuid, **values})
    except IntegrityError as error:
        raise conflict(error, NODES, "node", changes) from error
    if "conductor_group" in changes:
        await tx.execute(_REGROUP, {"key": uuid, "group": changes["conductor_group"]})
    row = done.first()
    if known is not None:
        known = tx.nodes[uuid] = NODE.changed(known, {"updated_at": values["updated_at"], **changes})
        return known
    if row is None:
        raise NotFound(f"Node '{uuid}' could not be found.")
    return _locked(tx, row)


async def merge_node(tx: Transaction, uuid: str, field: str, changes: dict[str, Any]) -> Node:
    """Set keys of one JSON field and leave its other keys alone; the value None removes a key.

    Raises:
        NotFound: There is no such node.
        InvalidValue: ``field`` holds no JSON object.
    """
    if field not in JSON_FIELDS:
        raise InvalidValue(f"Node field '{field}' is not an object.")
    node = await get_node(tx, uuid, lock=True)
    merged = {**getattr(node, field), **changes}
    return await update_node(
        tx, uuid, **{field: {key: value for key, value in merged.items() if value is not None}}
    )


async def delete_node(tx: Transaction, uuid: str) -> None:
    """Delete the node with all that is below it: ports and port groups, traits, volumes, readings, inventory,
    allocation, operations. Its events stay for their readers, but a later node of the same UUID will not have
    them in its history.

    Raises:
        NotFound: There is no such node.
    """
    tx.note_change("node", uuid)
    # Due now, not when it was made: else it might be forgotten before anybody has tried. And before duties
    # are locked, as where events are written.
    await leave_subscription(tx, uuid)
    tx.nodes.pop(uuid, None)
    tx.node_rows.pop(uuid, None)
    done = await tx.execute(delete(NODES).where(NODES.c.uuid == uuid))
    if done.rowcount == 0:
        raise NotFound(f"Node '{uuid}' could not be found.")
    await tx.execute(
        update(EVENTS).where(EVENTS.c.node_uuid == uuid, EVENTS.c.in_history).values(in_history=False)
    )


def _locked(tx: Transaction, row: AnyRow | Sequence[Any]) -> Node:
    """The record of a node that this transaction has locked."""
    node = NODE.to_record(tx, row)
    tx.nodes[node.uuid] = node
    return node
