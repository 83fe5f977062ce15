"""A subscription of ours at a BMC: it posts to us when something happens to the machine."""

from typing import Any

import msgspec

from bessemer.kernel.clock import Timestamp

JsonObject = dict[str, Any]


class EventSubscription(msgspec.Struct, frozen=True, kw_only=True):
    """``path`` is where it is at the BMC that ``access`` (keys of ``driver_info``) leads to; ``context`` is
    what it is known by there, since a BMC may give its path to another one.

    Without a ``node_uuid`` it is to be taken away: at ``next_due_at``, after ``failures`` tries in vain.
    """

    uuid: str
    conductor_group: str
    created_at: Timestamp
    path: str
    context: str
    node_uuid: str | None = None
    updated_at: Timestamp | None = None
    access: JsonObject = {}
    #: When the BMC was last asked for an event, to see whether it arrives.
    tested_at: Timestamp | None = None
    #: When an event last arrived. None: none did, or one did not that should have; do not rely on it.
    heard_at: Timestamp | None = None
    next_due_at: Timestamp = ""
    failures: int = 0
