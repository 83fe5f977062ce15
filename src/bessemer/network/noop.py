"""``noop``: the network is somebody else's business. Every machine stays where it is cabled.

Any VIF may be attached; nothing is kept of it, and the list of VIFs is always empty, as clients of the v1 API
know it. Source: v1 contract, network noop.
"""

from collections.abc import Sequence

from bessemer.domain.port import Port
from bessemer.hardware.interface import BareInterface, JsonObject, Task


class NoopNetwork(BareInterface):
    name = "noop"

    async def add_network(self, task: Task, purpose: str) -> None:
        return None

    async def remove_network(self, task: Task, purpose: str) -> None:
        return None

    async def configure_tenant_networks(self, task: Task) -> None:
        return None

    async def unconfigure_tenant_networks(self, task: Task) -> None:
        return None

    async def vif_attach(self, task: Task, vif: JsonObject) -> None:
        return None

    async def vif_detach(self, task: Task, vif_id: str) -> None:
        return None

    async def vif_list(self, task: Task) -> Sequence[JsonObject]:
        return []

    async def port_changed(self, task: Task, before: Port, after: Port) -> None:
        return None
