"""Capabilities: what a node can do and what an instance asks of it, as pairs of text.

A node holds them as one text (``properties.capabilities``, ``"boot_mode:uefi,cpu_vt:true"``), an instance as
an object or a JSON text (``instance_info.capabilities``). Source: v1 contract, node properties.
"""

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from bessemer.kernel.error import InvalidValue

#: Capabilities that mean something to the service, and what they may be.
KNOWN: Final[Mapping[str, frozenset[str]]] = MappingProxyType({
    "boot_mode": frozenset({"bios", "uefi"}),
    "secure_boot": frozenset({"true", "false"}),
    "disk_label": frozenset({"msdos", "gpt"}),
})  # fmt: skip


def parse_capabilities(value: object) -> dict[str, str]:
    """The capabilities of a node. Null and empty text are none.

    Raises:
        InvalidValue: Neither text of the form ``k1:v1,k2:v2`` nor an object.
    """
    if value is None or value == "":
        return {}
    if isinstance(value, Mapping):
        return {str(name): str(one) for name, one in value.items()}
    if not isinstance(value, str):
        raise InvalidValue("properties.capabilities must be text like 'boot_mode:uefi,cpu_vt:true'.")
    found = {}
    for item in value.split(","):
        name, colon, one = item.partition(":")
        if not name.strip() or not colon:
            raise InvalidValue(
                f"properties.capabilities: {item.strip()[:80]!r} is not of the form name:value.",
                hint="Pairs are separated by commas.",
            )
        found[name.strip()] = one.strip()
    return found


def format_capabilities(capabilities: Mapping[str, str]) -> str:
    """The one text a node holds them as.

    Raises:
        InvalidValue: A name or value that would be read back as something else.
    """
    for name, value in capabilities.items():
        if not name.strip() or set(",:") & set(name) or "," in value:
            raise InvalidValue(f"The capability {name[:80]!r} can not be written down.")
    return ",".join(f"{name}:{value}" for name, value in capabilities.items())


def parse_instance_capabilities(value: object) -> dict[str, Any]:
    """What an instance asks for. Raises InvalidValue when it is neither an object nor JSON text of one."""
    if value is None or value == "":
        return {}
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError as error:
            raise InvalidValue("instance_info.capabilities is neither an object nor JSON.") from error
    if not isinstance(value, dict):
        raise InvalidValue("instance_info.capabilities must be an object.")
    return value


def check_capabilities(value: object) -> None:
    """Raises InvalidValue when the capabilities of a node are malformed or a known one has a bad value."""
    for name, one in parse_capabilities(value).items():
        allowed = KNOWN.get(name)
        if allowed is not None and one not in allowed:
            raise InvalidValue(
                f"The capability {name} can not be {one[:80]!r}.",
                hint=f"One of: {', '.join(sorted(allowed))}.",
            )
