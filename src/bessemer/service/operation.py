"""Looking at operations: what is being done to a node, how far it is, and what each step did."""

from collections.abc import Sequence

from bessemer.domain.node import Node
from bessemer.domain.operation import JournalEntry, Operation
from bessemer.kernel.error import NotFound
from bessemer.service.audit import concealed
from bessemer.service.caller import Caller, refusal
from bessemer.service.node_access import NodeAccess
from bessemer.service.target import of_node
from bessemer.store.journal import list_entries
from bessemer.store.operation import get_operation, list_operations
from bessemer.store.page import Page
from bessemer.store.queue import Place, find_place

LIST = "baremetal:operation:list"
GET = "baremetal:operation:get"
#: Whoever fails it knows of no operation of another project: who else had the node, and what for.
HISTORY = "baremetal:node:history:get"


class OperationService:
    def __init__(self, access: NodeAccess) -> None:
        self._access = access
        self._database = access.database

    async def list_of_node(
        self, caller: Caller, ident: str, page: Page
    ) -> Sequence[tuple[Operation, Place | None]]:
        """The node's operations, a page of them; of those that are queued, where in the queue they are.

        Only those that the caller's own project asked for, when the node's history is not for the caller.

        Raises:
            NotFound: No such node, or no operation with the page's marker that the caller may see.
            Forbidden: The caller may not.
        """
        async with self._database.read() as tx:
            node = await self._access.find(tx, caller.asking(LIST), ident)
            project = _limit(caller, node)
            found = await list_operations(tx, node_uuid=node.uuid, page=page, project=project)
            return [(operation, await find_place(tx, operation)) for operation in found]

    async def get(self, caller: Caller, uuid: str) -> tuple[Operation, Sequence[JournalEntry], Place | None]:
        """One operation, its journal with the oldest entry first, and where in the queue it is.

        Raises:
            NotFound: No such operation, or of a node that the caller may not see, or of another project on a
                node whose history is not for the caller.
            Forbidden: The caller may not.
        """
        async with self._database.read() as tx:
            operation = await get_operation(tx, uuid)
            missing = NotFound(f"Operation '{uuid}' could not be found.")
            node = await self._access.find_below(tx, caller.asking(GET), operation.node_uuid, missing)
            if _limit(caller, node) not in (None, operation.project):
                raise concealed(missing)
            return operation, await list_entries(tx, uuid), await find_place(tx, operation)


def _limit(caller: Caller, node: Node) -> str | None:
    """The project whose operations of the node the caller sees, None: everybody's. Raises Forbidden."""
    if caller.may(HISTORY, of_node(node)):
        return None
    if caller.project is None:
        raise refusal(HISTORY)
    return caller.project
