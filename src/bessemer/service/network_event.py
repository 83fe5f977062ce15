"""Events that the network service reports of its ports."""

from collections.abc import Mapping, Sequence
from typing import Any

import structlog

from bessemer.service.caller import Caller

log = structlog.get_logger(__name__)


class NetworkEventService:
    """No work here waits for the network service yet: its events are noted in the log and change nothing."""

    async def receive(self, caller: Caller, events: Sequence[Mapping[str, Any]]) -> None:
        caller.check()
        for event in events:
            log.info(
                "network event",
                kind=event["event"],
                vif=event["port_id"],
                mac=event["mac_address"],
                status=event["status"],
            )
