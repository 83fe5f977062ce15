"""What a setting is: a field of a section's record, with a default and a meaning."""

from dataclasses import field
from typing import Any


def option(default: Any, meaning: str, *, least: float | None = 0) -> Any:
    """A field with its default and its meaning (shown by ``--help`` and in the sample file). A number below
    ``least`` is refused; with None, none is."""
    metadata = {"help": meaning, "least": least}
    if isinstance(default, list | dict):
        return field(default_factory=lambda: type(default)(default), metadata=metadata)
    return field(default=default, metadata=metadata)
