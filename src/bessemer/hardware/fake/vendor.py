"""Passthru methods that answer with what they were given. Source: v1 contract, vendor methods of fake."""

from collections.abc import Mapping
from typing import Any

from bessemer.domain.interface import InterfaceType
from bessemer.hardware.fake.behaviour import Behaviour
from bessemer.hardware.interface import BareInterface, JsonObject, Task, VendorMethod
from bessemer.kernel.error import InvalidValue, Unsupported

_POST = ("POST",)
_METHODS: Mapping[str, VendorMethod] = {
    "first_method": VendorMethod(_POST, description="Answers with its arguments."),
    "second_method": VendorMethod(_POST, description="Answers with its arguments."),
    "third_method_sync": VendorMethod(_POST, is_async=False, description="Answers at once."),
    "fourth_method_shared_lock": VendorMethod(
        _POST, require_exclusive_lock=False, description="Works while the node is busy."
    ),
    "log_passthrough": VendorMethod(_POST, description="Answers with its arguments."),
}


class FakeVendor(BareInterface):
    name = "fake"

    def __init__(self, behaviour: Behaviour) -> None:
        self._behaviour = behaviour

    def properties(self) -> Mapping[str, str]:
        return {"B1": "Read by nobody. Optional.", "B2": "Read by nobody. Optional."}

    def methods(self) -> Mapping[str, VendorMethod]:
        return _METHODS

    def driver_methods(self) -> Mapping[str, VendorMethod]:
        return {}

    async def call(self, task: Task, method: str, http_method: str, args: JsonObject) -> Any:
        """Raises InvalidValue for a method that does not exist or not with this HTTP method."""
        found = _METHODS.get(method)
        if found is None:
            raise InvalidValue(
                f"There is no vendor method '{method}'.", hint=f"There are: {', '.join(_METHODS)}."
            )
        if http_method.upper() not in found.http_methods:
            raise InvalidValue(f"Vendor method '{method}' takes {', '.join(found.http_methods)} only.")
        await self._behaviour.call(task, InterfaceType.VENDOR, method)
        return {"method": method, "args": args}

    async def call_driver(self, method: str, http_method: str, args: JsonObject) -> Any:
        raise Unsupported("The fake vendor interface has no driver methods.")
