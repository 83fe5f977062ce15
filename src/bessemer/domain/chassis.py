"""A chassis: what holds several nodes."""

from typing import Any

import msgspec

from bessemer.kernel.clock import Timestamp

JsonObject = dict[str, Any]


class Chassis(msgspec.Struct, frozen=True, kw_only=True):
    """Everything stored of a chassis. Field names and meanings are those of the v1 API."""

    uuid: str
    created_at: Timestamp
    updated_at: Timestamp | None = None
    description: str | None = None
    extra: JsonObject = {}
