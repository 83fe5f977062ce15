"""The event service of one BMC: who wants to be told, and telling them.

Source: DMTF EventService.v1_7_0, EventDestination.v1_10_0 and Event.v1_6_0; DSP0266, "Eventing".
"""

import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

from bessemer_lab.bmc import message
from bessemer_lab.bmc.body import read_choice, read_text
from bessemer_lab.bmc.courier import RETRIES, RETRY_S, Courier
from bessemer_lab.bmc.path import EVENT_SERVICE, SUBSCRIPTIONS
from bessemer_lab.bmc.resource import NO_CONTENT, Answer, Json, Resource, collection_body, link
from bessemer_lab.power import PowerState

TEST_ACTION = f"{EVENT_SERVICE}/Actions/EventService.SubmitTestEvent"
#: Room for subscriptions, as much as in many a real BMC.
MOST_SUBSCRIPTIONS = 8

_POLICIES = ("TerminateAfterRetries", "SuspendRetries", "RetryForever")
_KNOWN = frozenset(
    {
        "Destination",
        "Protocol",
        "Context",
        "EventFormatType",
        "SubscriptionType",
        "DeliveryRetryPolicy",
        "RegistryPrefixes",
        "ResourceTypes",
    }
)
_TEST_PARAMETERS = frozenset(
    {
        "EventId",
        "EventTimestamp",
        "EventType",
        "Message",
        "MessageArgs",
        "MessageId",
        "OriginOfCondition",
        "Severity",
        "MessageSeverity",
    }
)
_POWER = {PowerState.ON: "ResourcePoweredOn", PowerState.OFF: "ResourcePoweredOff"}


class EventService:
    """Subscriptions live as long as the BMC's present run: ``forget`` is what a restart does to them."""

    __slots__ = ("_courier", "_subscriptions")

    def __init__(self, courier: Courier | None = None) -> None:
        """Without a ``courier`` nobody is told anything."""
        self._courier = courier
        self._subscriptions: dict[str, Json] | None = None  # most of ten thousand BMCs never have any

    @property
    def subscriptions(self) -> Mapping[str, Json]:
        """What each reads as, by its name."""
        return self._subscriptions or {}

    def connect(self, courier: Courier) -> None:
        """From now on, tell who wants to be told."""
        self._courier = courier

    def forget(self) -> None:
        self._subscriptions = None

    # ------------------------------------------------------------------ telling

    def tell_power(self, state: PowerState, origin: str) -> None:
        """The system at ``origin`` has gone to ``state``."""
        word = "on" if state is PowerState.ON else "off"
        self.tell(
            f"ResourceEvent.1.3.{_POWER[state]}", f"The resource '{origin}' has powered {word}.", origin
        )

    def tell_reset(self, origin: str) -> None:
        """The system at ``origin`` was reset while it was on."""
        self.tell(
            "ResourceEvent.1.3.ResourceChanged", "One or more resource properties have changed.", origin
        )

    def tell(self, message_id: str, text: str, origin: str) -> None:
        """Tell everybody that something has happened."""
        if self._courier is None:
            return
        for name, subscription in self.subscriptions.items():
            event = _event(subscription["Context"], message_id, text, origin)
            self._courier.send(subscription["Destination"], event, partial(self._undelivered, name))

    def _undelivered(self, name: str) -> None:
        found = self.subscriptions.get(name)
        if found is not None and found["DeliveryRetryPolicy"] == "TerminateAfterRetries":
            self.remove(name)

    # ------------------------------------------------------------------ resources

    def build(self) -> list[Resource]:
        """The resources that are always there; of subscriptions the server asks ``find``."""

        async def create(body: Json) -> Answer:
            return self.create(body)

        async def test(body: Json) -> Answer:
            return self.submit_test(body)

        return [
            Resource(path=EVENT_SERVICE, get=self.read),
            Resource(path=SUBSCRIPTIONS, get=self.read_all, post=create),
            Resource(path=TEST_ACTION, post=test),
        ]

    def find(self, path: str) -> Resource | None:
        """The resource of a subscription."""
        found = self.find_body(path)
        if found is None:
            return None
        body = found

        async def delete() -> Answer:
            return self.remove(body["Id"])

        return Resource(path=path, get=lambda: body, delete=delete)

    def find_body(self, path: str) -> Json | None:
        """What the subscription at ``path`` reads as."""
        return self.subscriptions.get(path.removeprefix(f"{SUBSCRIPTIONS}/"))

    def read(self) -> Json:
        return {
            "@odata.id": EVENT_SERVICE,
            "@odata.type": "#EventService.v1_7_0.EventService",
            "Id": "EventService",
            "Name": "Event Service",
            "ServiceEnabled": True,
            "DeliveryRetryAttempts": RETRIES,
            "DeliveryRetryIntervalSeconds": int(RETRY_S),
            "EventFormatTypes": ["Event"],
            "RegistryPrefixes": ["ResourceEvent"],
            "ResourceTypes": ["ComputerSystem"],
            "Status": {"State": "Enabled", "Health": "OK"},
            "Subscriptions": link(SUBSCRIPTIONS),
            "Actions": {"#EventService.SubmitTestEvent": {"target": TEST_ACTION}},
        }

    def read_all(self) -> Json:
        members = [f"{SUBSCRIPTIONS}/{name}" for name in self.subscriptions]
        return collection_body(SUBSCRIPTIONS, "EventDestinationCollection", "Event Subscriptions", members)

    def create(self, body: Json) -> Answer:
        """Raises RedfishError: something in it is unknown or wrong, or there is no room."""
        for name in body:
            if name not in _KNOWN:
                raise message.property_unknown(name)
        destination = read_text(body, "Destination")
        if not destination.startswith(("http://", "https://")):
            raise message.property_not_in_list("Destination", destination)
        read_choice(body, "Protocol", ("Redfish",))
        if "EventFormatType" in body:
            read_choice(body, "EventFormatType", ("Event",))
        policy = "TerminateAfterRetries"
        if "DeliveryRetryPolicy" in body:
            policy = read_choice(body, "DeliveryRetryPolicy", _POLICIES)
        context = read_text(body, "Context") if "Context" in body else None
        if len(self.subscriptions) >= MOST_SUBSCRIPTIONS:
            raise message.subscription_limit()
        name = secrets.token_hex(4)
        self._subscriptions = {**self.subscriptions, name: _described(name, destination, context, policy)}
        return Answer(self._subscriptions[name], 201, {"Location": f"{SUBSCRIPTIONS}/{name}"})

    def remove(self, name: str) -> Answer:
        """Raises RedfishError: there is no such subscription."""
        if name not in self.subscriptions:
            raise message.not_found(f"{SUBSCRIPTIONS}/{name}")
        self._subscriptions = {
            kept: body for kept, body in self.subscriptions.items() if kept != name
        } or None
        return NO_CONTENT

    def submit_test(self, body: Json) -> Answer:
        for name in body:
            if name not in _TEST_PARAMETERS:
                raise message.parameter_unknown("EventService.SubmitTestEvent", name)
        if not isinstance(body.get("MessageId"), str):
            raise message.parameter_missing("EventService.SubmitTestEvent", "MessageId")
        self.tell(body["MessageId"], str(body.get("Message", "")), str(body.get("OriginOfCondition", "")))
        return NO_CONTENT


def _described(name: str, destination: str, context: str | None, policy: str) -> Json:
    return {
        "@odata.id": f"{SUBSCRIPTIONS}/{name}",
        "@odata.type": "#EventDestination.v1_10_0.EventDestination",
        "Id": name,
        "Name": "Event Subscription",
        "Destination": destination,
        "Protocol": "Redfish",
        "Context": context,
        "SubscriptionType": "RedfishEvent",
        "EventFormatType": "Event",
        "DeliveryRetryPolicy": policy,
        "Status": {"State": "Enabled", "Health": "OK"},
    }


def _event(context: str | None, message_id: str, text: str, origin: str) -> dict[str, Any]:
    return {
        "@odata.type": "#Event.v1_6_0.Event",
        "Id": secrets.token_hex(8),
        "Name": "Event",
        "Context": context,
        "Events": [
            {
                "MemberId": "0",
                "EventType": "Other",
                "EventId": secrets.token_hex(8),
                "EventTimestamp": datetime.now(UTC).isoformat(timespec="seconds"),
                "Severity": "OK",
                "MessageSeverity": "OK",
                "Message": text,
                "MessageId": message_id,
                "OriginOfCondition": link(origin),
            }
        ],
    }
