"""A network that keeps account of VIFs: one per port, listed until detached.

Not in any hardware type's list; fake hardware may use it once it is enabled. Behind real switches see
``bessemer.network``.
"""

from collections.abc import Sequence

from bessemer.domain.interface import InterfaceType
from bessemer.domain.port import Port
from bessemer.hardware.fake.behaviour import Behaviour
from bessemer.hardware.interface import BareInterface, JsonObject, Task
from bessemer.kernel.error import Conflict, InvalidValue

VIFS_KEY = "fake_vifs"
NETWORK_KEY = "fake_network"


class FakeNetwork(BareInterface):
    name = "fake"

    def __init__(self, behaviour: Behaviour) -> None:
        self._behaviour = behaviour

    async def add_network(self, task: Task, purpose: str) -> None:
        await self._move(task, "add_network", purpose)

    async def remove_network(self, task: Task, purpose: str) -> None:
        await self._move(task, "remove_network", None)

    async def configure_tenant_networks(self, task: Task) -> None:
        await self._move(task, "configure_tenant_networks", "tenant")

    async def unconfigure_tenant_networks(self, task: Task) -> None:
        await self._move(task, "unconfigure_tenant_networks", None)

    async def vif_attach(self, task: Task, vif: JsonObject) -> None:
        """Raises Conflict for a VIF that is attached, InvalidValue without an id or a free port."""
        await self._behaviour.call(task, InterfaceType.NETWORK, "vif_attach")
        vif_id = vif.get("id")
        if not isinstance(vif_id, str) or not vif_id:
            raise InvalidValue("A VIF needs an id.")
        attached = _vifs(task)
        if vif_id in attached.values():
            raise Conflict(f"VIF {vif_id} is already attached to node {task.node.uuid}.")
        free = next((port.uuid for port in task.ports if port.uuid not in attached), None)
        if free is None:
            raise InvalidValue(f"Node {task.node.uuid} has no free port for VIF {vif_id}.")
        await task.remember(**{VIFS_KEY: {**attached, free: vif_id}})

    async def vif_detach(self, task: Task, vif_id: str) -> None:
        """Raises InvalidValue for a VIF that is not attached."""
        await self._behaviour.call(task, InterfaceType.NETWORK, "vif_detach")
        attached = _vifs(task)
        left = {port: vif for port, vif in attached.items() if vif != vif_id}
        if len(left) == len(attached):
            raise InvalidValue(f"VIF {vif_id} is not attached to node {task.node.uuid}.")
        await task.remember(**{VIFS_KEY: left or None})

    async def vif_list(self, task: Task) -> Sequence[JsonObject]:
        await self._behaviour.call(task, InterfaceType.NETWORK, "vif_list")
        return [{"id": vif} for vif in _vifs(task).values()]

    async def port_changed(self, task: Task, before: Port, after: Port) -> None:
        """Raises Conflict when a port that carries a VIF would change its address."""
        if before.address != after.address and before.uuid in _vifs(task):
            raise Conflict(f"Port {before.uuid} has a VIF attached; detach it before changing the address.")

    async def _move(self, task: Task, method: str, network: str | None) -> None:
        await self._behaviour.call(task, InterfaceType.NETWORK, method)
        await task.remember(**{NETWORK_KEY: network})


def _vifs(task: Task) -> dict[str, str]:
    """VIF ids by the UUID of the port that carries them."""
    return dict(task.node.driver_internal_info.get(VIFS_KEY) or {})
