"""Whose machine answers: told by resources that are read anyway.

Source: DMTF schemas ServiceRoot (``Vendor``) and ComputerSystem (``Manufacturer``).
"""

from collections.abc import Mapping
from typing import Any

_TELLING = {"#ServiceRoot": "Vendor", "#ComputerSystem": "Manufacturer"}


def vendor_of(body: Mapping[str, Any]) -> str | None:
    """The vendor, where ``body`` is a service root or a system that names it."""
    schema = str(body.get("@odata.type", "")).partition(".")[0]
    name = _TELLING.get(schema)
    found = body.get(name) if name else None
    return found if isinstance(found, str) and found else None
