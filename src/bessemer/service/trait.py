"""Traits: what a node can do, as names schedulers look for."""

import re
from collections.abc import Mapping, Sequence

from bessemer.domain.node import Node
from bessemer.kernel.error import InvalidValue
from bessemer.service.caller import Caller
from bessemer.service.node_access import NodeAccess
from bessemer.store.database import Transaction
from bessemer.store.trait import add_trait, list_traits, remove_trait, set_traits

MOST = 50
_LONGEST = 255
#: Custom names, and the groups that standard ones begin with. Source: OpenStack os-traits, naming.
_FORM = re.compile(r"(?:CUSTOM|HW|COMPUTE|STORAGE|MISC|OWNER|HETEROGENEOUS)_[A-Z0-9_]+")


def check_trait(name: object) -> str:
    """Raises InvalidValue when ``name`` is no trait."""
    if not isinstance(name, str) or len(name) > _LONGEST or _FORM.fullmatch(name) is None:
        raise InvalidValue(
            f"{str(name)[:80]!r} is not a trait.",
            hint="Custom traits are CUSTOM_ and letters A-Z, digits, _.",
        )
    return name


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
            InvalidValue: A name that is no trait, or more than ``MOST``.
        """
        names = sorted({check_trait(name) for name in traits})
        _check_count(len(names))

        async def work(tx: Transaction, node: Node) -> None:
            await set_traits(tx, node.uuid, names)

        await self._access.change(caller, ident, work)

    async def add(self, caller: Caller, ident: str, trait: str) -> None:
        """Idempotent. Raises as ``replace``."""
        name = check_trait(trait)

        async def work(tx: Transaction, node: Node) -> None:
            has = (await list_traits(tx, [node.uuid]))[node.uuid]
            _check_count(len({*has, name}))
            await add_trait(tx, node.uuid, name)

        await self._access.change(caller, ident, work)

    async def remove(self, caller: Caller, ident: str, trait: str) -> None:
        """Raises NotFound when the node, or the trait on it, does not exist; NodeLocked."""

        async def work(tx: Transaction, node: Node) -> None:
            await remove_trait(tx, node.uuid, trait)

        await self._access.change(caller, ident, work)


def _check_count(count: int) -> None:
    if count > MOST:
        raise InvalidValue(f"A node has at most {MOST} traits, not {count}.")
