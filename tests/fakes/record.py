"""Records for tests, with what every one of them needs."""

from typing import Any

from bessemer.domain.node import Node

NODE_UUID = "11111111-2222-4333-8444-555555555555"
BOOT_KEY = "k" * 43
TOKEN = "T0ken-" + "x" * 37


def make_node(**fields: Any) -> Node:
    """A node that boots by virtual media, unless ``fields`` say otherwise."""
    internal = {"boot_key": BOOT_KEY, "agent_secret_token": TOKEN}
    return Node(
        **{
            "uuid": NODE_UUID,
            "name": "rack1-u7",
            "driver": "redfish",
            "created_at": "2026-11-23T11:14:03.000123+00:00",
            "driver_internal_info": internal,
            **fields,
        }
    )
