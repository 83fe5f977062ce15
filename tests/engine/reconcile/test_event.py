"""Looking after subscriptions: there while they are wanted, relied on while events come, taken away after."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import text

from bessemer.config.settings import ConductorSettings, RedfishSettings
from bessemer.domain.event_subscription import EventSubscription
from bessemer.domain.node import Node
from bessemer.domain.power import PowerState
from bessemer.domain.provision import ProvisionState
from bessemer.engine.gateway import Gateway
from bessemer.engine.reconcile.sweep import Again
from bessemer.hardware.interface import EventSource, EventTarget, IsStale
from bessemer.hardware.redfish.failure import BmcRefused
from bessemer.kernel.clock import timestamp
from bessemer.kernel.error import BessemerError, DeviceRefused, DeviceUnreachable, NotFound, Unsupported
from bessemer.store.database import Database
from bessemer.store.duty import EVENTS, POWER, Outcome, claim_node_duties, finish_node_duties
from bessemer.store.event_subscription import (
    add_subscription,
    claim_left_subscriptions,
    find_subscription,
    note_heard,
)
from bessemer.store.event_token import find_event_node
from bessemer.store.node import delete_node, update_node
from bessemer.workflow.reconcile.event import EventCare
from bessemer.workflow.reconcile.farewell import Farewells, farewell_chore
from bessemer.workflow.reconcile.health import HealthCheck
from bessemer.workflow.reconcile.machine import Machines
from bessemer.workflow.reconcile.power import PowerSync
from fakes.api_world import fake_composition, quick_settings, toy_workflows
from fakes.clock import FakeClock
from fakes.store import add_nodes

CHECK_S = 3600
BMC = {"redfish_address": "https://bmc", "redfish_password": "very secret"}


class ToldSource:
    """A BMC with an event service that is as the test says."""

    def __init__(self) -> None:
        self.error: BessemerError | None = None
        self.can_test = True
        self.path = "/s/1"
        self.targets: list[EventTarget] = []
        self.known: list[str | None] = []
        self.tests = 0
        self.taken_away: list[tuple[dict[str, Any], str, str]] = []
        self.is_stale: IsStale | None = None
        self.in_between: Callable[[], Awaitable[None]] | None = None

    def access(self, node: Node) -> dict[str, Any]:
        return dict(node.driver_info)

    def place(self, access: dict[str, Any]) -> str:
        return str(access["redfish_address"])

    async def subscribe(self, task: Any, target: EventTarget, known: str | None, is_stale: IsStale) -> str:
        self.targets.append(target)
        self.known.append(known)
        self.is_stale = is_stale
        if self.in_between is not None:
            await self.in_between()
        if self.error is not None:
            raise self.error
        return self.path

    async def send_test(self, task: Any) -> bool:
        self.tests += self.can_test
        return self.can_test

    async def unsubscribe(self, access: dict[str, Any], path: str, context: str) -> None:
        if self.error is not None:
            raise self.error
        self.taken_away.append((access, path, context))


class ToldMachines(Machines):
    def __init__(self, clock: FakeClock, source: ToldSource) -> None:
        super().__init__(fake_composition(quick_settings(), clock))
        self.source: ToldSource | None = source
        self.power: PowerState | BessemerError = PowerState.ON

    def event_source(self, node: Node) -> EventSource | None:
        return self.source

    async def power_state(self, node: Node, *, is_last_look: bool = False) -> PowerState:
        if isinstance(self.power, BessemerError):
            raise self.power
        return self.power

    async def health(self, node: Node) -> str | None:
        return "OK"


class World:
    def __init__(self, database: Database, clock: FakeClock, node: Node) -> None:
        self.database, self.clock, self.uuid = database, clock, node.uuid
        self.source = ToldSource()
        self.machines = ToldMachines(clock, self.source)
        settings = RedfishSettings(event_check_interval=CHECK_S)
        self.care = EventCare(database, self.machines, settings, base_url="https://us/")
        conductor = ConductorSettings(sync_power_state_interval=60, force_power_state_during_sync=False)
        self.sync = PowerSync(
            database, self.machines, Gateway(toy_workflows()), conductor, "host", event_poll_s=600.0
        )
        self.health = HealthCheck(database, self.machines, interval_s=300, host="host", event_poll_s=600.0)

    async def look(self, failures: int = 0) -> Again:
        return await self.care.look(self.uuid, failures)

    async def known(self) -> EventSubscription | None:
        async with self.database.read() as tx:
            return await find_subscription(tx, self.uuid)

    async def change(self, **changes: Any) -> None:
        async with self.database.write() as tx:
            await update_node(tx, self.uuid, **changes)

    async def hear(self) -> None:
        async with self.database.write() as tx:
            await note_heard(tx, [self.uuid])

    async def left(self) -> list[EventSubscription]:
        async with self.database.write() as tx:
            return await claim_left_subscriptions(
                tx, "", limit=9, claimed_until=timestamp(tx.clock, after_s=60)
            )

    async def settle(self) -> None:
        """Every duty is done for now."""
        async with self.database.write() as tx:
            for duty in (POWER, EVENTS):
                later = timestamp(tx.clock, after_s=9999)
                claimed = await claim_node_duties(tx, duty, "", limit=9, claimed_until=later)
                await finish_node_duties(tx, duty, [Outcome(one, later) for one in claimed])
        self.clock.advance(0.1)

    async def is_hastened(self, duty: str) -> bool:
        async with self.database.write() as tx:
            later = timestamp(tx.clock, after_s=9999)
            return bool(await claim_node_duties(tx, duty, "", limit=9, claimed_until=later))


@pytest.fixture
async def world(database: Database, clock: FakeClock) -> World:
    fields = {
        "provision_state": ProvisionState.MANAGEABLE,
        "power_state": PowerState.ON,
        "health": "OK",
        "driver_info": BMC,
        "power_interface": "fake",
        "management_interface": "fake",
    }
    [node] = await add_nodes(database, fields)
    return World(database, clock, node)


async def test_a_subscription_is_made_tested_and_then_left_alone(world: World) -> None:
    assert await world.look() == Again(CHECK_S, 0)
    known = await world.known()
    assert known is not None
    [target] = world.source.targets
    prefix, _, token = target.url.rpartition("/")
    assert prefix == "https://us/redfish/events"
    assert find_event_node(world.database.vault, token) == world.uuid
    assert (known.path, known.context, known.access) == ("/s/1", target.context, BMC)
    assert (known.tested_at, known.heard_at) == (timestamp(world.clock), None)
    await world.hear()
    world.clock.advance(CHECK_S / 2)
    assert await world.look() == Again(CHECK_S, 0)
    assert world.source.known == [None, "/s/1"]
    assert world.source.tests == 1, "an event came lately"
    world.clock.advance(CHECK_S)
    await world.look()
    assert world.source.tests == 2


async def test_events_that_do_not_arrive_are_not_relied_on(world: World) -> None:
    await world.look()
    await world.hear()
    world.clock.advance(2 * CHECK_S)
    assert await world.look() == Again(CHECK_S, 0)  # asks for one, which does not come
    await world.settle()
    world.clock.advance(CHECK_S)
    assert await world.look() == Again(CHECK_S, 1)
    known = await world.known()
    assert known is not None
    assert known.heard_at is None
    assert await world.is_hastened(POWER)
    assert world.source.tests == 3, "it is asked again each time"
    await world.hear()
    world.clock.advance(1)
    assert await world.look(1) == Again(CHECK_S, 0)


async def test_where_no_test_can_be_asked_for_the_first_event_will_do(world: World) -> None:
    world.source.can_test = False
    await world.look()
    world.clock.advance(CHECK_S)
    assert await world.look() == Again(CHECK_S, 0)
    known = await world.known()
    assert known is not None
    assert (known.tested_at, known.heard_at) == (None, None)


async def test_one_that_the_bmc_lost_is_proved_anew(world: World) -> None:
    await world.look()
    await world.hear()
    world.source.path = "/s/2"
    world.clock.advance(1)
    await world.look()
    known = await world.known()
    assert known is not None
    assert (known.path, known.heard_at) == ("/s/2", None)
    assert world.source.tests == 2
    assert await world.left() == []


@pytest.mark.parametrize("fields", [{"provision_state": ProvisionState.ENROLL}, {"maintenance": True}])
async def test_nodes_that_are_not_ours_are_let_be(world: World, fields: dict[str, Any]) -> None:
    await world.change(**fields)
    assert await world.look() == Again(300.0)
    assert world.source.targets == []


async def test_a_node_that_moves_to_another_bmc_leaves_its_subscription(world: World) -> None:
    await world.look()
    await world.change(driver_info={"redfish_address": "https://other"})
    world.source.path = "/t/1"
    await world.look()
    known = await world.known()
    assert known is not None
    assert (known.path, known.access) == ("/t/1", {"redfish_address": "https://other"})
    [left] = await world.left()
    assert (left.path, left.access) == ("/s/1", BMC)


async def test_a_bmc_that_is_reached_otherwise_keeps_its_subscription(world: World) -> None:
    await world.look()
    await world.hear()
    before = await world.known()
    assert before is not None
    otherwise = {**BMC, "redfish_password": "new secret", "redfish_verify_ca": False}
    await world.change(driver_info=otherwise)
    world.clock.advance(1)
    await world.look()
    known = await world.known()
    assert known is not None
    assert known.access == otherwise
    assert (known.uuid, known.path, known.context) == (before.uuid, before.path, before.context)
    assert known.heard_at is not None
    assert world.source.known == [None, "/s/1"]
    assert await world.left() == []


async def test_what_a_node_left_is_not_taken_away_when_it_has_come_back(world: World) -> None:
    await world.look()
    await world.change(driver_info={"redfish_address": "https://other"})
    await world.look()
    await world.change(driver_info=BMC)
    await world.look()
    assert len({target.context for target in world.source.targets}) == 2, "each BMC has its own"
    assert await Farewells(world.database, world.source, "").take_away() == 2
    [(access, _, context)] = world.source.taken_away
    assert access == {"redfish_address": "https://other"}
    known = await world.known()
    assert known is not None
    assert known.context != context
    assert await world.left() == []


@pytest.mark.parametrize("status", [401, 403])
async def test_a_bmc_that_lets_us_in_no_more_is_not_tried_again(world: World, status: int) -> None:
    await left_by(world)
    world.source.error = BmcRefused("no entry", status=status)
    farewells = Farewells(world.database, world.source, "")
    assert await farewells.take_away() == 1
    world.clock.advance(99999)
    assert await farewells.take_away() == 0


async def test_a_bmc_that_lost_its_subscription_and_takes_no_other_is_polled(world: World) -> None:
    await world.look()
    await world.hear()
    await world.settle()
    world.source.error = DeviceRefused("no room")
    assert await world.look() == Again(CHECK_S, 1)
    known = await world.known()
    assert known is not None
    assert known.heard_at is None
    assert await world.is_hastened(POWER)


async def test_one_that_cannot_be_opened_any_more_is_made_anew(world: World) -> None:
    await world.look()
    gone = "0195cafe-0000-7000-8000-000000000000"
    async with world.database.write() as tx:
        await tx.execute(text("UPDATE event_subscriptions SET uuid = :uuid"), {"uuid": gone})
    assert await world.look() == Again(CHECK_S, 0)
    known = await world.known()
    assert known is not None
    assert (known.uuid != gone, known.access) == (True, BMC)
    assert await world.left() == []


async def test_a_node_whose_machine_tells_nobody_any_more_leaves_it_too(world: World) -> None:
    await world.look()
    world.machines.source = None
    assert await world.look() == Again(CHECK_S)
    assert await world.known() is None
    assert len(await world.left()) == 1


async def test_a_node_that_is_deleted_meanwhile_leaves_no_subscription_behind(world: World) -> None:
    async def delete() -> None:
        async with world.database.write() as tx:
            await delete_node(tx, world.uuid)

    world.source.in_between = delete
    with pytest.raises(NotFound):
        await world.look()
    [left] = await world.left()
    assert left.path == "/s/1"


async def test_bmcs_that_refuse_are_asked_less_and_less_often(world: World) -> None:
    for error in (Unsupported("no event service"), DeviceRefused("no room")):
        world.source.error = error
        assert await world.look() == Again(CHECK_S, 1)
        assert await world.look(3) == Again(4 * CHECK_S, 4)
        assert await world.look(99) == Again(24 * CHECK_S, 100)
    world.source.error = DeviceUnreachable("silence")
    assert await world.look(2) == Again(300.0, 2)
    assert await world.known() is None


async def test_only_ours_that_nobody_needs_are_stale(world: World) -> None:
    await world.look()
    is_stale, ours = world.source.is_stale, "https://us/redfish/events/x"
    assert is_stale is not None
    gone = "0195cafe-0000-7000-8000-000000000000"
    [other] = await add_nodes(world.database, {})
    assert await is_stale(f"bessemer:{world.uuid}:old", "https://elsewhere/")
    assert await is_stale(f"bessemer:{gone}:1", ours)
    assert not await is_stale(f"bessemer:{gone}:1", "https://another-service/redfish/events/x")
    assert not await is_stale(f"bessemer:{other.uuid}:1", ours)
    assert not await is_stale("bessemer:nonsense", ours)
    assert not await is_stale("somebody's", ours)


# ---------------------------------------------------------------------- what it changes for polling


async def test_an_unchanged_machine_is_polled_less_often_only_while_events_arrive(world: World) -> None:
    await world.look()
    world.clock.advance(86400)
    assert await world.sync.look(world.uuid, 0) == Again(60)
    assert await world.health.look(world.uuid, 0) == Again(300)
    await world.hear()
    assert await world.sync.look(world.uuid, 0) == Again(600)
    assert await world.health.look(world.uuid, 0) == Again(600)


async def test_a_machine_that_changed_is_polled_as_often_as_any_other_for_a_while(world: World) -> None:
    await world.look()
    await world.hear()
    world.machines.power = PowerState.OFF
    assert await world.sync.look(world.uuid, 0) == Again(15)
    assert await world.sync.look(world.uuid, 0) == Again(60)
    world.clock.advance(400)
    assert await world.sync.look(world.uuid, 0) == Again(200)
    world.clock.advance(1200)
    assert await world.sync.look(world.uuid, 0) == Again(600)


async def test_a_change_that_no_event_told_of_ends_the_trust(world: World) -> None:
    await world.look()
    await world.hear()
    await world.settle()
    world.clock.advance(86400 / 2)
    world.machines.power = PowerState.OFF
    await world.sync.look(world.uuid, 0)
    known = await world.known()
    assert known is not None
    assert known.heard_at is None
    assert await world.is_hastened(EVENTS)
    world.clock.advance(86400)
    assert await world.sync.look(world.uuid, 0) == Again(60)


async def test_a_change_that_an_event_told_of_keeps_it(world: World) -> None:
    await world.look()
    await world.settle()
    await world.hear()
    world.clock.advance(2)
    world.machines.power = PowerState.OFF
    await world.sync.look(world.uuid, 0)
    known = await world.known()
    assert known is not None
    assert known.heard_at is not None
    assert not await world.is_hastened(EVENTS)


async def test_a_bmc_that_was_away_is_looked_at_for_its_subscription(world: World) -> None:
    await world.look()
    await world.hear()
    await world.settle()
    world.clock.advance(600)
    world.machines.power = DeviceUnreachable("silence")
    assert await world.sync.look(world.uuid, 0) == Again(60, 1)
    world.machines.power = PowerState.ON
    await world.sync.look(world.uuid, 1)
    assert await world.is_hastened(EVENTS)


async def test_without_events_a_longer_interval_must_be_asked_for(world: World, clock: FakeClock) -> None:
    def sync(**options: Any) -> PowerSync:
        settings = ConductorSettings(sync_power_state_interval=60, **options)
        return PowerSync(world.database, world.machines, Gateway(toy_workflows()), settings, "host")

    clock.advance(86400)
    assert await sync().look(world.uuid, 0) == Again(60)
    assert await sync(sync_power_state_max_interval=900).look(world.uuid, 0) == Again(900)
    await world.change(description="touched")
    clock.advance(1000)
    assert await sync(sync_power_state_max_interval=900).look(world.uuid, 0) == Again(500)


# ---------------------------------------------------------------------- farewells


async def left_by(world: World) -> EventSubscription:
    async with world.database.write() as tx:
        return await add_subscription(tx, node_uuid=None, group="", access=BMC, path="/s/1", context="c")


async def test_what_is_left_is_taken_away_and_forgotten(world: World) -> None:
    await left_by(world)
    farewells = Farewells(world.database, world.source, "")
    assert await Farewells(world.database, world.source, "elsewhere").take_away() == 0
    assert await farewells.take_away() == 1
    assert world.source.taken_away == [(BMC, "/s/1", "c")]
    world.clock.advance(99999)
    assert await farewells.take_away() == 0


async def test_a_bmc_that_does_not_answer_is_tried_again_and_given_up_after_long(world: World) -> None:
    await left_by(world)
    farewells = Farewells(world.database, world.source, "")
    world.source.error = DeviceUnreachable("silence")
    assert await farewells.take_away() == 1
    assert await farewells.take_away() == 0, "not at once"
    tries = 1
    for _ in range(50):
        world.clock.advance(3601)
        tries += await farewells.take_away()
    assert tries == 30
    world.source.error = None
    assert await farewells.take_away() == 0


async def test_what_no_conductor_is_there_to_take_away_is_forgotten_after_a_week(world: World) -> None:
    await left_by(world)
    chore = farewell_chore(world.database)
    assert await chore.run() == 0
    world.clock.advance(8 * 86400)
    assert await chore.run() == 1
    assert await world.left() == []


async def test_a_subscription_follows_its_node_to_another_conductor_group(world: World) -> None:
    await world.look()
    await world.change(conductor_group="b")
    await world.look()
    known = await world.known()
    assert known is not None
    assert known.conductor_group == "b"


async def test_a_service_that_wants_no_events_any_more_takes_all_away(world: World) -> None:
    await world.look()
    farewells = Farewells(world.database, world.source, "")
    assert await farewells.take_away() == 0
    await farewells.leave_all()
    assert await farewells.take_away() == 1
    assert await world.known() is None
