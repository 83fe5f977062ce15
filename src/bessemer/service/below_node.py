"""What belongs to a node and names it by UUID: finding that node, and moving from one node to another."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from bessemer.domain.node import Node
from bessemer.domain.port import Port
from bessemer.domain.portgroup import Portgroup
from bessemer.kernel.error import InvalidValue, NotFound
from bessemer.service.caller import Caller
from bessemer.service.node_access import NodeAccess, may_see
from bessemer.service.target import of_node
from bessemer.store.database import AnyRow, Transaction
from bessemer.store.node import find_node
from bessemer.store.page import Page
from bessemer.store.port import PortFilter
from bessemer.store.portgroup import PortgroupFilter

R = TypeVar("R", Port, Portgroup)
F = TypeVar("F", PortFilter, PortgroupFilter)


# No slots on generic records: with them, Python 3.11 cannot call a subscripted alias.
@dataclass(frozen=True)
class Reader(Generic[R, F]):
    """Looks at records of one kind, on nodes that the caller may see; ``find`` and ``list_rows`` are the
    store's functions for them."""

    noun: str
    access: NodeAccess
    find: Callable[[Transaction, str], Awaitable[R | None]]
    list_rows: Callable[[Transaction, Sequence[str], F, Page], Awaitable[list[AnyRow]]]

    async def get_in(self, tx: Transaction, ident: str) -> R:
        """By UUID or name, whoever may see it. Raises NotFound."""
        found = await self.find(tx, ident)
        if found is None:
            raise self._missing(ident)
        return found

    async def get(self, caller: Caller, ident: str) -> R:
        """By UUID or name. Raises NotFound or Forbidden."""
        async with self.access.database.read() as tx:
            found = await self.get_in(tx, ident)
            await self.access.find_below(tx, caller, found.node_uuid, self._missing(ident))
            return found

    async def list(self, caller: Caller, columns: Sequence[str], filters: F, page: Page) -> list[AnyRow]:
        """Columns as the database has them.

        Raises:
            NotFound: The marker does not exist.
            Forbidden: Lists are not for the caller.
        """
        asked = {"project": filters.project, "node_uuid": filters.node_uuid}
        async with self.access.database.read() as tx:
            project = await self.access.limit(tx, caller, **asked)
            return await self.list_rows(tx, columns, replace(filters, project=project), page)

    def _missing(self, ident: str) -> NotFound:
        return NotFound(f"{self.noun} {ident} could not be found.")


async def get_named_node(tx: Transaction, caller: Caller, ident: str) -> Node:
    """The node that the body of a request names, which asks to put something on it.

    Raises:
        InvalidValue: It does not exist; not NotFound, since the body is what is wrong.
        Forbidden: The rules of the request do not allow it on this node, or on one that does not exist.
    """
    node = await find_node(tx, ident)
    if node is None:
        caller.check()  # who may not put things on any node does not learn which there are
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
