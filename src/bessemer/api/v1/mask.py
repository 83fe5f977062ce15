"""Secrets in free-form objects: which keys hold them, and the mask shown instead.

A key holds a secret when its name contains one of a few words, in any case. Masking looks at all levels.
Source: v1 contract, the ``secret`` notes of driver_info, driver_internal_info and instance_info.
"""

from collections.abc import Set
from functools import lru_cache
from typing import Any

import msgspec

from bessemer.kernel.secret import MASK

#: The commonest first: a search ends at the first that is found.
_WORDS = (
    "password", "token", "secret", "passwd", "passphrase", "admin_pass", "adminpass", "credential",
    "private_key", "api_key", "auth_key", "priv_key", "sslkey", "fernetkey", "authorization", "cookie",
    "community",
)  # fmt: skip
_NOTHING: Set[str] = frozenset()


@lru_cache(maxsize=4096)
def is_secret(key: str) -> bool:
    """Whether the name says that what it names is secret."""
    lowered = key.lower()
    return any(word in lowered for word in _WORDS)


def mask(document: Any, more: Set[str] = _NOTHING) -> Any:
    """A copy of ``document`` with every secret masked. ``more`` are further keys that hold secrets.

    Absent values, booleans and empty strings stay: they tell whether there is a secret, and nothing of it.
    """
    if isinstance(document, dict):
        return {
            key: _masked(held) if is_secret(key) or key in more else mask(held, more)
            for key, held in document.items()
        }
    if isinstance(document, list):
        return [mask(item, more) for item in document]
    return document


def _masked(held: Any) -> Any:
    return held if held is None or isinstance(held, bool) or held == "" else MASK


class Masker:
    """Masks a JSON text, and leaves it unparsed when there can be nothing to mask in it."""

    def __init__(self, more: Set[str]) -> None:
        self._more = more
        self._words = (*_WORDS, *more)

    def __call__(self, held: Any) -> Any:
        """``held`` is JSON text as the database has it, or an object."""
        if not isinstance(held, str):
            return mask(held, self._more)
        return mask(msgspec.json.decode(held), self._more) if self._is_suspect(held) else msgspec.Raw(held)

    def _is_suspect(self, text: str) -> bool:
        if text == "{}":
            return False
        # A key can also be written with escapes, which no search for words would see.
        lowered = text.lower()
        return any(word in lowered for word in self._words) or "\\u" in lowered
