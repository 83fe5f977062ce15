"""Seals what is secret in JSON documents on their way into the database, and opens it on its way out.

Only values are sealed, each in its place: documents stay JSON objects whose keys anybody can read, so that
lists are sent, with masks, without a single value being opened.
"""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import structlog

from bessemer.kernel.error import Unavailable
from bessemer.kernel.seal import PREFIX, Keyring, SealBroken, UnknownKey, id_in
from bessemer.kernel.secret import SecretNames, covered
from bessemer.store.document import decode_json, encode_json
from bessemer.store.key_file import BadKeyFile, read_keys

log = structlog.get_logger(__name__)

#: How often to look whether the key file has changed, in seconds.
LOOK_S = 5.0


class Vault:
    """``keys`` seal and open; without them nothing secret can be written or read.

    ``path`` is the file they came from: it is read again when it has changed, so that a new key comes into
    use without a restart.
    """

    def __init__(
        self,
        keys: Keyring | None,
        path: Path | None = None,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._keys = keys
        self._path = path
        self._monotonic = monotonic
        self._looked_at = monotonic()
        self._stamp = _stamp(path)

    @property
    def keys(self) -> Keyring:
        """Raises Unavailable when there are none."""
        if self._keys is None:
            raise Unavailable("Secrets cannot be stored or read: the database was opened without its key.")
        return self._keys

    def mark(self, text: str) -> str:
        """What nobody can guess who does not have the key, and always the same for ``text``. Raises
        Unavailable when there is no key."""
        return self._sealing().mark(text)

    def is_mark(self, text: str, mark: str) -> bool:
        """Whether ``mark`` was made for ``text`` with one of the keys, be it one that is being put away."""
        if self.keys.is_mark(text, mark):
            return True
        is_time = self._monotonic() - self._looked_at >= LOOK_S
        return is_time and self._read_again() and self.keys.is_mark(text, mark)

    def seal(self, document: Any, place: str, names: SecretNames) -> Any:
        """``document`` with its secrets sealed. ``place`` says which column of which row it is for.

        Raises:
            InvalidValue: A secret that JSON has no form for.
            Unavailable: There is no key.
        """

        def cover(key: str, held: Any) -> str:
            return self._sealing().seal(encode_json(held).encode(), f"{place}/{key}")

        return covered(document, names, cover)

    def open(self, document: Any, place: str) -> Any:
        """``document`` with everything in it opened that ``seal`` had sealed for this place.

        Raises:
            SealBroken: A value was changed or moved, or its key is missing from the key file.
            Unavailable: There is no key.
        """
        return _with_sealed(document, place, "", self._open_one)

    def sealed_anew(self, document: Any, place: str, names: SecretNames) -> Any:
        """``document``, sealed or not or partly, with every secret sealed with the present key. What is
        sealed with it already stays as it is. Raises as ``seal`` and ``open``."""
        keys = self._sealing()

        def renew(place: str, sealed: str) -> str:
            return sealed if id_in(sealed) == keys.ids[0] else keys.seal(keys.open(sealed, place), place)

        def cover(key: str, held: Any) -> str:
            if isinstance(held, str) and held.startswith(PREFIX):
                return held
            return keys.seal(encode_json(held).encode(), f"{place}/{key}")

        return covered(_with_sealed(document, place, "", renew), names, cover)

    def _open_one(self, place: str, sealed: str) -> Any:
        try:
            opened = self.keys.open(sealed, place)
        except UnknownKey as error:
            if not self._read_again():
                raise self._explained(error) from error
            opened = self._open_with_new(sealed, place)
        return decode_json(opened.decode())

    def _open_with_new(self, sealed: str, place: str) -> bytes:
        try:
            return self.keys.open(sealed, place)
        except UnknownKey as error:
            raise self._explained(error) from error

    def _explained(self, error: UnknownKey) -> SealBroken:
        where = f"the key file '{self._path}'" if self._path else "this process's keys"
        return UnknownKey(error.message, hint=f"Add that key to {where}.")

    def _sealing(self) -> Keyring:
        if self._monotonic() - self._looked_at >= LOOK_S:
            self._read_again()
        return self.keys

    def _read_again(self) -> bool:
        """Read the key file if it has changed; whether that gave other keys. A bad file gives none."""
        self._looked_at = self._monotonic()
        stamp = _stamp(self._path)
        if self._path is None or stamp is None or stamp == self._stamp:
            return False
        self._stamp = stamp
        try:
            self._keys = read_keys(self._path)
        except BadKeyFile as error:
            log.warning("the key file is bad; the keys in use stay", error=error.message, hint=error.hint)
            return False
        return True


def _with_sealed(document: Any, place: str, key: str, change: Callable[[str, str], Any]) -> Any:
    """``document`` with ``change(place, value)`` in place of each sealed value."""
    if isinstance(document, str):
        return change(f"{place}/{key}", document) if document.startswith(PREFIX) else document
    if isinstance(document, dict):
        return {
            name: _with_sealed(held, place, name, change) if isinstance(held, str | dict | list) else held
            for name, held in document.items()
        }
    if isinstance(document, list):
        return [_with_sealed(item, place, key, change) for item in document]
    return document


def _stamp(path: Path | None) -> tuple[int, int] | None:
    """What changes when the file or its mode does; None when there is none."""
    if path is None:
        return None
    try:
        found = os.stat(path)  # noqa: PTH116  a microsecond, on the loop
    except OSError:
        return None
    return found.st_ctime_ns, found.st_ino
