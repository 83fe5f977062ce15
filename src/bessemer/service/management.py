"""Asking a machine, and small changes that are done while the caller waits: boot device, NMI, validation."""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from bessemer.domain.interface import InterfaceType
from bessemer.domain.power import BootDevice
from bessemer.kernel.error import BessemerError, DeadlineExceeded, InvalidValue, Unsupported
from bessemer.service.caller import Caller
from bessemer.service.node_access import NodeAccess
from bessemer.service.task import ServiceTask, Tasks

T = TypeVar("T")

#: Longest wait for a machine while a caller waits for us.
CALL_TIMEOUT_S = 60.0
#: What validation tells about; the vendor interface is not asked.
_VALIDATED = tuple(kind for kind in InterfaceType if kind is not InterfaceType.VENDOR)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether one interface could work with the node's settings. None: the machine has no such thing."""

    result: bool | None
    reason: str | None = None


async def in_time(call: Awaitable[T], what: str) -> T:
    """The result of a call to a machine. Raises DeadlineExceeded after ``CALL_TIMEOUT_S``."""
    try:
        async with asyncio.timeout(CALL_TIMEOUT_S):
            return await call
    except TimeoutError as error:
        raise DeadlineExceeded(f"The machine did not {what} within {CALL_TIMEOUT_S:g} seconds.") from error


class ManagementService:
    def __init__(self, access: NodeAccess, tasks: Tasks) -> None:
        self._access = access
        self._tasks = tasks

    async def validate(self, caller: Caller, ident: str) -> Mapping[InterfaceType, Verdict]:
        """Whether each interface has the settings it needs. Nothing is asked of the machine.

        Raises:
            NotFound: No such node.
        """
        task = await self._tasks.open(await self._access.get(caller, ident))
        return {kind: _verdict(task, kind) for kind in _VALIDATED}

    async def get_boot_device(self, caller: Caller, ident: str) -> tuple[BootDevice | None, bool | None]:
        """The device the machine boots from next, and whether for good. Does not wait for operations.

        Raises:
            NotFound: No such node.
            Unsupported, DeviceError: From the driver.
        """
        task = await self._tasks.open(await self._access.get(caller, ident))
        task.driver.management.validate(task)
        return await in_time(task.driver.management.get_boot_device(task), "tell its boot device")

    async def list_boot_devices(self, caller: Caller, ident: str) -> Sequence[BootDevice]:
        """Those that can be set. Raises NotFound or Unsupported."""
        task = await self._tasks.open(await self._access.get(caller, ident))
        return task.driver.management.supported_boot_devices(task)

    async def set_boot_device(
        self, caller: Caller, ident: str, device: BootDevice, *, persistent: bool
    ) -> None:
        """Idempotent.

        Raises:
            NotFound: No such node.
            NodeLocked: An operation is at work on it.
            InvalidValue: The driver does not support this device.
            DeviceError: From the machine.
        """
        task = await self._tasks.open(await self._access.check_free(caller, ident))
        management = task.driver.management
        management.validate(task)
        supported = management.supported_boot_devices(task)
        if device not in supported:
            raise InvalidValue(
                f"The boot device '{device}' is not supported.", hint=f"Supported: {', '.join(supported)}."
            )
        await in_time(management.set_boot_device(task, device, persistent=persistent), "take the boot device")

    async def inject_nmi(self, caller: Caller, ident: str) -> None:
        """Interrupt the machine. Raises NotFound, NodeLocked, Unsupported or DeviceError."""
        task = await self._tasks.open(await self._access.check_free(caller, ident))
        task.driver.management.validate(task)
        await in_time(task.driver.management.inject_nmi(task), "take the interrupt")


def _verdict(task: ServiceTask, kind: InterfaceType) -> Verdict:
    try:
        task.driver.get(kind).validate(task)
    except Unsupported as error:
        return Verdict(None, str(error))
    except BessemerError as error:
        return Verdict(False, str(error))
    return Verdict(True)
