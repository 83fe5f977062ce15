"""Calls that ask a node's machine something, or change it while the client waits."""

from typing import Any

from bessemer.api.v1 import show, value
from bessemer.api.v1.call import Answer, Call, empty, ok
from bessemer.api.v1.route import Anything, Route
from bessemer.api.v1.table import action
from bessemer.api.v1.table.node import NODE
from bessemer.api.v1.version import Behaviour
from bessemer.domain.power import BootDevice
from bessemer.hardware.interface import VendorMethod
from bessemer.kernel.error import InvalidValue
from bessemer.kernel.ident import is_uuid
from bessemer.service.passthru import Passthru
from bessemer.service.services import Services

_PASSTHRU = ("GET", "PUT", "POST", "PATCH", "DELETE")
_DEVICE = "/nodes/{node}/management/boot_device"
_VENDOR = "/nodes/{node}/vendor_passthru"


class NodeManagementApi:
    def __init__(self, services: Services) -> None:
        self._management = services.management
        self._passthru = services.passthru
        self._vifs = services.vifs

    def routes(self) -> list[Route]:
        return [
            Route(
                "GET",
                "/nodes/validate",
                self.validate_by_query,
                rule="baremetal:node:validate",
                query=action.VALIDATE,
            ),
            Route("GET", "/nodes/{node}/validate", self.validate, rule="baremetal:node:validate"),
            Route("GET", _DEVICE, self.get_boot_device, rule="baremetal:node:get_boot_device"),
            Route(
                "PUT",
                _DEVICE,
                self.set_boot_device,
                rule="baremetal:node:set_boot_device",
                body=action.BOOT_DEVICE,
            ),
            Route(
                "GET", f"{_DEVICE}/supported", self.list_boot_devices, rule="baremetal:node:get_boot_device"
            ),
            Route(
                "PUT",
                "/nodes/{node}/management/inject_nmi",
                self.inject_nmi,
                rule="baremetal:node:inject_nmi",
                since=action.NMI_SINCE,
                body=action.NOTHING,
            ),
            Route(
                "GET",
                "/nodes/{node}/vifs",
                self.list_vifs,
                rule="baremetal:node:vif:list",
                since=action.VIF_SINCE,
            ),
            Route(
                "POST",
                "/nodes/{node}/vifs",
                self.attach_vif,
                rule="baremetal:node:vif:attach",
                since=action.VIF_SINCE,
                body=action.VIF,
            ),
            Route(
                "DELETE",
                "/nodes/{node}/vifs/{vif}",
                self.detach_vif,
                rule="baremetal:node:vif:detach",
                since=action.VIF_SINCE,
            ),
            Route(
                "GET", f"{_VENDOR}/methods", self.list_vendor_methods, rule="baremetal:node:vendor_passthru"
            ),
            *(
                Route(
                    method,
                    path,
                    self.call_vendor,
                    rule="baremetal:node:vendor_passthru",
                    query=action.VENDOR_METHOD,
                    body=Anything(),
                )
                for method in _PASSTHRU
                for path in (_VENDOR, f"{_VENDOR}/{{method}}")
            ),
        ]

    async def validate(self, call: Call) -> Answer:
        return await self._validate(call, show.ident(call, NODE))

    async def validate_by_query(self, call: Call) -> Answer:
        """As clients of the first version ask."""
        ident = call.query.get("node_uuid") or call.query.get("node")
        if ident is None:
            raise InvalidValue("Validation needs node or node_uuid.")
        since = NODE.by_name["name"].since
        if call.version.minor < since and not is_uuid(ident):
            raise value.too_new("a node by its name", since)
        return await self._validate(call, ident)

    async def _validate(self, call: Call, ident: str) -> Answer:
        verdicts = await self._management.validate(call.caller, ident)
        document: dict[str, dict[str, Any]] = {}
        for kind, verdict in verdicts.items():
            document[kind] = {"result": verdict.result}
            if verdict.reason is not None:
                document[kind]["reason"] = verdict.reason
        return ok(document)

    async def get_boot_device(self, call: Call) -> Answer:
        device, persistent = await self._management.get_boot_device(call.caller, show.ident(call, NODE))
        return ok({"boot_device": device, "persistent": persistent})

    async def list_boot_devices(self, call: Call) -> Answer:
        devices = await self._management.list_boot_devices(call.caller, show.ident(call, NODE))
        return ok({"supported_boot_devices": list(devices)})

    async def set_boot_device(self, call: Call) -> Answer:
        word = show.check_word("boot_device", call.body["boot_device"], list(BootDevice))
        await self._management.set_boot_device(
            call.caller,
            show.ident(call, NODE),
            BootDevice(word),
            persistent=call.body.get("persistent", False),
        )
        return empty()

    async def inject_nmi(self, call: Call) -> Answer:
        await self._management.inject_nmi(call.caller, show.ident(call, NODE))
        return empty()

    # ------------------------------------------------------------------ virtual interfaces

    async def list_vifs(self, call: Call) -> Answer:
        vifs = await self._vifs.list(call.caller, show.ident(call, NODE))
        return ok({"vifs": [{"id": vif["id"]} for vif in vifs]})

    async def attach_vif(self, call: Call) -> Answer:
        has_both = call.body.get("port_uuid") and call.body.get("portgroup_uuid")
        if has_both and call.version.has(Behaviour.VIF_HAS_ONE_PLACE):
            raise InvalidValue("Give port_uuid or portgroup_uuid, not both.")
        await self._vifs.attach(call.caller, show.ident(call, NODE), call.body)
        return empty()

    async def detach_vif(self, call: Call) -> Answer:
        await self._vifs.detach(call.caller, show.ident(call, NODE), call.params["vif"])
        return empty()

    # ------------------------------------------------------------------ vendor passthru

    async def list_vendor_methods(self, call: Call) -> Answer:
        methods = await self._passthru.list_methods(call.caller, show.ident(call, NODE))
        return ok({name: shown_method(method) for name, method in methods.items()})

    async def call_vendor(self, call: Call) -> Answer:
        result = await self._passthru.call(
            call.caller, show.ident(call, NODE), vendor_method(call), call.method, call.body
        )
        return vendor_answer(result)


def vendor_method(call: Call) -> str:
    """The method's name, from the path or the query. Raises InvalidValue."""
    name = call.params.get("method") or call.query.get("method")
    if not name:
        raise InvalidValue("The name of the vendor method is missing.")
    return str(name)


def shown_method(method: VendorMethod) -> dict[str, Any]:
    return {
        "http_methods": list(method.http_methods),
        "async": method.is_async,
        "description": method.description,
        "attach": method.attach,
        "require_exclusive_lock": method.require_exclusive_lock,
    }


def vendor_answer(result: Passthru) -> Answer:
    return empty(202) if result.is_async else ok(result.result)
