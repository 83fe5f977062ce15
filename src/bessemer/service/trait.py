"""Traits: what a node can do, as names schedulers look for."""

from collections.abc import Mapping, Sequence

from bessemer.domain.node import Node
from bessemer.domain.trait import check_node_traits, check_trait, check_traits
from bessemer.service.caller import Caller
from bessemer.service.node_access import NodeAccess
from bessemer.store.database import Transaction
from bessemer.store.trait import add_trait, list_traits, remove_trait, set_traits


class TraitService:
    def __init__(self, access: NodeAccess) -> None:
        self._access = access

    async def list(self, caller: Caller, ident: str) -> Sequence[str]:
        """Raises NotFound."""
        async with self._access.database.read() as tx:
            node = await self._access.find(tx, caller, ident)
            return (await list_traits(tx, [node.uuid]))[node.uuid]

    async def list_of(self, caller: Caller, node_uuids: Sequence[str]) -> Mapping[str, Sequence[str]]:
        """By node; for lists of nodes the caller has been shown."""
        async with self._access.database.read() as tx:
            return await list_traits(tx, node_uuids)

    async def replace(self, caller: Caller, ident: str, traits: Sequence[object]) -> None:
        """Give the node these traits and no others.

        Raises:
            NotFound, NodeLocked: See ``NodeAccess.change``.
            InvalidValue: A name that is no trait, or more than a node may have.
        """
        names = check_traits(traits)
        check_node_traits(names)

        async def work(tx: Transaction, node: Node) -> None:
            await set_traits(tx, node.uuid, names)

        await self._access.change(caller, ident, work)

    async def add(self, caller: Caller, ident: str, trait: str) -> None:
        """Idempotent. Raises as ``replace``."""
        name = check_trait(trait)

        async def work(tx: Transaction, node: Node) -> None:
            has = (await list_traits(tx, [node.uuid]))[node.uuid]
            check_node_traits({*has, name})
            await add_trait(tx, node.uuid, name)

        await self._access.change(caller, ident, work)

    async def remove(self, caller: Caller, ident: str, trait: str) -> None:
        """Raises NotFound when the node, or the trait on it, does not exist; NodeLocked."""

        async def work(tx: Transaction, node: Node) -> None:
            await remove_trait(tx, node.uuid, trait)

        await self._access.change(caller, ident, work)
