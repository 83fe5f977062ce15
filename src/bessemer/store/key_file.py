"""The key file: one key per line in base64, the sealing one first; lines that begin with # are comments."""

import base64
import binascii
import os
import stat
from collections.abc import Sequence
from pathlib import Path

from bessemer.kernel.error import BessemerError, Fault, InvalidValue
from bessemer.kernel.seal import Keyring, key_id

_HEAD = """\
# Keys of Bessemer's secrets. Whoever has this file and the database has every password in it.
# Keep a copy of it, apart from copies of the database. The first key seals, all of them open.
"""
_FORBIDDEN = stat.S_IWGRP | stat.S_IRWXO


class BadKeyFile(BessemerError):
    """The key file is missing, malformed, or open to others."""

    code = "bad-key-file"
    fault = Fault.OPERATOR


def read_keys(path: Path) -> Keyring:
    """The keys in the file. Raises BadKeyFile, naming it."""
    return Keyring(read_raw_keys(path))


def read_raw_keys(path: Path) -> list[bytes]:
    """As ``read_keys``, as they stand there, at least one."""
    try:
        if os.stat(path).st_mode & _FORBIDDEN:  # noqa: PTH116
            raise BadKeyFile(f"The key file '{path}' is open to others.", hint=f"chmod 0600 '{path}'")
        lines = path.read_text("ascii").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise BadKeyFile(f"The key file '{path}' cannot be read: {reason}.") from error
    try:
        keys = [base64.b64decode(line, validate=True) for line in lines if line and not line.startswith("#")]
        Keyring(keys)
    except (binascii.Error, InvalidValue) as error:
        raise BadKeyFile(
            f"The key file '{path}' holds no usable keys.", hint="One key of 32 bytes in base64 per line."
        ) from error
    return keys


def write_keys(path: Path, keys: Sequence[bytes]) -> None:
    """Put ``keys`` in place of what the file holds: whole or not at all, for its owner only.

    Raises:
        BadKeyFile: It cannot be written.
    """
    text = _HEAD + "".join(f"# {key_id(key)}\n{base64.b64encode(key).decode()}\n" for key in keys)
    new = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        mode, owner = _like(path)
        descriptor = os.open(new, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(descriptor, "w") as file:
            if owner is not None:
                os.fchown(descriptor, *owner)
            os.fchmod(descriptor, mode)
            file.write(text)
            file.flush()
            os.fsync(descriptor)
        new.replace(path)
    except OSError as error:
        new.unlink(missing_ok=True)
        raise BadKeyFile(f"The key file '{path}' cannot be written: {error.strerror}.") from error


def _like(path: Path) -> tuple[int, tuple[int, int] | None]:
    """Mode and owner that a file in place of ``path`` is to have."""
    if not path.exists():
        return 0o600, None
    present = path.stat()
    return stat.S_IMODE(present.st_mode), (present.st_uid, present.st_gid)
