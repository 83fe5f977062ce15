"""Power: asking for a change. The change itself is an operation. Source: v1 contract, power."""

from typing import Any

from bessemer.domain.node import Node, label
from bessemer.domain.power import PowerTarget
from bessemer.domain.provision import ProvisionState
from bessemer.engine.gateway import Gateway
from bessemer.kernel.error import Conflict, InvalidValue
from bessemer.service.caller import Caller
from bessemer.service.conductor import ConductorService
from bessemer.service.node_access import NodeAccess
from bessemer.service.start import start
from bessemer.service.task import Tasks
from bessemer.store.database import Transaction
from bessemer.store.node import list_child_nodes, update_node

_CLEANING = frozenset({ProvisionState.CLEANING, ProvisionState.CLEAN_WAIT})
_OFF = frozenset({PowerTarget.OFF, PowerTarget.SOFT_OFF})


class PowerService:
    def __init__(
        self, access: NodeAccess, gateway: Gateway, tasks: Tasks, conductors: ConductorService
    ) -> None:
        self._access = access
        self._gateway = gateway
        self._tasks = tasks
        self._conductors = conductors

    async def request(
        self, caller: Caller, ident: str, target: PowerTarget, *, timeout_s: int | None = None
    ) -> None:
        """Start the operation that brings the machine to ``target``, in maintenance too, and while a
        deployment or other work waits for its agent.

        Asking for the present state is fine: the operation reads the state again.

        Raises:
            NotFound: No such node.
            InvalidValue: The node is being cleaned; its driver cannot do this, or no conductor has it; its
                settings are incomplete.
            Conflict: The node must not be switched off.
            NodeLocked: Another operation works on the node.
        """
        landscape = await self._conductors.landscape()

        async def work(tx: Transaction, node: Node) -> None:
            await self._check(tx, node, target)
            landscape.check_offered(node)
            await update_node(tx, node.uuid, target_power_state=target.result, last_error=None)
            args: dict[str, Any] = {"target": target.value, "timeout": timeout_s}
            if await _takes_relatives_along(tx, node, target):
                args["relatives_first"] = True
            await start(tx, self._gateway, caller, node, "power", args, may_join=True)

        await self._access.change(caller, ident, work)

    async def _check(self, tx: Transaction, node: Node, target: PowerTarget) -> None:
        if node.provision_state in _CLEANING:
            raise InvalidValue(
                f"Node '{label(node)}' is in '{node.provision_state}': its power can not be changed."
            )
        if node.disable_power_off and target in _OFF:
            raise Conflict(f"Node '{label(node)}' must not be powered off (disable_power_off).")
        task = await self._tasks.open_in(tx, node)
        task.driver.power.validate(task)
        supported = task.driver.power.supported_targets(task)
        if target not in supported:
            raise InvalidValue(
                f"The power interface '{task.driver.power.name}' can not do '{target}'.",
                hint=f"It can do: {', '.join(supported)}.",
            )


async def _takes_relatives_along(tx: Transaction, node: Node, target: PowerTarget) -> bool:
    """A child needs its parent on; children are switched off before their parent."""
    if target in _OFF:
        return bool(await list_child_nodes(tx, node.uuid))
    return node.parent_node is not None
