"""Virtual interfaces: tenant ports attached to the network cards of a node."""

from collections.abc import Mapping, Sequence
from typing import Any

from bessemer.service.caller import Caller
from bessemer.service.deadline import in_time
from bessemer.service.node_access import NodeAccess
from bessemer.service.task import Tasks


class VifService:
    """What a VIF is, and where it is kept, is the network interface's matter."""

    def __init__(self, access: NodeAccess, tasks: Tasks) -> None:
        self._access = access
        self._tasks = tasks

    async def list(self, caller: Caller, ident: str) -> Sequence[Mapping[str, Any]]:
        """Raises NotFound."""
        task = await self._tasks.open(await self._access.get(caller, ident))
        return await in_time(task.driver.network.vif_list(task), "list its virtual interfaces")

    async def attach(self, caller: Caller, ident: str, vif: Mapping[str, Any]) -> None:
        """Attach ``vif`` (``id``, optionally where to, and what else the network interface knows).

        Raises:
            NotFound: No such node.
            NodeLocked: An operation is at work on it.
            InvalidValue: No free port, or not acceptable to the network interface.
            Conflict: It is attached already.
        """
        task = await self._tasks.open(await self._access.check_free(caller, ident))
        await in_time(task.driver.network.vif_attach(task, dict(vif)), "attach the virtual interface")

    async def detach(self, caller: Caller, ident: str, vif_id: str) -> None:
        """Raises NotFound (node), NodeLocked, or InvalidValue when it is not attached."""
        task = await self._tasks.open(await self._access.check_free(caller, ident))
        await in_time(task.driver.network.vif_detach(task, vif_id), "detach the virtual interface")
