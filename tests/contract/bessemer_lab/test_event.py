"""Events of simulated BMCs: who subscribes is told of changes, with a deadline and a few tries."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from bessemer_lab.bmc.courier import Courier
from bessemer_lab.fleet import Fleet, Pace
from bessemer_lab.machine import Machine
from bessemer_lab.power import ResetType
from fakes.bmc_client import Client
from fakes.wait import until

ADMIN = {"Authorization": aiohttp.encode_basic_auth("admin", "password")}
FAST = Pace(answer_s=0, power_s=0, boot_s=0, command_s=0)
SERVICE = "/redfish/v1/EventService"
SUBSCRIPTIONS = f"{SERVICE}/Subscriptions"
TEST = f"{SERVICE}/Actions/EventService.SubmitTestEvent"


class Listener:
    """Somewhere that events are posted to; answers with ``status``."""

    def __init__(self) -> None:
        self.url = ""
        self.status = 204
        self.calls: list[dict[str, Any]] = []

    def messages(self) -> list[str]:
        return [call["Events"][0]["MessageId"].rpartition(".")[2] for call in self.calls]

    async def answer(self, request: web.BaseRequest) -> web.Response:
        self.calls.append(json.loads(await request.read()))
        return web.Response(status=self.status)


@asynccontextmanager
async def listening() -> AsyncIterator[Listener]:
    listener = Listener()
    runner = web.ServerRunner(web.Server(listener.answer, access_log=None))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    listener.url = f"http://127.0.0.1:{runner.addresses[0][1]}/events"
    try:
        yield listener
    finally:
        await runner.cleanup()


class Bmc:
    """The BMC of a fleet's first server, by its face."""

    def __init__(self, fleet: Fleet, client: aiohttp.ClientSession) -> None:
        self.server, self._url, self._client = fleet.servers[0], fleet.bmc_url(0), client

    async def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        async with self._client.request(method, self._url + path, json=body) as answer:
            text = await answer.text()
            return answer.status, json.loads(text) if text else None

    async def subscribe(self, url: str, **more: Any) -> tuple[int, Any]:
        body = {"Destination": url, "Protocol": "Redfish", "Context": "mine", **more}
        return await self.call("POST", SUBSCRIPTIONS, body)


@asynccontextmanager
async def a_bmc(**options: Any) -> AsyncIterator[tuple[Bmc, Listener]]:
    timeout = aiohttp.ClientTimeout(total=10)
    async with (
        Fleet(1, pace=FAST, **options) as fleet,
        aiohttp.ClientSession(headers=ADMIN, timeout=timeout) as client,
        listening() as listener,
    ):
        yield Bmc(fleet, client), listener


async def test_a_subscriber_is_told_of_every_change_of_power() -> None:
    async with a_bmc() as (bmc, listener):
        status, made = await bmc.subscribe(listener.url)
        assert (status, made["Context"]) == (201, "mine")
        assert (await bmc.call("GET", made["@odata.id"]))[1] == made
        assert (await bmc.call("GET", SUBSCRIPTIONS))[1]["Members@odata.count"] == 1
        for kind, message in (
            (ResetType.ON, "ResourcePoweredOn"),
            (ResetType.FORCE_RESTART, "ResourceChanged"),
            (ResetType.FORCE_OFF, "ResourcePoweredOff"),
        ):
            bmc.server.reset(kind)
            await until(lambda message=message: message in listener.messages())  # type: ignore[misc]
        assert {call["Context"] for call in listener.calls} == {"mine"}
        assert listener.calls[0]["Events"][0]["OriginOfCondition"] == {"@odata.id": "/redfish/v1/Systems/1"}


async def test_a_test_event_goes_to_every_subscriber() -> None:
    async with a_bmc() as (bmc, listener):
        await bmc.subscribe(listener.url)
        await bmc.subscribe(listener.url, Context="other")
        assert (await bmc.call("POST", TEST, {"MessageId": "X.1.0.Y"}))[0] == 204
        await until(lambda: len(listener.calls) == 2)
        assert {call["Context"] for call in listener.calls} == {"mine", "other"}
        assert (await bmc.call("POST", TEST, {}))[0] == 400


async def test_a_subscription_ends_when_it_is_deleted_or_the_bmc_starts_anew() -> None:
    async with a_bmc() as (bmc, listener):
        _, first = await bmc.subscribe(listener.url)
        assert (await bmc.call("DELETE", first["@odata.id"]))[0] == 204
        assert (await bmc.call("DELETE", first["@odata.id"]))[0] == 404
        _, second = await bmc.subscribe(listener.url)
        bmc.server.restart_bmc()
        assert (await bmc.call("GET", second["@odata.id"]))[0] == 404
        assert bmc.server.describe()["subscriptions"] == 0


@pytest.mark.parametrize(
    "wrong",
    [{"Destination": 7}, {"Destination": "ftp://x"}, {"Protocol": "SNMPv2c"}, {"EventTypes": ["Alert"]}],
)
async def test_a_subscription_that_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    async with a_bmc() as (bmc, listener):
        assert (await bmc.subscribe(listener.url, **wrong))[0] == 400


async def test_a_bmc_has_room_for_a_few_subscriptions() -> None:
    async with a_bmc() as (bmc, listener):
        answers = [await bmc.subscribe(listener.url) for _ in range(9)]
        assert [status for status, _ in answers] == [201] * 8 + [503]


async def test_a_fleet_can_be_without_event_services() -> None:
    async with a_bmc(has_events=False) as (bmc, _):
        assert "EventService" not in (await bmc.call("GET", "/redfish/v1"))[1]
        assert (await bmc.call("GET", SERVICE))[0] == 404


async def test_an_event_is_brought_again_and_given_up_in_the_end() -> None:
    failures: list[str] = []
    async with listening() as listener, aiohttp.ClientSession() as session:
        courier = Courier(session, retry_s=0.01, try_s=1.0)
        listener.status = 500
        courier.send(listener.url, {"Events": [{"MessageId": "x"}]}, lambda: failures.append("gone"))
        await until(lambda: failures)
        assert len(listener.calls) == 4
        courier.send("http://127.0.0.1:1/", {}, lambda: failures.append("nobody there"))
        await until(lambda: failures == ["gone", "nobody there"])
        await courier.close()


async def test_a_subscriber_that_never_answers_is_left_after_the_deadline() -> None:
    failures: list[str] = []

    async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(hold, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    async with server, aiohttp.ClientSession() as session:
        courier = Courier(session, retry_s=0.0, try_s=0.05)
        courier.send(url, {}, lambda: failures.append("too slow"))
        await until(lambda: failures)
        await courier.close()


async def test_the_bmc_of_a_virtual_machine_tells_of_its_power_too(machine: Machine, client: Client) -> None:
    async with listening() as listener:
        body = {"Destination": listener.url, "Protocol": "Redfish", "Context": "vm"}
        made = await client.ask("POST", SUBSCRIPTIONS, body)
        assert made.status == 201
        await machine.power_on()
        await until(lambda: "ResourcePoweredOn" in listener.messages())
        await machine.vm.reset()
        await until(lambda: "ResourceChanged" in listener.messages())
        await machine.power_off()
        await until(lambda: "ResourcePoweredOff" in listener.messages())
        path = made.headers["Location"]
        assert (await client.ask("DELETE", path)).status == 204
        assert (await client.ask("GET", path)).status == 404
