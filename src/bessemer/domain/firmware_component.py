"""Firmware components: which version of its firmware each part of a node runs, as last read from it."""

import msgspec

from bessemer.kernel.clock import Timestamp


class FirmwareComponent(msgspec.Struct, frozen=True, kw_only=True):
    """One part: ``bios``, ``bmc`` or ``nic:<id>``. Field names and meanings are those of the v1 API.

    ``initial_version`` is what was found first, and stays.
    """

    node_uuid: str
    component: str
    initial_version: str
    created_at: Timestamp
    updated_at: Timestamp | None = None
    current_version: str | None = None
    last_version_flashed: str | None = None
    vendor: str | None = None
    model: str | None = None
    serial_number: str | None = None
