"""Looking at operations: what is being done to a node, how far it is, and what each step did."""

from collections.abc import Sequence

from bessemer.domain.operation import JournalEntry, Operation
from bessemer.kernel.error import NotFound
from bessemer.service.caller import Caller
from bessemer.store.database import Database
from bessemer.store.journal import list_entries
from bessemer.store.node import find_node
from bessemer.store.operation import get_operation, list_operations
from bessemer.store.page import Page


class OperationService:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def list_of_node(self, caller: Caller, ident: str, page: Page) -> Sequence[Operation]:
        """The node's operations, a page of them.

        Raises:
            NotFound: No such node, or no operation with the page's marker.
        """
        async with self._database.read() as tx:
            node = await find_node(tx, ident)
            if node is None:
                raise NotFound(f"Node {ident} could not be found.")
            return await list_operations(tx, node_uuid=node.uuid, page=page)

    async def get(self, caller: Caller, uuid: str) -> tuple[Operation, Sequence[JournalEntry]]:
        """One operation and its journal, oldest entry first. Raises NotFound."""
        async with self._database.read() as tx:
            return await get_operation(tx, uuid), await list_entries(tx, uuid)
