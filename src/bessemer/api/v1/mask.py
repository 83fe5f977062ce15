"""Secrets in free-form objects: which keys hold them, and the mask shown instead.

A key holds a secret when its name contains one of a few words, in any case. Masking looks at all levels.
Source: v1 contract, the ``secret`` notes of driver_info, driver_internal_info and instance_info.
"""

from collections.abc import Set
from typing import Any

import msgspec

from bessemer.kernel.secret import MASK, is_secret

_MOST_REMEMBERED = 10_000


class _Names(dict[str, bool]):
    """Which keys hold secrets: worked out once for each key, because lists ask thousands of times."""

    def __init__(self, more: Set[str]) -> None:
        super().__init__()
        self._more = more

    def __missing__(self, key: str) -> bool:
        if len(self) >= _MOST_REMEMBERED:
            self.clear()
        self[key] = found = key in self._more or is_secret(key)
        return found


class Masker:
    """Masks what is secret in an object. ``more`` are further keys that hold secrets.

    Absent values, booleans and empty strings stay: they tell whether there is a secret, and nothing of it.
    """

    def __init__(self, more: Set[str] = frozenset()) -> None:
        self._names = _Names(more)

    def __call__(self, held: Any) -> Any:
        """``held`` is an object, a list, or the JSON text of one. The argument is left alone."""
        if isinstance(held, str):
            held = msgspec.json.decode(held)
        return self._mask(held)

    def _mask(self, document: Any) -> Any:
        if isinstance(document, dict):
            names = self._names
            return {
                key: _masked(held)
                if names[key]
                else self._mask(held)
                if isinstance(held, dict | list)
                else held
                for key, held in document.items()
            }
        if isinstance(document, list | tuple):
            return [self._mask(item) for item in document]
        return document


def _masked(held: Any) -> Any:
    return held if held is None or isinstance(held, bool) or held == "" else MASK
