"""What belongs to a node and names it by UUID: finding that node, and moving from one node to another."""

from collections.abc import Mapping
from typing import Any

from bessemer.domain.node import Node
from bessemer.kernel.error import InvalidValue
from bessemer.store.database import Transaction
from bessemer.store.node import find_node


async def get_named_node(tx: Transaction, ident: str) -> Node:
    """The node that a request's body names. Raises InvalidValue, not NotFound: the body is what is wrong."""
    node = await find_node(tx, ident)
    if node is None:
        raise InvalidValue(f"The node {ident} does not exist.")
    return node


async def check_move(tx: Transaction, node: Node, changes: Mapping[str, Any], noun: str) -> None:
    """Whether a ``noun`` of ``node`` may go where ``changes`` say, if they move it.

    Raises:
        InvalidValue: That node does not exist, or has another owner.
    """
    wanted = changes.get("node_uuid", node.uuid)
    if wanted == node.uuid:
        return
    if wanted is None:
        raise InvalidValue(f"A {noun} needs its node: node_uuid.")
    new = await get_named_node(tx, wanted)
    if new.owner != node.owner:
        raise InvalidValue(f"Node {new.uuid} has another owner: the {noun} can not move there.")
