"""Subscribing to events of BMCs of every temper."""

import json
from typing import Any

import pytest
from aiohttp import web

from bessemer.hardware.interface import EventTarget
from bessemer.hardware.redfish.event import RedfishEvents
from bessemer.hardware.redfish.failure import BmcRefused, BmcUnreachable
from bessemer.hardware.redfish.pool import BmcPool
from bessemer.kernel.error import Unsupported
from fakes.lab_bmc import RunningBmc
from fakes.scripted_bmc import ROOT, ScriptedBmc, error
from fakes.task import FakeTask, make_task

SERVICE = "/redfish/v1/EventService"
SUBSCRIPTIONS = f"{SERVICE}/Subscriptions"
TEST = f"{SERVICE}/Actions/EventService.SubmitTestEvent"
TARGET = EventTarget("https://127.0.0.1:6385/redfish/events/x", "bessemer:me:1")
MODERN = {"EventFormatTypes": ["Event", "MetricReport"]}
LEGACY = {"EventTypesForSubscription": ["StatusChange", "Alert", "ResourceAdded"]}


def serve(bmc: ScriptedBmc, **service: Any) -> None:
    """Give the BMC an event service that takes subscriptions at once."""
    bmc.resources[ROOT] = {"EventService": {"@odata.id": SERVICE}}
    bmc.resources[SERVICE] = {"Subscriptions": {"@odata.id": SUBSCRIPTIONS}, **service}
    hold(bmc)
    bmc.on(f"POST {SUBSCRIPTIONS}", lambda request: take(bmc, request))


def hold(bmc: ScriptedBmc, **contexts: str) -> None:
    """Let the BMC have these subscriptions: contexts by their names."""
    for name, context in contexts.items():
        bmc.resources[f"{SUBSCRIPTIONS}/{name}"] = {"Context": context, "Destination": f"https://{name}"}
    paths = sorted(path for path in bmc.resources if path.startswith(f"{SUBSCRIPTIONS}/"))
    bmc.resources[SUBSCRIPTIONS] = {"Members": [{"@odata.id": path} for path in paths]}


async def take(bmc: ScriptedBmc, request: web.Request, name: str = "new") -> web.Response:
    body = json.loads(await request.text())
    hold(bmc, **{name: body["Context"]})
    return web.Response(status=201, headers={"Location": f"{bmc.address}{SUBSCRIPTIONS}/{name}"})


def a_task(bmc: ScriptedBmc) -> FakeTask:
    return make_task(driver_info=bmc.driver_info())


async def never(context: str, url: str) -> bool:
    return False


async def subscribe(bmc: ScriptedBmc, pool: BmcPool, known: str | None = None, is_stale: Any = never) -> str:
    return await RedfishEvents(pool).subscribe(a_task(bmc), TARGET, known, is_stale)


async def test_a_new_bmc_is_asked_in_the_form_of_its_schema(scripted: ScriptedBmc, pool: BmcPool) -> None:
    serve(scripted, **MODERN)
    assert await subscribe(scripted, pool) == f"{SUBSCRIPTIONS}/new"
    assert scripted.bodies(f"POST {SUBSCRIPTIONS}") == [
        {
            "Destination": TARGET.url,
            "Protocol": "Redfish",
            "Context": TARGET.context,
            "EventFormatType": "Event",
            "SubscriptionType": "RedfishEvent",
            "DeliveryRetryPolicy": "RetryForever",
        }
    ]


async def test_a_subscription_at_an_address_that_is_none_is_looked_for(
    scripted: ScriptedBmc, pool: BmcPool
) -> None:
    async def misname(request: web.Request) -> web.Response:
        await take(scripted, request)
        return web.Response(status=201, headers={"Location": f"https://[bmc]{SUBSCRIPTIONS}/new"})

    serve(scripted, **MODERN)
    scripted.on(f"POST {SUBSCRIPTIONS}", misname)
    assert await subscribe(scripted, pool) == f"{SUBSCRIPTIONS}/new"


async def test_an_old_bmc_is_asked_for_types_that_it_has(scripted: ScriptedBmc, pool: BmcPool) -> None:
    serve(scripted, **LEGACY)
    await subscribe(scripted, pool)
    [body] = scripted.bodies(f"POST {SUBSCRIPTIONS}")
    assert body["EventTypes"] == ["StatusChange", "Alert"]
    assert "EventFormatType" not in body


async def test_a_form_that_is_refused_is_followed_by_an_older_one(
    scripted: ScriptedBmc, pool: BmcPool
) -> None:
    serve(scripted, **MODERN, **LEGACY)
    refusal = error(400, "No such property.", "PropertyUnknown")
    scripted.on(f"POST {SUBSCRIPTIONS}", refusal, refusal, lambda request: take(scripted, request, "third"))
    assert await subscribe(scripted, pool) == f"{SUBSCRIPTIONS}/third"
    bodies = scripted.bodies(f"POST {SUBSCRIPTIONS}")
    assert ["DeliveryRetryPolicy" in body for body in bodies] == [True, False, False]
    assert "EventTypes" in bodies[2]


async def test_a_bmc_that_takes_no_form_says_why(scripted: ScriptedBmc, pool: BmcPool) -> None:
    serve(scripted, **LEGACY)
    scripted.on(f"POST {SUBSCRIPTIONS}", error(400, "Only HTTPS destinations."))
    with pytest.raises(BmcRefused, match="Only HTTPS destinations"):
        await subscribe(scripted, pool)
    assert scripted.count(f"POST {SUBSCRIPTIONS}") == 2


@pytest.mark.parametrize("status", [403, 503])
async def test_a_bmc_without_room_is_asked_once(scripted: ScriptedBmc, pool: BmcPool, status: int) -> None:
    serve(scripted, **MODERN)
    scripted.on(f"POST {SUBSCRIPTIONS}", error(status, "Too many.", "EventSubscriptionLimitExceeded"))
    with pytest.raises((BmcRefused, BmcUnreachable)):
        await subscribe(scripted, pool)
    assert scripted.count(f"POST {SUBSCRIPTIONS}") == 1


async def test_a_subscription_that_is_there_costs_one_read(scripted: ScriptedBmc, pool: BmcPool) -> None:
    serve(scripted, **MODERN)
    hold(scripted, mine=TARGET.context)
    path = f"{SUBSCRIPTIONS}/mine"
    assert await subscribe(scripted, pool, path) == path
    assert [f"{one.method} {one.path}" for one in scripted.asked] == [f"GET {path}"]


@pytest.mark.parametrize("known", [None, f"{SUBSCRIPTIONS}/lost"])
async def test_one_of_ours_that_we_did_not_know_is_taken_up(
    scripted: ScriptedBmc, pool: BmcPool, known: str | None
) -> None:
    serve(scripted, **MODERN)
    hold(scripted, other="somebody's", mine=TARGET.context)
    assert await subscribe(scripted, pool, known) == f"{SUBSCRIPTIONS}/mine"
    assert scripted.count(f"POST {SUBSCRIPTIONS}") == 0


async def test_what_is_stale_or_double_goes_and_nothing_else(scripted: ScriptedBmc, pool: BmcPool) -> None:
    serve(scripted, **MODERN)
    hold(scripted, a=TARGET.context, b=TARGET.context, c="bessemer:me:0", d="somebody's")
    for name in ("a", "b", "c", "d"):
        scripted.on(f"DELETE {SUBSCRIPTIONS}/{name}", 204)

    async def is_stale(context: str, url: str) -> bool:
        assert url.startswith("https://")
        return context == "bessemer:me:0"

    assert await subscribe(scripted, pool, None, is_stale) == f"{SUBSCRIPTIONS}/a"
    assert [one.path for one in scripted.asked if one.method == "DELETE"] == [
        f"{SUBSCRIPTIONS}/b",
        f"{SUBSCRIPTIONS}/c",
    ]


async def test_one_that_the_bmc_has_ceased_to_serve_is_replaced(scripted: ScriptedBmc, pool: BmcPool) -> None:
    serve(scripted, **MODERN)
    hold(scripted, old=TARGET.context)
    scripted.resources[f"{SUBSCRIPTIONS}/old"]["Status"] = {"State": "Disabled"}

    async def forget(request: web.Request) -> web.Response:
        del scripted.resources[f"{SUBSCRIPTIONS}/old"]
        hold(scripted)
        return web.Response(status=204)

    scripted.on(f"DELETE {SUBSCRIPTIONS}/old", forget)
    assert await subscribe(scripted, pool, f"{SUBSCRIPTIONS}/old") == f"{SUBSCRIPTIONS}/new"


async def test_a_bmc_that_forgets_what_it_took_is_not_believed(scripted: ScriptedBmc, pool: BmcPool) -> None:
    serve(scripted, **MODERN)
    scripted.on(f"POST {SUBSCRIPTIONS}", 201)
    with pytest.raises(BmcRefused, match="does not show the subscription"):
        await subscribe(scripted, pool)


async def test_a_bmc_that_does_not_say_where_it_is_is_looked_through(
    scripted: ScriptedBmc, pool: BmcPool
) -> None:
    serve(scripted, **MODERN)

    async def silently(request: web.Request) -> web.Response:
        await take(scripted, request)
        return web.Response(status=204)

    scripted.on(f"POST {SUBSCRIPTIONS}", silently)
    assert await subscribe(scripted, pool) == f"{SUBSCRIPTIONS}/new"


async def test_bmcs_that_tell_nobody_say_so(scripted: ScriptedBmc, pool: BmcPool) -> None:
    with pytest.raises(Unsupported, match="has no event service"):
        await subscribe(scripted, pool)
    serve(scripted, ServiceEnabled=False)
    with pytest.raises(Unsupported, match="switched off"):
        await subscribe(scripted, pool)
    del scripted.resources[SERVICE]["ServiceEnabled"], scripted.resources[SERVICE]["Subscriptions"]
    with pytest.raises(Unsupported, match="takes no subscriptions"):
        await subscribe(scripted, pool)


async def test_a_bmc_elsewhere_is_not_given_an_address_of_this_host(pool: BmcPool) -> None:
    task = make_task(driver_info={"redfish_address": "https://bmc.example"})
    with pytest.raises(Unsupported, match=r"cannot reach 127\.0\.0\.1:6385.*event_callback_url"):
        await RedfishEvents(pool).subscribe(task, TARGET, None, never)


async def test_a_test_event_is_asked_for_in_the_form_that_the_bmc_takes(
    scripted: ScriptedBmc, pool: BmcPool
) -> None:
    events, task = RedfishEvents(pool), a_task(scripted)
    serve(scripted)
    assert not await events.send_test(task)
    serve(scripted, Actions={"#EventService.SubmitTestEvent": {"target": TEST}})
    scripted.on(f"POST {TEST}", 204)
    assert await events.send_test(task)
    scripted.on(f"POST {TEST}", error(400, "EventType is missing."), 204)
    assert await events.send_test(task)
    assert [("EventType" in body) for body in scripted.bodies(f"POST {TEST}")] == [False, False, True]
    scripted.on(f"POST {TEST}", error(400, "No."))
    assert not await events.send_test(task)


async def test_a_subscription_is_taken_away_unless_it_is_somebody_elses_by_now(
    scripted: ScriptedBmc, pool: BmcPool
) -> None:
    events, task = RedfishEvents(pool), a_task(scripted)
    access = events.access(task.node)
    assert access == scripted.driver_info()
    serve(scripted)
    hold(scripted, a="bessemer:me:1", b="somebody's")
    scripted.on(f"DELETE {SUBSCRIPTIONS}/a", 204)
    await events.unsubscribe(access, f"{SUBSCRIPTIONS}/a", "bessemer:me:1")
    await events.unsubscribe(access, f"{SUBSCRIPTIONS}/b", "bessemer:me:1")
    await events.unsubscribe(access, f"{SUBSCRIPTIONS}/gone", "bessemer:me:1")
    assert [one.path for one in scripted.asked if one.method == "DELETE"] == [f"{SUBSCRIPTIONS}/a"]


def test_a_bmc_is_the_same_however_it_is_reached(pool: BmcPool) -> None:
    place = RedfishEvents(pool).place
    here = place({"redfish_address": "https://bmc"})
    account = {"redfish_username": "admin", "redfish_password": "x", "redfish_verify_ca": False}
    assert place({"redfish_address": "BMC/redfish/v1/", **account}) == here
    assert place({"redfish_address": "https://other"}) != here


async def test_a_bmc_of_the_lab_is_subscribed_to_asked_for_a_test_and_left(
    lab: RunningBmc, pool: BmcPool
) -> None:
    events, task = RedfishEvents(pool), make_task(driver_info=lab.driver_info())
    path = await events.subscribe(task, TARGET, None, never)
    assert await events.subscribe(task, TARGET, path, never) == path
    [kept] = lab.bmc.events.subscriptions.values()
    assert (kept["Context"], kept["DeliveryRetryPolicy"]) == (TARGET.context, "RetryForever")
    assert await events.send_test(task)
    await events.unsubscribe(events.access(task.node), path, TARGET.context)
    assert not lab.bmc.events.subscriptions
