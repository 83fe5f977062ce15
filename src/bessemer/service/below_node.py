"""What belongs to a node and names it by UUID: finding that node, and moving from one node to another."""

from collections.abc import Mapping
from typing import Any

from bessemer.domain.node import Node
from bessemer.kernel.error import InvalidValue
from bessemer.service.caller import Caller
from bessemer.service.node_access import may_see
from bessemer.service.target import of_node
from bessemer.store.database import Transaction
from bessemer.store.node import find_node


async def get_named_node(tx: Transaction, caller: Caller, ident: str) -> Node:
    """The node that the body of a request names, which asks to put something on it.

    Raises:
        InvalidValue: It does not exist; not NotFound, since the body is what is wrong.
        Forbidden: The rules of the request do not allow it on this node.
    """
    node = await find_node(tx, ident)
    if node is None:
        raise InvalidValue(f"The node {ident} does not exist.")
    caller.check(of_node(node))
    return node


async def check_move(
    tx: Transaction, caller: Caller, node: Node, changes: Mapping[str, Any], noun: str
) -> None:
    """Whether a ``noun`` of ``node`` may go where ``changes`` say, if they move it.

    Raises:
        InvalidValue: That node does not exist, is not for the caller, or has another owner: which of them
            is not told.
    """
    wanted = changes.get("node_uuid", node.uuid)
    if wanted == node.uuid:
        return
    if wanted is None:
        raise InvalidValue(f"A {noun} needs its node: node_uuid.")
    await get_new_home(tx, caller, node, wanted, noun)


async def get_new_home(tx: Transaction, caller: Caller, node: Node, wanted: str, noun: str) -> Node:
    """The node ``wanted``, where a ``noun`` of ``node`` is to move. Raises InvalidValue as ``check_move``."""
    new = await find_node(tx, wanted)
    if new is None or not may_see(caller, new) or new.owner != node.owner:
        raise InvalidValue(f"The {noun} can not move to node {wanted}: it has another owner or is not there.")
    return new
