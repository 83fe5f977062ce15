"""The RAID configuration that a node is to have; cleaning or servicing makes it so.

Source: v1 contract, routes: states/raid.
"""

from typing import Any

from bessemer.domain.node import Node
from bessemer.kernel.error import NotFound, Unsupported
from bessemer.service.caller import Caller
from bessemer.service.node_access import NodeAccess
from bessemer.service.task import Tasks
from bessemer.store.database import Transaction
from bessemer.store.node import update_node


class TargetRaidService:
    def __init__(self, access: NodeAccess, tasks: Tasks) -> None:
        self._access = access
        self._tasks = tasks

    async def set(self, caller: Caller, ident: str, config: dict[str, Any]) -> None:
        """Replace the configuration; ``{}`` takes it back. Idempotent.

        Raises:
            NotFound: No such node, or it has no RAID to configure.
            NodeLocked: An operation is at work on it.
            InvalidValue: Not a configuration that the node's RAID interface could make.
        """

        async def work(tx: Transaction, node: Node) -> None:
            if config:
                await self._check(tx, node, config)
            await update_node(tx, node.uuid, target_raid_config=config)

        await self._access.change(caller, ident, work)

    async def _check(self, tx: Transaction, node: Node, config: dict[str, Any]) -> None:
        task = await self._tasks.open_in(tx, node)
        try:
            task.driver.raid.validate_raid_config(task, config)
        except Unsupported as error:
            raise NotFound(str(error)) from error
