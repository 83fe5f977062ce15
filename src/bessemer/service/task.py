"""One node in the hands of a driver, outside of any operation: for questions and for quick calls."""

from collections.abc import Sequence
from typing import Any

from bessemer.domain.node import Node
from bessemer.domain.port import Port
from bessemer.hardware.composition import Composition
from bessemer.hardware.driver import Driver
from bessemer.store.database import Database, Transaction
from bessemer.store.node import merge_node, update_node
from bessemer.store.port import list_ports_of


class ServiceTask:
    """A ``hardware.interface.Task``. What it writes is true at once; there is no fence, because no operation
    is at work on the node while such a call runs."""

    def __init__(
        self, database: Database, composition: Composition, node: Node, ports: Sequence[Port]
    ) -> None:
        self._database = database
        self._composition = composition
        self._node = node
        self._ports = ports

    @property
    def node(self) -> Node:
        return self._node

    @property
    def ports(self) -> Sequence[Port]:
        return self._ports

    @property
    def driver(self) -> Driver:
        """Raises InvalidValue when the node's driver or one of its interfaces is not enabled here."""
        return self._composition.driver_for(self._node)

    async def save(self, **changes: Any) -> None:
        async with self._database.write() as tx:
            self._node = await update_node(tx, self._node.uuid, **changes)

    async def remember(self, **facts: Any) -> None:
        async with self._database.write() as tx:
            self._node = await merge_node(tx, self._node.uuid, "driver_internal_info", facts)


class Tasks:
    """Makes tasks."""

    def __init__(self, database: Database, composition: Composition) -> None:
        self._database = database
        self._composition = composition

    async def open(self, node: Node) -> ServiceTask:
        async with self._database.read() as tx:
            return await self.open_in(tx, node)

    async def open_in(self, tx: Transaction, node: Node) -> ServiceTask:
        """Within a transaction, to check settings: only calls that write nothing may be made on it."""
        return ServiceTask(self._database, self._composition, node, await list_ports_of(tx, node.uuid))
