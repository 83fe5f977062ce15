"""Tokens by which BMCs tell whose events they bring. Each is derived from the node's UUID and the service's
key: nothing is kept of them, and checking one asks no database."""

from bessemer.kernel.ident import is_uuid
from bessemer.store.vault import Vault

_UUID_LETTERS = 32


def event_token(vault: Vault, node_uuid: str) -> str:
    """75 URL-safe characters: the UUID and a mark. Raises Unavailable when there is no key."""
    return node_uuid.replace("-", "") + vault.mark(_text(node_uuid))


def find_event_node(vault: Vault, token: str) -> str | None:
    """UUID of the node that ``token`` was made for; None when it was not made by us."""
    flat, mark = token[:_UUID_LETTERS], token[_UUID_LETTERS:]
    uuid = f"{flat[:8]}-{flat[8:12]}-{flat[12:16]}-{flat[16:20]}-{flat[20:]}"
    if not is_uuid(uuid) or uuid != uuid.lower() or not mark.isascii():
        return None
    return uuid if vault.is_mark(_text(uuid), mark) else None


def _text(node_uuid: str) -> str:
    return f"events of node {node_uuid}"
