"""Events of a BMC: a subscription of ours, there and alone.

Source: DMTF DSP0266, "Eventing"; https://redfish.dmtf.org/schemas/v1/EventService.json, EventDestination.json
"""

import ipaddress
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from bessemer.domain.node import Node
from bessemer.hardware.interface import EventTarget, IsStale, JsonObject, Task
from bessemer.hardware.redfish.access import PROPERTIES, Access, read_access, read_access_info
from bessemer.hardware.redfish.connection import BmcConnection
from bessemer.hardware.redfish.failure import BmcRefused
from bessemer.hardware.redfish.pool import BmcPool
from bessemer.hardware.redfish.resource import Resource, member_paths, path_of, read
from bessemer.kernel.error import Unsupported

_TEST = "#EventService.SubmitTestEvent"
#: Types of events that tell of changes, where a BMC goes by types (deprecated since EventService 1.3).
_TYPES = ("StatusChange", "ResourceUpdated", "Alert", "Other")
#: Properties by which a service says that it goes by formats and registries instead.
_MODERN = ("EventFormatTypes", "RegistryPrefixes", "ResourceTypes")
#: Answers that mean: not in this form, perhaps in another.
_WRONG_FORM = (400, 422, 501)


class RedfishEvents:
    def __init__(self, pool: BmcPool) -> None:
        self._pool = pool

    def access(self, node: Node) -> JsonObject:
        return {key: node.driver_info[key] for key in PROPERTIES if key in node.driver_info}

    def place(self, access: JsonObject) -> str:
        return read_access_info(access, self._pool.settings).origin

    async def subscribe(
        self, task: Task, target: EventTarget, known_path: str | None, is_stale: IsStale
    ) -> str:
        access = read_access(task.node, self._pool.settings)
        bmc = self._pool.connection(access)
        if _is_loopback(target.url) and not _is_loopback(access.origin):
            raise Unsupported(
                f"The BMC at {bmc.name} cannot reach {urlsplit(target.url).netloc}.",
                hint="Set [redfish]event_callback_url to the API's address in the BMCs' network.",
            )
        if known_path is not None and _is_ours(await _find(bmc, known_path), target.context):
            return known_path
        service = await _read_service(bmc, access)
        collection = service.find_link("Subscriptions")
        if collection is None:
            raise Unsupported(f"The BMC at {bmc.name} takes no subscriptions to its events.")
        return await _tidy(bmc, collection, target, is_stale) or await _create(service, collection, target)

    async def send_test(self, task: Task) -> bool:
        access = read_access(task.node, self._pool.settings)
        service = await _read_service(self._pool.connection(access), access)
        action = service.find_action(_TEST)
        if action is None:
            return False
        for body in _test_bodies(service.path):
            try:
                await service.bmc.post(action, body)
            except BmcRefused as refused:
                if refused.status in (401, 403):
                    raise
            else:
                return True
        return False

    async def unsubscribe(self, access: JsonObject, path: str, context: str) -> None:
        bmc = self._pool.connection(read_access_info(access, self._pool.settings))
        found = await _find(bmc, path)
        if found is not None and found.find(str, "Context") == context:
            await _delete(bmc, path)


async def _read_service(bmc: BmcConnection, access: Access) -> Resource:
    """The event service. Raises Unsupported when there is none, or it is switched off."""
    path = (await read(bmc, access.root_path)).find_link("EventService")
    if path is None:
        raise Unsupported(f"The BMC at {bmc.name} has no event service.")
    service = await read(bmc, path)
    if service.find(bool, "ServiceEnabled") is False:
        raise Unsupported(f"The event service of the BMC at {bmc.name} is switched off.")
    return service


async def _tidy(bmc: BmcConnection, collection: str, target: EventTarget, is_stale: IsStale) -> str | None:
    """Take away what is stale, and all but one of ours; the path of that one."""
    ours = None
    for path in await member_paths(bmc, collection):
        subscription = await _find(bmc, path)
        if subscription is None:
            continue
        if ours is None and _is_ours(subscription, target.context):
            ours = path
            continue
        context = subscription.find(str, "Context") or ""
        destination = subscription.find(str, "Destination") or ""
        if context == target.context or await is_stale(context, destination):
            await _delete(bmc, path)
    return ours


async def _create(service: Resource, collection: str, target: EventTarget) -> str:
    """Subscribe, in the newest form that the BMC takes; the path, read back.

    Raises:
        BmcRefused: It takes none, or has forgotten it at once.
    """
    bmc, refusal = service.bmc, None
    for body in _bodies(service, target):
        try:
            reply = await bmc.post(collection, body)
        except BmcRefused as refused:
            if refused.status not in _WRONG_FORM:
                raise
            refusal = refused
            continue
        path = path_of(reply.location or reply.body.get("@odata.id"))
        if path and _is_ours(await _find(bmc, path), target.context):
            return path
        for other in await member_paths(bmc, collection):
            if _is_ours(await _find(bmc, other), target.context):
                return other
        raise BmcRefused(f"The BMC at {bmc.name} does not show the subscription that it has just taken.")
    raise refusal or AssertionError("there is always one form")


def _bodies(service: Resource, target: EventTarget) -> Iterator[JsonObject]:
    """The same subscription in the forms of several versions, the newest first.

    No form filters by registry or resource: events lost to a filter that is understood differently would not
    be missed by anybody, and too many cost little (see ``service.machine_event``).
    """
    plain = {"Destination": target.url, "Protocol": "Redfish", "Context": target.context}
    if any(service.find(list, name) is not None for name in _MODERN):
        modern = {**plain, "EventFormatType": "Event", "SubscriptionType": "RedfishEvent"}
        yield {**modern, "DeliveryRetryPolicy": "RetryForever"}
        yield modern
    offered = service.find_list(str, "EventTypesForSubscription")
    if offered:
        yield {**plain, "EventTypes": [kind for kind in _TYPES if kind in offered] or offered}
    yield plain


def _test_bodies(origin: str) -> Iterator[JsonObject]:
    body: dict[str, Any] = {
        "EventId": "bessemer",
        "Message": "A test of Bessemer's subscription.",
        "MessageArgs": [],
        "MessageId": "ResourceEvent.1.0.ResourceChanged",
        "OriginOfCondition": origin,
    }
    yield body
    yield {**body, "EventType": "Alert", "Severity": "OK"}


async def _find(bmc: BmcConnection, path: str) -> Resource | None:
    """The subscription at ``path``, or None when it is gone."""
    try:
        return await read(bmc, path)
    except BmcRefused as refused:
        if refused.status not in (404, 410):
            raise
        return None


async def _delete(bmc: BmcConnection, path: str) -> None:
    try:
        await bmc.delete(path)
    except BmcRefused as refused:
        if refused.status not in (404, 410):
            raise


def _is_ours(subscription: Resource | None, context: str) -> bool:
    """Whether it is the one wanted, and the BMC has not ceased to bring its events."""
    return (
        subscription is not None
        and subscription.find(str, "Context") == context
        and subscription.find(str, "Status", "State") not in ("Disabled", "StandbyOffline")
    )


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
