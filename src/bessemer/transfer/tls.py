"""How the servers we talk to are verified: BMCs, agents, image servers and Keystone alike.

TLS contexts are made once per set of rules: loading the system's CAs costs more than a request.
"""

import ssl
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from bessemer.kernel.error import InvalidValue

_TRUE = ("true", "yes", "on", "1", "t", "y")
_FALSE = ("false", "no", "off", "0", "f", "n")
#: What we accept unless a rule asks for less. Older versions are broken. Source: RFC 8996.
OLDEST = ssl.TLSVersion.TLSv1_2


@dataclass(frozen=True, slots=True)
class TlsRules:
    """``verify``: True for the system's CAs, False for no check, else a CA file or directory."""

    verify: bool | str = True
    minimum: ssl.TLSVersion | None = None
    ciphers: str | None = None


def read_verify(given: object, name: str) -> bool | str:
    """A setting such as ``redfish_verify_ca``: true, false, or a path. ``name`` is for the message.

    Raises:
        InvalidValue: Neither a truth value nor a path that exists here.
    """
    if isinstance(given, bool):
        return given
    if isinstance(given, str):
        word = given.strip().lower()
        if word in _TRUE + _FALSE:
            return word in _TRUE
        with suppress(OSError):  # too long for a path, or where we may not look
            if given and Path(given).exists():
                return given
    raise InvalidValue(
        f"{name} cannot be '{given}'.",
        hint="Write true, false, or the path of a CA file or directory that exists on the conductor.",
    )


@lru_cache(maxsize=256)
def client_context(rules: TlsRules, name: str) -> ssl.SSLContext:
    """The context for ``rules``, which the setting ``name`` is the source of.

    Raises:
        InvalidValue: The CA file or directory cannot be used.
    """
    if isinstance(rules.verify, str):
        is_directory = Path(rules.verify).is_dir()
        try:
            context = ssl.create_default_context(
                cafile=None if is_directory else rules.verify, capath=rules.verify if is_directory else None
            )
        except (OSError, ssl.SSLError) as error:
            raise InvalidValue(f"{name}: no CA certificates in '{rules.verify}'.") from error
    else:
        context = ssl.create_default_context()
        if not rules.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
    context.minimum_version = rules.minimum or OLDEST
    if rules.ciphers:
        context.set_ciphers(rules.ciphers)
    return context
