"""The way to a node: by UUID or name, for reading, and for changing while nothing else works on it."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from bessemer.domain.node import Node
from bessemer.kernel.error import NotFound
from bessemer.kernel.ident import is_uuid
from bessemer.service.caller import Caller
from bessemer.service.lock import LockWait, refuse_locked
from bessemer.store.database import Database, Transaction
from bessemer.store.node import find_node, get_node

T = TypeVar("T")


class NodeAccess:
    """Every use case on a node comes through here, and is told who asks."""

    def __init__(self, database: Database, wait: LockWait) -> None:
        self.database = database
        self._wait = wait

    async def get(self, caller: Caller, ident: str) -> Node:
        """Raises NotFound."""
        async with self.database.read() as tx:
            return await self.find(tx, caller, ident)

    async def find(self, tx: Transaction, caller: Caller, ident: str) -> Node:
        """The node within a transaction. Raises NotFound."""
        node = await find_node(tx, ident)
        if node is None:
            raise NotFound(f"Node {ident} could not be found.")
        return node

    async def change(
        self, caller: Caller, ident: str, work: Callable[[Transaction, Node], Awaitable[T]]
    ) -> T:
        """The result of ``work`` on the node, in one transaction, with no operation at work on the node.

        Raises:
            NotFound: No such node.
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
        """The node, once no operation is at work on it. Raises NotFound or NodeLocked."""

        async def attempt() -> Node:
            node = await self.get(caller, ident)
            refuse_locked(node)
            return node

        return await self._wait.patiently(attempt)

    async def _held(self, tx: Transaction, caller: Caller, ident: str) -> Node:
        """The node, kept from other writers until the transaction ends."""
        if is_uuid(ident):
            return await get_node(tx, ident.lower(), lock=True)
        node = await self.find(tx, caller, ident)
        return await get_node(tx, node.uuid, lock=True) if tx.is_postgresql else node
