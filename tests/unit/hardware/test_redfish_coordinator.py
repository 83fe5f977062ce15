"""One BMC's coordinator: whose turn it is, how long an answer may take, whether asking is worth it."""

import asyncio

import pytest
from aiohttp import web
from structlog.testing import capture_logs

from bessemer.config.settings import RedfishSettings
from bessemer.hardware.redfish.access import read_access
from bessemer.hardware.redfish.circuit import Circuit
from bessemer.hardware.redfish.failure import BmcSilent, BmcUnreachable
from bessemer.hardware.redfish.patience import FIRST_S, LEAST_S, Patience
from bessemer.hardware.redfish.pool import BmcPool
from bessemer.hardware.redfish.turn import Turns
from bessemer.hardware.urgency import Urgency, current_urgency, sweeping
from fakes.bmc_connection import connect
from fakes.scripted_bmc import ROOT, SYSTEM, error, system_body
from fakes.task import make_task

USER, SWEEP = Urgency.USER, Urgency.SWEEP


# ---------------------------------------------------------------------- turns


class Visitors:
    """Take turns and keep them until they are let go; ``came`` is who got a turn, in order."""

    def __init__(self, places: int) -> None:
        self.turns = Turns(places)
        self.came: list[str] = []
        self._leave: dict[str, asyncio.Event] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def arrive(self, name: str, urgency: Urgency) -> None:
        self._leave[name] = asyncio.Event()
        self._tasks[name] = asyncio.create_task(self._visit(name, urgency))
        await asyncio.sleep(0)

    async def leave(self, name: str) -> None:
        self._leave[name].set()
        await self._tasks[name]
        await asyncio.sleep(0)

    async def give_up(self, name: str) -> None:
        self._tasks[name].cancel()
        await asyncio.wait([self._tasks[name]])
        await asyncio.sleep(0)

    async def _visit(self, name: str, urgency: Urgency) -> None:
        async with self.turns.take(urgency):
            self.came.append(name)
            await self._leave[name].wait()


async def test_users_go_before_sweeps_that_came_earlier() -> None:
    visitors = Visitors(1)
    for name, urgency in (("first", USER), ("sweep", SWEEP), ("user", USER), ("later", USER)):
        await visitors.arrive(name, urgency)
    for name in ("first", "user", "later"):
        await visitors.leave(name)
    assert visitors.came == ["first", "user", "later", "sweep"]
    await visitors.leave("sweep")


async def test_sweeps_leave_a_place_free_where_there_are_several() -> None:
    visitors = Visitors(2)
    await visitors.arrive("sweep 1", SWEEP)
    await visitors.arrive("sweep 2", SWEEP)
    await visitors.arrive("user", USER)
    assert visitors.came == ["sweep 1", "user"]
    await visitors.leave("user")
    assert visitors.came == ["sweep 1", "user"]
    await visitors.leave("sweep 1")
    assert visitors.came == ["sweep 1", "user", "sweep 2"]
    await visitors.leave("sweep 2")


async def test_who_gives_up_waiting_takes_no_place_and_keeps_nobody_waiting() -> None:
    visitors = Visitors(1)
    for name in ("first", "second", "third"):
        await visitors.arrive(name, USER)
    await visitors.give_up("second")
    await visitors.leave("first")
    assert visitors.came == ["first", "third"]
    await visitors.give_up("third")
    await visitors.arrive("fourth", SWEEP)
    assert visitors.came[-1] == "fourth"
    await visitors.leave("fourth")


async def test_a_turn_that_comes_as_its_owner_gives_up_goes_to_the_next() -> None:
    visitors = Visitors(1)
    for name in ("first", "second", "third"):
        await visitors.arrive(name, USER)
    visitors._leave["first"].set()
    await asyncio.sleep(0)  # the turn is the second's now, who has not run yet
    await visitors.give_up("second")
    assert visitors.came == ["first", "third"]
    await visitors.leave("third")


async def test_who_gives_up_as_a_turn_becomes_free_ends_cancelled_and_the_turn_goes_to_the_next() -> None:
    visitors = Visitors(1)
    for name in ("first", "second", "third"):
        await visitors.arrive(name, USER)
    visitors._leave["first"].set()
    second = visitors._tasks["second"]
    second.cancel()
    await asyncio.wait([second])
    assert second.cancelled()
    await asyncio.sleep(0)
    assert visitors.came == ["first", "third"]
    await visitors.leave("third")


async def test_urgency_goes_with_the_task() -> None:
    async def ask() -> Urgency:
        await asyncio.sleep(0)
        return current_urgency()

    with sweeping():
        assert await asyncio.create_task(ask()) is SWEEP
    assert await ask() is USER


# ---------------------------------------------------------------------- patience


def test_nothing_is_presumed_of_a_bmc_that_has_not_answered_yet() -> None:
    assert Patience(60).limit_s == FIRST_S
    assert Patience(3).limit_s == 3


def test_a_quick_bmc_gets_little_time_and_a_slow_one_what_it_needs() -> None:
    quick, slow = Patience(60), Patience(60)
    for _ in range(50):
        quick.learn(0.05)
        slow.learn(12.0)
    assert quick.limit_s == LEAST_S
    assert 12 < slow.limit_s < 20
    assert slow.usual_s == pytest.approx(12, rel=0.01)


def test_one_that_answers_unevenly_gets_more_time_than_its_average() -> None:
    uneven = Patience(60)
    for number in range(50):
        uneven.learn(2.0 if number % 2 else 10.0)
    assert uneven.limit_s > 15


def test_each_silence_doubles_the_time_until_an_answer_comes() -> None:
    patience = Patience(30)
    patience.learn(0.1)
    limits = []
    for _ in range(4):
        limits.append(patience.limit_s)
        patience.miss()
    assert limits == [5, 10, 20, 30]
    patience.learn(0.1)
    assert patience.limit_s == 5


# ---------------------------------------------------------------------- circuit


def test_sweeps_leave_a_silent_bmc_alone_for_longer_and_longer_and_users_do_not() -> None:
    now = 0.0
    circuit = Circuit("bmc", lambda: now)
    waits = []
    for _ in range(10):
        circuit.note_silence("no route")
        circuit.check(USER)
        with pytest.raises(BmcUnreachable, match="has not answered"):
            circuit.check(SWEEP)
        began = now
        while True:
            try:
                circuit.check(SWEEP)
                break
            except BmcUnreachable:
                now += 1.0
        waits.append(now - began)
    assert waits[0] <= 5
    assert 150 <= waits[-1] <= 300
    assert waits[0] < waits[4] < waits[-1]


def test_only_one_sweep_tries_whether_a_silent_bmc_has_come_back() -> None:
    now = 0.0
    circuit = Circuit("bmc", lambda: now)
    circuit.note_silence("no route")
    now = 10.0
    circuit.check(SWEEP)
    with pytest.raises(BmcUnreachable):
        circuit.check(SWEEP)
    circuit.note_answer()
    circuit.check(SWEEP)


def test_failure_and_recovery_are_logged_once_each() -> None:
    circuit = Circuit("bmc", lambda: 0.0)
    with capture_logs() as lines:
        for _ in range(3):
            circuit.note_silence("no route")
        for _ in range(3):
            circuit.note_answer()
    assert [line["event"] for line in lines] == ["BMC does not answer", "BMC answers again"]
    assert lines[1]["failures"] == 3


# ---------------------------------------------------------------------- all together


async def test_a_read_that_hangs_is_asked_again_long_before_the_deadline(scripted) -> None:
    asked = 0

    async def hangs_once(request: web.Request) -> web.Response:
        nonlocal asked
        asked += 1
        if asked == 2:
            await asyncio.Event().wait()
        return web.json_response(system_body(PowerState="On"))

    scripted.on(f"GET {SYSTEM}", hangs_once)
    pool = BmcPool(RedfishSettings(request_timeout=30))
    bmc = connect(pool, scripted.driver_info())
    pool.coordinator(bmc.access).patience = Patience(30, least_s=0.3)
    began = asyncio.get_running_loop().time()
    for _ in range(2):
        assert (await bmc.get(SYSTEM))["PowerState"] == "On"
    assert asked >= 3  # a good answer that is slow is asked for again too
    assert asyncio.get_running_loop().time() - began < 20
    await pool.close()


async def test_an_action_that_hangs_is_never_repeated(scripted) -> None:
    async def never(request: web.Request) -> web.Response:
        await asyncio.Event().wait()
        raise AssertionError

    scripted.on(f"POST {SYSTEM}/Reset", never)
    pool = BmcPool(RedfishSettings(request_timeout=3))
    with pytest.raises(BmcSilent, match="within 3 s"):
        await connect(pool, scripted.driver_info()).post(f"{SYSTEM}/Reset", {})
    assert scripted.count(f"POST {SYSTEM}/Reset") == 1
    await pool.close()


async def test_a_sweep_asks_a_troubled_bmc_less_often_than_a_user(scripted) -> None:
    scripted.on(f"GET {SYSTEM}", error(503, "Busy."))
    pool = BmcPool(RedfishSettings(connection_retry_interval=0, connection_attempts=4))
    bmc = connect(pool, scripted.driver_info())
    with sweeping(), pytest.raises(BmcUnreachable):
        await bmc.get(SYSTEM)
    assert scripted.count(f"GET {SYSTEM}") == 2
    with pytest.raises(BmcUnreachable):
        await bmc.get(SYSTEM)
    assert scripted.count(f"GET {SYSTEM}") == 6
    await pool.close()


async def test_a_silent_bmc_is_not_swept_until_a_user_has_had_an_answer(lab, pool) -> None:
    bmc = connect(pool, lab.driver_info())
    lab.bmc.faults.drop_next(count=100)
    with sweeping():
        for _ in range(3):
            with pytest.raises(BmcUnreachable):
                await bmc.get(ROOT)
    count = lab.bmc.requests.count()
    lab.bmc.faults.clear()
    with sweeping(), pytest.raises(BmcUnreachable, match="has not answered"):
        await bmc.get(ROOT)
    assert lab.bmc.requests.count() == count
    await bmc.get(ROOT)
    with sweeping():
        await bmc.get(ROOT)


async def test_accounts_of_one_bmc_share_its_coordinator_and_other_bmcs_do_not(pool) -> None:
    one = read_access(make_task(driver_info={"redfish_address": "https://10.0.0.1"}).node, pool.settings)
    info = {"redfish_address": "https://10.0.0.1", "redfish_username": "u"}
    account = read_access(make_task(driver_info=info).node, pool.settings)
    other = read_access(make_task(driver_info={"redfish_address": "https://10.0.0.2"}).node, pool.settings)
    assert pool.coordinator(one) is pool.coordinator(account)
    assert pool.coordinator(one) is not pool.coordinator(other)
