"""Looking at operations: what is being done to a node, how far it is, and what each step did."""

from collections.abc import Sequence

from bessemer.domain.operation import JournalEntry, Operation
from bessemer.kernel.error import NotFound
from bessemer.service.caller import Caller
from bessemer.service.node_access import NodeAccess
from bessemer.store.journal import list_entries
from bessemer.store.operation import get_operation, list_operations
from bessemer.store.page import Page
from bessemer.store.queue import Place, find_place

LIST = "baremetal:operation:list"
GET = "baremetal:operation:get"


class OperationService:
    def __init__(self, access: NodeAccess) -> None:
        self._access = access
        self._database = access.database

    async def list_of_node(
        self, caller: Caller, ident: str, page: Page
    ) -> Sequence[tuple[Operation, Place | None]]:
        """The node's operations, a page of them; of those that are queued, where in the queue they are.

        Raises:
            NotFound: No such node, or no operation with the page's marker.
            Forbidden: The caller may not.
        """
        async with self._database.read() as tx:
            node = await self._access.find(tx, caller.asking(LIST), ident)
            found = await list_operations(tx, node_uuid=node.uuid, page=page)
            return [(operation, await find_place(tx, operation)) for operation in found]

    async def get(self, caller: Caller, uuid: str) -> tuple[Operation, Sequence[JournalEntry], Place | None]:
        """One operation, its journal with the oldest entry first, and where in the queue it is.

        Raises:
            NotFound: No such operation, or of a node that the caller may not see.
            Forbidden: The caller may not.
        """
        async with self._database.read() as tx:
            operation = await get_operation(tx, uuid)
            missing = NotFound(f"Operation '{uuid}' could not be found.")
            await self._access.find_below(tx, caller.asking(GET), operation.node_uuid, missing)
            return operation, await list_entries(tx, uuid), await find_place(tx, operation)
