"""Strings that do not show themselves, and names that say that what they name is secret."""

from collections.abc import Set
from typing import Any, Final

MASK: Final = "******"

_WORDS = (
    "password", "token", "secret", "passwd", "passphrase", "admin_pass", "adminpass", "credential",
    "private_key", "api_key", "auth_key", "priv_key", "sslkey", "fernetkey", "authorization", "cookie",
    "community",
)  # fmt: skip


def is_secret(name: str) -> bool:
    """Whether the name, in any case, says that what it names is secret."""
    lowered = name.lower()
    return any(word in lowered for word in _WORDS)


def masked(document: Any, more: Set[str] = frozenset()) -> Any:
    """``document`` with a mask in place of what is secret by its key, at any depth; ``more`` are further
    keys. Absent values, booleans and empty text stay: they tell whether there is a secret, and nothing of it.
    """
    if isinstance(document, list):
        return [masked(item, more) for item in document]
    if not isinstance(document, dict):
        return document
    return {
        key: MASK if (key in more or is_secret(key)) and _is_telling(held) else masked(held, more)
        for key, held in document.items()
    }


def _is_telling(held: Any) -> bool:
    return held is not None and not isinstance(held, bool) and held != ""


class Secret:
    """Holds a password, token or key. ``repr`` and ``str`` give a mask; only ``reveal()`` gives the text."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return "Secret(***)"

    def __str__(self) -> str:
        return "***"

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._text == other._text

    def __hash__(self) -> int:
        return hash((Secret, self._text))
