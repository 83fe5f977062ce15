"""How a machine's firmware boots: boot mode and secure boot. The change itself is an operation.

Source: v1 contract, routes: states/boot_mode, states/secure_boot; states: blocked_operations.
"""

from collections.abc import Callable

from bessemer.domain.node import Node, label
from bessemer.domain.power import BootMode
from bessemer.domain.provision import KINDS, StateKind
from bessemer.engine.gateway import Gateway
from bessemer.kernel.error import Conflict, Unsupported
from bessemer.service.caller import Caller
from bessemer.service.conductor import ConductorService
from bessemer.service.node_access import NodeAccess
from bessemer.service.start import start
from bessemer.service.task import ServiceTask, Tasks
from bessemer.store.database import Transaction

_MOVING = frozenset({StateKind.RUNNING, StateKind.WAITING})


class FirmwareModeService:
    """Requests raise NotFound; NodeLocked while an operation is not over; Conflict while the node is being
    moved to another state; InvalidValue when the node's settings or its driver do not allow it, or no
    conductor has that driver. Asking for what is so already is fine."""

    def __init__(
        self, access: NodeAccess, gateway: Gateway, tasks: Tasks, conductors: ConductorService
    ) -> None:
        self._access = access
        self._gateway = gateway
        self._tasks = tasks
        self._conductors = conductors

    async def request_boot_mode(self, caller: Caller, ident: str, mode: BootMode) -> None:
        def check(task: ServiceTask) -> None:
            supported = task.driver.management.supported_boot_modes(task)
            if mode not in supported:
                raise Unsupported(
                    f"The boot mode '{mode}' is not supported.", hint=f"Supported: {', '.join(supported)}."
                )

        await self._request(caller, ident, "boot mode", {"mode": mode.value}, check)

    async def request_secure_boot(self, caller: Caller, ident: str, *, enabled: bool) -> None:
        await self._request(caller, ident, "secure boot", {"enabled": enabled}, lambda _: None)

    async def _request(
        self,
        caller: Caller,
        ident: str,
        kind: str,
        args: dict[str, str | bool],
        check: Callable[[ServiceTask], None],
    ) -> None:
        landscape = await self._conductors.landscape()

        async def work(tx: Transaction, node: Node) -> None:
            landscape.check_offered(node)
            task = await self._tasks.open_in(tx, node)
            task.driver.management.validate(task)
            check(task)
            if KINDS[node.provision_state] in _MOVING:
                raise Conflict(
                    f"Node '{label(node)}' is in '{node.provision_state}': its {kind} can not be changed."
                )
            await start(tx, self._gateway, caller, node, kind, args)

        await self._access.change(caller, ident, work)
