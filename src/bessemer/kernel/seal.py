"""Sealing: a secret as text that only a holder of the key can open, tied to the place it stands at.

``sealed:1:<key id>:<base64>``, where the base64 is a nonce of 12 bytes and what AES-256-GCM-SIV made of the
secret, with the place as associated data. GCM-SIV, since a value is sealed anew whenever its document is
written: it stays safe when, after billions of writes, a random nonce comes twice.
Source: RFC 8452.
"""

import base64
import binascii
import hashlib
import hmac
import os
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV

from bessemer.kernel.error import BessemerError, Fault, InvalidValue
from bessemer.kernel.secret import SEALED

PREFIX = f"{SEALED}1:"
KEY_BYTES = 32
_NONCE_BYTES = 12
_ID_LETTERS = 8
#: What keys of marks are derived with: no key does two things.
_MARKS = b"bessemer key of marks"


class SealBroken(BessemerError):
    """A sealed value cannot be opened: its key is missing, or it was changed or moved."""

    code = "seal-broken"
    fault = Fault.OPERATOR


class UnknownKey(SealBroken):
    """It was sealed with a key that is not at hand."""

    code = "unknown-key"


def new_key() -> bytes:
    return os.urandom(KEY_BYTES)


def key_id(key: bytes) -> str:
    """The name of a key, which tells nothing about it: two different keys have different names."""
    return hashlib.sha256(b"bessemer key id" + key).hexdigest()[:_ID_LETTERS]


def id_in(sealed: str) -> str:
    """The name of the key that ``sealed`` (which begins with PREFIX) was sealed with."""
    return sealed[len(PREFIX) : len(PREFIX) + _ID_LETTERS]


class Keyring:
    """Keys of 32 bytes: the first one seals, every one opens. Its ``repr`` shows their names only."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        """Raises InvalidValue: no key, or one that is not 32 bytes long."""
        if not keys or any(len(key) != KEY_BYTES for key in keys):
            raise InvalidValue(f"A keyring needs keys of {KEY_BYTES} bytes, at least one.")
        self._ciphers = {key_id(key): AESGCMSIV(key) for key in keys}
        self._markers = [hmac.digest(key, _MARKS, "sha256") for key in keys]
        self.ids = tuple(self._ciphers)

    def __repr__(self) -> str:
        return f"Keyring({', '.join(self.ids)})"

    def seal(self, secret: bytes, place: str) -> str:
        """``secret`` sealed with the first key; it opens at ``place`` only."""
        name = self.ids[0]
        nonce = os.urandom(_NONCE_BYTES)
        body = nonce + self._ciphers[name].encrypt(nonce, secret, place.encode())
        return f"{PREFIX}{name}:{base64.b64encode(body).decode()}"

    def mark(self, text: str) -> str:
        """43 URL-safe characters, always the same for ``text``, that nobody makes without the first key.

        Source: RFC 2104 (HMAC), with SHA-256.
        """
        return _marked(self._markers[0], text)

    def is_mark(self, text: str, mark: str) -> bool:
        """Whether one of these keys made ``mark`` for ``text``; takes the same time for every wrong one."""
        given = mark.encode()
        return any(hmac.compare_digest(_marked(key, text).encode(), given) for key in self._markers)

    def open(self, sealed: str, place: str) -> bytes:
        """What was sealed.

        Raises:
            UnknownKey: None of these keys sealed it.
            SealBroken: It was changed, comes from another place, or is no sealed value at all.
        """
        cipher = self._ciphers.get(id_in(sealed))
        if cipher is None:
            raise UnknownKey(
                f"A secret of {place} is sealed with key '{id_in(sealed)}', which is not at hand."
            )
        try:
            body = base64.b64decode(sealed[len(PREFIX) + _ID_LETTERS + 1 :], validate=True)
            return cipher.decrypt(body[:_NONCE_BYTES], body[_NONCE_BYTES:], place.encode())
        except (InvalidTag, ValueError, binascii.Error) as error:
            raise SealBroken(
                f"A secret of {place} does not open.",
                hint="It was changed or moved in the database by something other than Bessemer: set it anew.",
            ) from error


def _marked(key: bytes, text: str) -> str:
    return base64.urlsafe_b64encode(hmac.digest(key, text.encode(), "sha256")).rstrip(b"=").decode()
