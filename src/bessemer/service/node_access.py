"""The way to a node: by UUID or name, for reading, and for changing while nothing else works on it.

Here is decided who may go it. A node that the caller may not see is missing, in the very words used of one
that does not exist; on one that is seen, the rules of the request are held against its owner and lessee.
Source: v1 contract, access rules: first_check_order, failure_status.
"""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from bessemer.domain.node import Node, refuse_locked
from bessemer.kernel.error import NotFound
from bessemer.service.audit import concealed
from bessemer.service.caller import Caller
from bessemer.service.lock import LockWait
from bessemer.service.target import of_node
from bessemer.store.database import Database, Transaction
from bessemer.store.node import find_node

T = TypeVar("T")

#: Whoever fails it knows of no node.
SEE = "baremetal:node:get"


class NodeAccess:
    """Every use case on a node comes through here, and is told who asks."""

    def __init__(self, database: Database, wait: LockWait) -> None:
        self.database = database
        self._wait = wait

    async def get(self, caller: Caller, ident: str) -> Node:
        """Raises NotFound or Forbidden."""
        async with self.database.read() as tx:
            return await self.find(tx, caller, ident)

    async def find(self, tx: Transaction, caller: Caller, ident: str) -> Node:
        """The node within a transaction. Raises NotFound or Forbidden."""
        return _admitted(caller, await find_node(tx, ident), _missing(ident))

    async def find_below(self, tx: Transaction, caller: Caller, node_uuid: str, missing: NotFound) -> Node:
        """The node of something that belongs to it.

        Raises:
            NotFound: ``missing``: the thing is as hidden as its node.
            Forbidden: It is seen, and the request is refused.
        """
        return _admitted(caller, await find_node(tx, node_uuid), missing)

    async def limit(
        self, tx: Transaction, caller: Caller, *, project: str | None = None, node_uuid: str | None = None
    ) -> str | None:
        """The project whose things a list is to show; None: everybody's. ``project``: the one asked for.

        A list of what belongs to the node ``node_uuid`` may be under another rule than that of lists, which
        is then held against the node.

        Raises:
            NotFound: The node is not there for the caller.
            Forbidden: The list is not for the caller, or another project's is asked for.
        """
        if caller.is_trusted or caller.is_list or node_uuid is None:
            return caller.limit(project)
        await self.find(tx, caller, node_uuid)
        return project

    async def change(
        self, caller: Caller, ident: str, work: Callable[[Transaction, Node], Awaitable[T]]
    ) -> T:
        """The result of ``work`` on the node, in one transaction, with no operation at work on the node.

        Raises:
            NotFound: No such node.
            Forbidden: A rule refuses.
            NodeLocked: An operation kept working on it for longer than a request waits.
        """

        async def attempt() -> T:
            async with self.database.write() as tx:
                node = await self._held(tx, caller, ident)
                refuse_locked(node)
                return await work(tx, node)

        return await self._wait.patiently(attempt)

    async def touch(self, caller: Caller, ident: str, work: Callable[[Transaction, Node], Awaitable[T]]) -> T:
        """As ``change``, but also while an operation is at work: for what does not get in its way."""
        async with self.database.write() as tx:
            return await work(tx, await self._held(tx, caller, ident))

    async def check_free(self, caller: Caller, ident: str) -> Node:
        """The node, once no operation is at work on it. Raises NotFound, Forbidden or NodeLocked."""

        async def attempt() -> Node:
            node = await self.get(caller, ident)
            refuse_locked(node)
            return node

        return await self._wait.patiently(attempt)

    async def _held(self, tx: Transaction, caller: Caller, ident: str) -> Node:
        """The node, kept from other writers until the transaction ends."""
        return _admitted(caller, await find_node(tx, ident, lock=True), _missing(ident))


def may_see(caller: Caller, node: Node) -> bool:
    return caller.is_trusted or caller.may(SEE, of_node(node))


def _admitted(caller: Caller, node: Node | None, missing: NotFound) -> Node:
    if node is None:
        raise missing
    if not caller.is_trusted:
        target = of_node(node)
        if not caller.may(SEE, target):
            raise concealed(missing)
        caller.check(target)
    return node


def _missing(ident: str) -> NotFound:
    return NotFound(f"Node {ident} could not be found.")
