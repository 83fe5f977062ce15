"""Strings that do not show themselves, and the rules that say what in a document is secret.

A value is secret by the name of its key, which contains one of a few words in any case; as the ``value``
beside a ``name`` or ``path`` that does; or by itself: an address with a login in it, or text that is sealed
already.
Source: v1 contract, the ``secret`` notes of driver_info, driver_internal_info and instance_info.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Set
from typing import Any, Final

MASK: Final = "******"
#: What every sealed value begins with; see ``seal``.
SEALED: Final = "sealed:"

_WORDS = (
    "password", "token", "secret", "passwd", "passphrase", "admin_pass", "adminpass", "credential",
    "private_key", "api_key", "auth_key", "priv_key", "sslkey", "fernetkey", "authorization", "cookie",
    "community",
)  # fmt: skip
_LOGIN = re.compile(r"://[^/?#\s@]*:[^/?#\s]*@")
_MOST_REMEMBERED = 10_000
#: Shorter secrets are words that may be anywhere.
_SHORTEST = 4
_SEALED_LENGTH = len(SEALED)


def is_secret(name: str) -> bool:
    """Whether the name, in any case, says that what it names is secret."""
    lowered = name.lower()
    return any(word in lowered for word in _WORDS)


def is_secret_text(text: str) -> bool:
    """Whether ``text`` is secret whatever its name: an address with user and password, or sealed text."""
    return text.startswith(SEALED) or ("@" in text and _LOGIN.search(text) is not None)


class SecretNames(dict[str, bool]):
    """Which keys hold secrets, ``more`` among them: worked out once for each, asked thousands of times."""

    def __init__(self, more: Set[str] = frozenset()) -> None:
        super().__init__()
        self._more = more

    def __missing__(self, key: str) -> bool:
        if len(self) >= _MOST_REMEMBERED:
            self.clear()
        self[key] = found = key in self._more or is_secret(key)
        return found


def covered(document: Any, names: SecretNames, cover: Callable[[str, Any], Any], key: str = "") -> Any:
    """``document`` with ``cover(key, value)`` in place of each secret value, at any depth.

    Absent values, booleans and empty text stay: they tell whether there is a secret, and nothing of it.
    """
    if isinstance(document, dict):
        return _covered_object(document, names, cover)
    if isinstance(document, list | tuple):
        return [covered(item, names, cover, key) for item in document]
    if isinstance(document, str) and is_secret_text(document):
        return cover(key, document)
    return document


def _covered_object(
    document: dict[str, Any], names: SecretNames, cover: Callable[[str, Any], Any]
) -> dict[str, Any]:
    # Lists of nodes go through here thousands of times: text, which most values are, is dealt with in place.
    is_named = "value" in document and any(names[str(document.get(by, ""))] for by in ("name", "path"))
    found = {}
    for name, held in document.items():
        if (names[name] or (is_named and name == "value")) and is_telling(held):
            found[name] = cover(name, held)
        elif type(held) is str:
            is_plain = "@" not in held and held[:_SEALED_LENGTH] != SEALED
            found[name] = held if is_plain or not is_secret_text(held) else cover(name, held)
        else:
            found[name] = covered(held, names, cover, name)
    return found


def masked(document: Any, more: Set[str] = frozenset()) -> Any:
    """``document`` with a mask in place of what is secret in it; ``more`` are further keys of secrets."""
    return covered(document, SecretNames(more), lambda *_: MASK)


def secrets_in(document: Any, more: Set[str] = frozenset()) -> set[str]:
    """The secret texts in ``document``; ``more`` are further keys that hold secrets."""
    found: set[str] = set()
    covered(document, SecretNames(more), lambda _, held: found.update(_texts(held)))
    return found


def _texts(held: Any) -> Iterator[str]:
    if isinstance(held, str):
        yield held
    elif isinstance(held, dict):
        for item in held.values():
            yield from _texts(item)
    elif isinstance(held, list | tuple):
        for item in held:
            yield from _texts(item)


def without_secrets(text: str, secrets: Iterable[str] = ()) -> str:
    """``text`` with a mask in place of each login within an address, and of each of ``secrets`` that is too
    long to be there by chance."""
    for secret in secrets:
        if len(secret) >= _SHORTEST and secret in text:
            text = text.replace(secret, MASK)
    return _LOGIN.sub(f"://{MASK}@", text) if "@" in text else text


def is_telling(held: Any) -> bool:
    """Whether a secret value tells anything: null, booleans and empty text do not."""
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
