"""What the network service tells us about its ports."""

from bessemer.api.v1 import show, value
from bessemer.api.v1.call import Answer, Call, empty
from bessemer.api.v1.route import Route
from bessemer.api.v1.table import network_event as table
from bessemer.kernel.error import InvalidValue
from bessemer.service.services import Services


class NetworkEventApi:
    def __init__(self, services: Services) -> None:
        self._events = services.network_events

    def routes(self) -> list[Route]:
        return [
            Route(
                "POST",
                "/events",
                self.receive,
                rule="baremetal:events:post",
                since=table.SINCE,
                body=table.EVENTS,
            )
        ]

    async def receive(self, call: Call) -> Answer:
        given = call.body["events"]
        if not given:
            raise InvalidValue("'events' must not be empty.")
        events = [value.check_body(table.EVENT, event, call.version.minor) for event in given]
        for event in events:
            show.check_word("event", event["event"], table.NAMES)
        await self._events.receive(call.caller, events)
        return empty()
