"""BIOS settings: what the firmware of a node is set to, as last read from it."""

from typing import Any

import msgspec

from bessemer.kernel.clock import Timestamp


class BiosSetting(msgspec.Struct, frozen=True, kw_only=True):
    """One setting. The fields from ``attribute_type`` on are what the BMC's attribute registry says of it,
    null where it says nothing. Field names and meanings are those of the v1 API."""

    node_uuid: str
    name: str
    created_at: Timestamp
    updated_at: Timestamp | None = None
    value: str | None = None
    attribute_type: str | None = None
    allowable_values: list[Any] | None = None
    lower_bound: int | None = None
    upper_bound: int | None = None
    min_length: int | None = None
    max_length: int | None = None
    read_only: bool | None = None
    reset_required: bool | None = None
    unique: bool | None = None
