"""Password hashes as ``crypt(3)`` makes and understands them: SHA-256 and SHA-512 with a salt and rounds.

A rescue password is hashed before it is kept anywhere; the ramdisk puts the hash into ``/etc/shadow``.
Pure, but slow by design (some milliseconds): call it off the event loop.

Source: U. Drepper, "Unix crypt using SHA-256 and SHA-512", version 0.6.
"""

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from bessemer.kernel.error import InvalidValue

ROUNDS: Final = 5000
#: crypt(3) takes no longer ones: whoever logs in could not give it. The work grows with the square of it.
MOST_BYTES: Final = 511
_LETTERS: Final = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SALT: Final = re.compile(r"[./0-9A-Za-z]{1,16}")


@dataclass(frozen=True, slots=True)
class _Scheme:
    prefix: str
    digest: Callable[[bytes], Any]
    #: Which bytes of the digest go together into four letters, last group shorter.
    groups: tuple[tuple[int, int, int], ...]
    rest: tuple[int, ...]


def _groups(size: int, *, is_forward: bool) -> tuple[tuple[int, int, int], ...]:
    """Triples that start a third of the digest apart and rotate from one to the next."""
    third = size // 3
    found, triple = [], (0, third, 2 * third)
    for _ in range(third):
        found.append(triple)
        a, b, c = triple
        triple = (b + 1, c + 1, a + 1) if is_forward else (c + 1, a + 1, b + 1)
    return tuple(found)


_SCHEMES: Final = {
    "sha256": _Scheme("$5$", hashlib.sha256, _groups(30, is_forward=False), (31, 30)),
    "sha512": _Scheme("$6$", hashlib.sha512, _groups(63, is_forward=True), (63,)),
}
ALGORITHMS: Final = tuple(_SCHEMES)


def hash_password(password: str, *, algorithm: str, salt: str) -> str:
    """The hash of ``password`` in the form of ``/etc/shadow``.

    ``algorithm`` is ``sha256`` or ``sha512``; ``salt`` is 1 to 16 letters of ``./0-9A-Za-z``, new each time.

    Raises:
        InvalidValue: Another algorithm, a salt that is none, or more than ``MOST_BYTES`` of password.
    """
    scheme = _SCHEMES.get(algorithm)
    if scheme is None:
        raise InvalidValue(f"Passwords cannot be hashed by '{algorithm}'.", hint=" or ".join(ALGORITHMS))
    if _SALT.fullmatch(salt) is None:
        raise InvalidValue("A salt is 1 to 16 of the characters ./0-9A-Za-z.")
    key = password.encode()
    if len(key) > MOST_BYTES:
        raise InvalidValue(f"The password is longer than {MOST_BYTES} bytes: nobody could log in with it.")
    return f"{scheme.prefix}{salt}${_encoded(scheme, _digest(scheme, key, salt.encode()))}"


def _digest(scheme: _Scheme, key: bytes, salt: bytes) -> bytes:
    made: Callable[[bytes], bytes] = lambda data: bytes(scheme.digest(data).digest())  # noqa: E731
    other = made(key + salt + key)
    data = key + salt + _stretched(other, len(key))
    length = len(key)
    while length:
        data += other if length & 1 else key
        length >>= 1
    found = made(data)
    p = _stretched(made(key * len(key)), len(key))
    s = _stretched(made(salt * (16 + found[0])), len(salt))
    for number in range(ROUNDS):
        data = p if number & 1 else found
        data += s if number % 3 else b""
        data += p if number % 7 else b""
        data += found if number & 1 else p
        found = made(data)
    return found


def _stretched(block: bytes, length: int) -> bytes:
    return (block * (length // len(block) + 1))[:length]


def _encoded(scheme: _Scheme, digest: bytes) -> str:
    words = [(digest[a] << 16 | digest[b] << 8 | digest[c], 4) for a, b, c in scheme.groups]
    last = 0
    for index in scheme.rest:
        last = last << 8 | digest[index]
    words.append((last, len(scheme.rest) + 1))
    return "".join(letter for word, count in words for letter in _letters(word, count))


def _letters(word: int, count: int) -> Iterator[str]:
    """Six bits a letter, the lowest first."""
    for _ in range(count):
        yield _LETTERS[word & 63]
        word >>= 6
