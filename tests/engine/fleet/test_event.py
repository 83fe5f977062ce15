"""BMCs tell of changes: the record follows at once, and the machine is polled seldom, while events arrive."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from bessemer.domain.event_subscription import EventSubscription
from bessemer.server.api import answer, listen
from bessemer.store.duty import EVENTS, hasten_duty
from bessemer.store.event_subscription import find_subscription
from bessemer_lab.fleet import Fleet, Pace
from bessemer_lab.fleet.machine import SimulatedServer
from bessemer_lab.power import ResetType
from fakes.live_process import LiveProcess, live_process
from fakes.port import free_port

FAST = Pace(answer_s=0.0, power_s=0.0, boot_s=0.1, command_s=0.0)
LIMIT_S = 30.0
#: Much longer than any test: what is seen sooner was told.
NEVER_S = 7200


class World:
    """One simulated machine and the service that looks after it."""

    def __init__(self, live: LiveProcess, fleet: Fleet, url: str, session: aiohttp.ClientSession) -> None:
        self.live, self.fleet, self.url, self._session = live, fleet, url, session
        self.server: SimulatedServer = fleet.servers[0]
        self.uuid = ""

    @property
    def at_bmc(self) -> list[dict[str, Any]]:
        """The subscriptions that the BMC has."""
        return list(self.server.events.subscriptions.values()) if self.server.events else []

    async def call(self, method: str, path: str, body: Any = None) -> Any:
        async with self._session.request(method, self.url + path, json=body) as answer:
            text = await answer.text()
            assert answer.status < 300, f"{method} {path}: {answer.status} {text}"
            return json.loads(text) if text else None

    async def field(self, name: str) -> Any:
        return (await self.call("GET", f"/v1/nodes/{self.uuid}"))[name]

    async def subscription(self) -> EventSubscription | None:
        async with self.live.process.foundation.database.read() as tx:
            return await find_subscription(tx, self.uuid)

    async def is_heard(self) -> bool:
        known = await self.subscription()
        return known is not None and known.heard_at is not None

    async def look_now(self) -> None:
        """Let the subscription be looked at."""
        async with self.live.process.foundation.database.write() as tx:
            await hasten_duty(tx, EVENTS, self.uuid)

    async def manage(self) -> None:
        body = {"driver": "redfish", "driver_info": self.fleet.driver_info(0)}
        self.uuid = (await self.call("POST", "/v1/nodes", body))["uuid"]
        await self.call("PUT", f"/v1/nodes/{self.uuid}/states/provision", {"target": "manage"})
        await self.until(self.is_("provision_state", "manageable"))

    def is_(self, field: str, wanted: Any) -> Callable[[], Awaitable[bool]]:
        async def question() -> bool:
            return bool(await self.field(field) == wanted)

        return question

    async def until(self, question: Callable[[], Awaitable[bool]], *, limit_s: float = LIMIT_S) -> None:
        async with asyncio.timeout(limit_s):
            while not await question():
                self.live.check_alive()
                await asyncio.sleep(0.02)


@asynccontextmanager
async def a_world(
    directory: Path, template: Path, *, has_events: bool = True, **redfish: Any
) -> AsyncIterator[World]:
    port = free_port()
    rare = {
        "sync_power_state_interval": NEVER_S,
        "health_check_interval": NEVER_S,
        "force_power_state_during_sync": False,
        "automated_clean": False,
    }
    options = {"event_subscriptions": True, **redfish}
    async with (
        Fleet(1, pace=FAST, has_events=has_events) as fleet,
        live_process(
            directory,
            template=template,
            default={"enabled_hardware_types": ["redfish"]},
            api={"port": port},
            conductor=rare,
            redfish=options,
        ) as live,
        aiohttp.ClientSession(headers={"X-OpenStack-Ironic-API-Version": "1.95"}) as session,
    ):
        with listen(live.settings.api) as listener:
            answering = asyncio.create_task(answer(live.process.app, live.settings, listener))
            try:
                yield World(live, fleet, f"http://127.0.0.1:{port}", session)
            finally:
                answering.cancel()
                await asyncio.wait((answering,))


async def test_a_machine_that_is_switched_behind_our_back_is_seen_without_being_polled(
    tmp_path: Path, sqlite_template: Path
) -> None:
    async with a_world(tmp_path, sqlite_template) as world:
        await world.manage()
        await world.until(world.is_heard)
        [found] = world.at_bmc
        assert found["Context"].startswith(f"bessemer:{world.uuid}:")
        assert found["Destination"].startswith(f"{world.url}/redfish/events/")
        assert found["DeliveryRetryPolicy"] == "RetryForever"

        world.server.reset(ResetType.ON)
        await world.until(world.is_("power_state", "power on"))
        world.server.go_down()
        await world.until(world.is_("power_state", "power off"))
        assert await world.is_heard()
        assert len(world.at_bmc) == 1


async def test_a_bmc_without_an_event_service_is_polled_as_ever(
    tmp_path: Path, sqlite_template: Path
) -> None:
    async with a_world(tmp_path, sqlite_template, has_events=False) as world:
        await world.manage()
        asked = world.server.calls
        await world.look_now()

        async def was_asked() -> bool:
            return world.server.calls > asked

        await world.until(was_asked)
        assert await world.subscription() is None
        assert await world.field("provision_state") == "manageable"


async def test_a_subscription_that_the_bmc_has_forgotten_is_made_anew(
    tmp_path: Path, sqlite_template: Path
) -> None:
    async with a_world(tmp_path, sqlite_template) as world:
        await world.manage()
        await world.until(world.is_heard)
        before = await world.subscription()
        world.server.restart_bmc()
        assert not world.at_bmc
        await world.look_now()

        async def is_anew() -> bool:
            now = await world.subscription()
            return bool(world.at_bmc and now and before and now.path != before.path and now.heard_at)

        await world.until(is_anew)
        world.server.reset(ResetType.ON)
        await world.until(world.is_("power_state", "power on"))


async def test_stale_subscriptions_of_ours_go_and_those_of_others_stay(
    tmp_path: Path, sqlite_template: Path
) -> None:
    gone = "0195cafe-0000-7000-8000-000000000000"
    async with a_world(tmp_path, sqlite_template) as world:
        events = world.server.events
        assert events is not None
        for context, url in (
            ("somebody else's", "http://127.0.0.1:1/"),
            (f"bessemer:{gone}:1", f"{world.url}/redfish/events/x"),
            (f"bessemer:{gone}:2", "http://another-service/redfish/events/x"),
        ):
            events.create({"Destination": url, "Protocol": "Redfish", "Context": context})
        await world.manage()
        await world.until(world.is_heard)
        events.create(
            {"Destination": world.url, "Protocol": "Redfish", "Context": f"bessemer:{world.uuid}:old"}
        )
        [ours] = [one for one in world.at_bmc if one["Destination"].startswith(world.url + "/redfish")]
        events.remove(ours["Id"])
        await world.look_now()

        async def is_tidy() -> bool:
            contexts = sorted(str(one["Context"]) for one in world.at_bmc)
            return contexts == sorted([ours["Context"], "somebody else's", f"bessemer:{gone}:2"])

        await world.until(is_tidy)


async def test_the_subscription_goes_with_its_node(tmp_path: Path, sqlite_template: Path) -> None:
    async with a_world(tmp_path, sqlite_template) as world:
        await world.manage()
        await world.until(world.is_heard)
        await world.call("DELETE", f"/v1/nodes/{world.uuid}")

        async def is_gone() -> bool:
            return not world.at_bmc

        await world.until(is_gone)


async def test_a_flood_of_events_and_wrong_tokens_cost_little(tmp_path: Path, sqlite_template: Path) -> None:
    async with a_world(tmp_path, sqlite_template) as world, aiohttp.ClientSession() as session:
        await world.manage()
        await world.until(world.is_heard)
        [found] = world.at_bmc
        url, asked = found["Destination"], world.server.calls

        async def post(url: str, data: bytes = b"{}") -> int:
            async with session.post(url, data=data) as reply:
                return reply.status

        for _ in range(10):
            assert set(await asyncio.gather(*(post(url) for _ in range(100)))) == {204}
        assert world.server.calls - asked <= 8, "a thousand events are two or three looks"

        wrong = [await post(f"{world.url}/redfish/events/{n:075}") for n in range(12)]
        assert wrong[:5] == [404] * 5
        assert 429 in wrong
        assert await post(url[:-1] + ("A" if url[-1] != "A" else "B")) in (404, 429)
        assert await post(url) == 204, "who guesses does not lock out who knows"
        assert await post(url, bytes(300 * 1024)) == 413
        async with session.get(url) as reply:
            assert reply.status in (404, 405)
