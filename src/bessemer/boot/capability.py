"""URLs that are their own permission: who knows one may read one node's artefacts, and nobody can guess it.

The secret in it is ``driver_internal_info.boot_key``, made anew for every boot and removed after it.
"""

import hmac
from typing import Final

from bessemer.domain.node import Node
from bessemer.kernel.error import InternalError
from bessemer.transfer.url import check_web

#: Fact about a node: when its boot medium was last read, as far as it was worth noting.
READ_AT: Final = "boot_read_at"


def capability_url(node: Node, base_url: str, name: str) -> str:
    """``<base>/boot/<node>/<key>/<name>``.

    Raises:
        InvalidValue: ``base_url`` is not an http or https URL.
        InternalError: The node has no boot key.
    """
    key = node.driver_internal_info.get("boot_key")
    if not isinstance(key, str) or not key:
        raise InternalError(f"Node {node.uuid} has no boot key.")
    base = check_web(base_url, "The base URL of boot artefacts").rstrip("/")
    return f"{base}/boot/{node.uuid}/{key}/{name}"


def is_boot_key(node: Node, key: str) -> bool:
    """Whether ``key`` is the node's present one; takes the same time for every wrong one of its length."""
    own = node.driver_internal_info.get("boot_key")
    return isinstance(own, str) and bool(own) and hmac.compare_digest(own.encode(), key.encode())
