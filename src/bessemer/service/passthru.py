"""Vendor passthru: methods that only one kind of machine has, called by name."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bessemer.hardware.interface import VendorMethod
from bessemer.kernel.error import InvalidValue
from bessemer.service.caller import Caller
from bessemer.service.machine import MachineCall, MachineService
from bessemer.service.node_access import NodeAccess
from bessemer.service.task import Tasks


@dataclass(frozen=True, slots=True)
class Passthru:
    """What a method gave. Clients get the result of synchronous methods only."""

    is_async: bool
    result: Any


def check_method(methods: Mapping[str, VendorMethod], name: str, http_method: str) -> VendorMethod:
    """Raises InvalidValue when there is no such method, or not with this HTTP method."""
    found = methods.get(name)
    if found is None:
        raise InvalidValue(
            f"There is no vendor method {name[:80]!r}.", hint=f"There are: {', '.join(methods) or 'none'}."
        )
    if http_method not in found.http_methods:
        raise InvalidValue(f"Vendor method '{name}' takes {', '.join(found.http_methods)} only.")
    return found


def check_args(args: Any) -> dict[str, Any]:
    """Raises InvalidValue when ``args`` is neither an object nor nothing."""
    if args is None:
        return {}
    if not isinstance(args, dict):
        raise InvalidValue("The arguments of a vendor method must be an object.")
    return args


class PassthruService:
    """Methods of nodes; those that need no node are ``DriverService``'s."""

    def __init__(self, access: NodeAccess, tasks: Tasks, machines: MachineService) -> None:
        self._access = access
        self._tasks = tasks
        self._machines = machines

    async def list_methods(self, caller: Caller, ident: str) -> Mapping[str, VendorMethod]:
        """Raises NotFound."""
        task = await self._tasks.open(await self._access.get(caller, ident))
        return task.driver.vendor.methods()

    async def call(self, caller: Caller, ident: str, method: str, http_method: str, args: Any) -> Passthru:
        """Carry out a synchronous method and wait for it, or start the operation of an asynchronous one.

        Raises:
            NotFound: No such node.
            NodeLocked: The method wants the node for itself, and an operation is at work on it.
            InvalidValue: No such method, or bad arguments.
            DeviceError: From the machine.
        """
        node = await self._access.get(caller, ident)
        methods = (await self._tasks.open(node)).driver.vendor.methods()
        found = check_method(methods, method, http_method)
        given = {"method": method, "http_method": http_method, "args": check_args(args)}
        call = MachineCall("call vendor", "answer", given, of_free_node=found.require_exclusive_lock)
        if found.is_async:
            await self._machines.begin(caller, node, "vendor passthru", call)
            return Passthru(is_async=True, result=None)
        return Passthru(is_async=False, result=await self._machines.tell(caller, node, call))
