"""A node in the hands of an interface, without a database."""

from collections.abc import Sequence
from typing import Any

import msgspec

from bessemer.domain.node import Node
from bessemer.domain.port import Port
from bessemer.kernel.ident import new_uuid

LONG_AGO = "2026-01-01T00:00:00.000000+00:00"


class FakeTask:
    """A ``hardware.interface.Task`` that keeps its node in memory."""

    def __init__(self, node: Node, ports: Sequence[Port] = ()) -> None:
        self.node = node
        self.ports = ports

    async def save(self, **changes: Any) -> None:
        self.node = msgspec.structs.replace(self.node, **changes)

    async def remember(self, **facts: Any) -> None:
        merged = {**self.node.driver_internal_info, **facts}
        await self.save(
            driver_internal_info={key: value for key, value in merged.items() if value is not None}
        )


def make_task(*macs: str, **fields: Any) -> FakeTask:
    """A task for a node of fake hardware (unless ``fields`` say otherwise) with a port for each MAC."""
    node = Node(**{"uuid": new_uuid(), "driver": "fake-hardware", "created_at": LONG_AGO, **fields})
    ports = [Port(uuid=new_uuid(), address=mac, node_uuid=node.uuid, created_at=LONG_AGO) for mac in macs]
    return FakeTask(node, ports)
