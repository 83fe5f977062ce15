"""Consoles: whether one runs, how to reach it, starting and stopping it.

Source: v1 contract, routes: states/console.
"""

from dataclasses import dataclass
from typing import Any

from bessemer.domain.node import Node
from bessemer.engine.gateway import Gateway
from bessemer.kernel.error import Unsupported
from bessemer.service.caller import Caller
from bessemer.service.conductor import ConductorService
from bessemer.service.machine import MachineCall, MachineService
from bessemer.service.node_access import NodeAccess
from bessemer.service.start import start
from bessemer.service.task import Tasks
from bessemer.store.database import Transaction


@dataclass(frozen=True, slots=True)
class Console:
    """``info``: ``type`` and ``url`` of a console that runs."""

    is_enabled: bool
    info: dict[str, Any] | None


class ConsoleService:
    def __init__(
        self,
        access: NodeAccess,
        gateway: Gateway,
        tasks: Tasks,
        machines: MachineService,
        conductors: ConductorService,
    ) -> None:
        self._access = access
        self._gateway = gateway
        self._tasks = tasks
        self._machines = machines
        self._conductors = conductors

    async def get(self, caller: Caller, ident: str) -> Console:
        """A node that has none has one that is off. Raises NotFound, or what the driver raises."""
        node = await self._access.get(caller, ident)
        try:
            info = await self._machines.ask(caller, node, MachineCall("get console", "tell its console"))
        except Unsupported:
            return Console(is_enabled=False, info=None)
        return Console(node.console_enabled, info)

    async def request(self, caller: Caller, ident: str, *, enabled: bool) -> None:
        """Start the operation that starts or stops the console, unless it is so already.

        Works while other work on the node waits, so that one can watch a deployment.

        Raises:
            NotFound: No such node.
            InvalidValue: The node has no console, or its settings are incomplete, or no conductor drives it.
            NodeLocked: An operation is at work on the node.
        """
        landscape = await self._conductors.landscape()

        async def work(tx: Transaction, node: Node) -> None:
            landscape.check_offered(node)
            task = await self._tasks.open_in(tx, node)
            task.driver.console.validate(task)
            if node.console_enabled is not enabled:
                args = {"enabled": enabled}
                await start(tx, self._gateway, caller, node, "console", args, may_join=True)

        await self._access.change(caller, ident, work)
