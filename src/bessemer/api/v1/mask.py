"""Secrets in free-form objects: the mask shown in their place. What is secret, ``kernel.secret`` says."""

from collections.abc import Set
from typing import Any

import msgspec

from bessemer.kernel.secret import MASK, SecretNames, covered


class Masker:
    """Masks what is secret in an object, sealed or not. ``more`` are further keys that hold secrets."""

    def __init__(self, more: Set[str] = frozenset()) -> None:
        self._names = SecretNames(more)

    def __call__(self, held: Any) -> Any:
        """``held`` is an object, a list, or the JSON text of one. The argument is left alone."""
        if isinstance(held, str):
            held = msgspec.json.decode(held)
        return covered(held, self._names, _mask)


def _mask(key: str, held: Any) -> str:
    return MASK
