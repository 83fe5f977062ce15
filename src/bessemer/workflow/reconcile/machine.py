"""One node in the hands of a driver that is only asked, outside of any operation. The one place where sweeps
reach machines."""

from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

from bessemer.domain.node import Node
from bessemer.domain.port import Port
from bessemer.domain.power import PowerState
from bessemer.hardware.composition import Composition
from bessemer.hardware.driver import Driver
from bessemer.hardware.interface import EventSource, EventTarget, IsStale, JsonObject
from bessemer.hardware.urgency import sweeping
from bessemer.kernel.error import InternalError, Unsupported


class AskedNode:
    """A ``hardware.interface.Task`` that refuses to write: asking changes nothing."""

    def __init__(self, node: Node) -> None:
        self._node = node

    @property
    def node(self) -> Node:
        return self._node

    @property
    def ports(self) -> Sequence[Port]:
        return ()

    async def save(self, **changes: Any) -> None:
        raise InternalError(f"a driver that was only asked wanted to change {', '.join(changes)}")

    async def remember(self, **facts: Any) -> None:
        raise InternalError(f"a driver that was only asked wanted to remember {', '.join(facts)}")


class Machines:
    """Answers what a node's machine is like right now. Errors are the drivers' (``hardware.interface``)."""

    def __init__(self, composition: Composition) -> None:
        self._composition = composition

    def driver_of(self, node: Node) -> Driver:
        """Raises InvalidValue when this conductor does not drive such nodes."""
        return self._composition.driver_for(node)

    async def power_state(self, node: Node, *, is_last_look: bool = False) -> PowerState:
        """``is_last_look``: it cannot wait, so it is asked of a BMC too that sweeps leave alone."""
        with nullcontext() if is_last_look else sweeping():
            return await self.driver_of(node).power.get_power_state(AskedNode(node))

    async def health(self, node: Node) -> str | None:
        with sweeping():
            return await self.driver_of(node).management.get_health(AskedNode(node))

    async def sensors(self, node: Node) -> JsonObject:
        with sweeping():
            return await self.driver_of(node).management.get_sensors(AskedNode(node))

    # ------------------------------------------------------------------ events

    def event_source(self, node: Node) -> EventSource | None:
        """How the machine tells of changes; None when it does not. Raises InvalidValue as ``driver_of``."""
        return self.driver_of(node).management.events

    async def subscribe(
        self, node: Node, target: EventTarget, known_path: str | None, is_stale: IsStale
    ) -> str:
        with sweeping():
            return await self._source(node).subscribe(AskedNode(node), target, known_path, is_stale)

    async def send_test_event(self, node: Node) -> bool:
        with sweeping():
            return await self._source(node).send_test(AskedNode(node))

    def _source(self, node: Node) -> EventSource:
        source = self.event_source(node)
        if source is None:
            raise Unsupported(f"Machines of driver '{node.driver}' tell nobody of changes.")
        return source
