"""Sessions at a BMC, and the ways to prove who we are, against real HTTPS servers."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from aiohttp import web

from bessemer.hardware.redfish.failure import BmcRefused, BmcUnreachable
from bessemer.hardware.redfish.power import RedfishPower
from bessemer.kernel.error import DeviceRefused
from fakes.bmc_connection import connect
from fakes.scripted_bmc import RESET, ROOT, SESSIONS, SYSTEM, ScriptedBmc, error, system_body
from fakes.task import make_task
from fakes.wait import until


async def test_one_session_serves_every_request_of_every_node_of_a_bmc(lab, pool) -> None:
    power = RedfishPower(pool)
    for _ in range(3):
        await power.get_power_state(make_task(driver_info=lab.driver_info()))
    assert lab.bmc.requests.count("POST", SESSIONS) == 1


async def test_closing_ends_the_session_at_the_bmc(lab, pool) -> None:
    await connect(pool, lab.driver_info()).get(SESSIONS)
    await pool.close()
    assert lab.bmc.requests.count("DELETE", f"{SESSIONS}/*") == 1


async def test_a_session_that_expired_is_renewed_for_reads_and_for_writes(scripted, pool) -> None:
    """The first two sessions are forgotten by the BMC; the requests that find out still succeed."""
    given = iter(("one", "two", "three"))
    valid = {"three"}

    async def log_in(request: web.Request) -> web.Response:
        token = next(given)
        headers = {"X-Auth-Token": token, "Location": f"{SESSIONS}/{token}"}
        return web.json_response({"Id": token}, status=201, headers=headers)

    async def guarded(request: web.Request) -> web.Response:
        is_welcome = request.headers.get("X-Auth-Token") in valid
        return web.json_response(system_body()) if is_welcome else error(401, "Who are you?")

    scripted.resources[ROOT]["Links"] = {"Sessions": {"@odata.id": SESSIONS}}
    scripted.on(f"POST {SESSIONS}", log_in)
    scripted.on(f"GET {SYSTEM}", guarded)
    scripted.on(f"POST {RESET}", guarded)
    account = {"redfish_username": "u", "redfish_password": "p"}
    bmc = connect(pool, scripted.driver_info(**account))
    valid.add("two")
    assert (await bmc.get(SYSTEM))["PowerState"] == "On"
    valid.remove("two")
    await bmc.post(RESET, {"ResetType": "On"})
    assert scripted.count(f"POST {SESSIONS}") == 3


class Sessions:
    """A BMC's: ``valid`` are the keys of those it still knows; ``trouble`` comes before the second."""

    def __init__(self, bmc: ScriptedBmc, trouble: Callable[[], Awaitable[web.Response | None]]) -> None:
        self.valid: set[str] = set()
        self._given = 0
        self._trouble = trouble
        bmc.resources[ROOT]["Links"] = {"Sessions": {"@odata.id": SESSIONS}}
        bmc.on(f"POST {SESSIONS}", self._log_in)
        bmc.on(f"GET {SYSTEM}", self._guard)
        self._bmc = bmc

    async def _log_in(self, request: web.Request) -> web.Response:
        self._given += 1
        key = str(self._given)
        if self._given == 2 and (trouble := await self._trouble()) is not None:
            return trouble
        self.valid.add(key)
        self._bmc.on(f"DELETE {SESSIONS}/{key}", self._log_out)
        headers = {"X-Auth-Token": key, "Location": f"{SESSIONS}/{key}"}
        return web.json_response({"Id": key}, status=201, headers=headers)

    async def _log_out(self, request: web.Request) -> web.Response:
        self.valid.discard(request.path.rpartition("/")[2])
        return web.Response(status=204)

    async def _guard(self, request: web.Request) -> web.Response:
        is_welcome = request.headers.get("X-Auth-Token") in self.valid
        return web.json_response(system_body()) if is_welcome else error(401, "Who are you?")


async def test_a_read_while_a_session_is_being_renewed_is_not_refused(scripted, pool) -> None:
    is_asked, may_answer = asyncio.Event(), asyncio.Event()

    async def wait() -> None:
        is_asked.set()
        await may_answer.wait()

    sessions = Sessions(scripted, wait)
    bmc = connect(pool, scripted.driver_info(redfish_username="u", redfish_password="p"))
    await bmc.get(SYSTEM)
    sessions.valid.clear()
    async with asyncio.TaskGroup() as group:
        reads = [group.create_task(bmc.get(SYSTEM))]
        await is_asked.wait()
        reads.append(group.create_task(bmc.get(SYSTEM)))
        await until(lambda: scripted.count(f"GET {SYSTEM}") == 3)
        may_answer.set()
    assert [read.result()["PowerState"] for read in reads] == ["On", "On"]
    assert scripted.count(f"POST {SESSIONS}") == 2


async def test_a_read_after_a_session_could_not_be_renewed_logs_in_anew(scripted, pool) -> None:
    async def fail() -> web.Response:
        return error(500, "Starting.")

    sessions = Sessions(scripted, fail)
    bmc = connect(pool, scripted.driver_info(redfish_username="u", redfish_password="p"))
    await bmc.get(SYSTEM)
    sessions.valid.clear()
    assert (await bmc.get(SYSTEM))["PowerState"] == "On"
    assert scripted.count(f"POST {SESSIONS}") == 3


async def test_a_resource_that_is_refused_for_ever_takes_no_session_away(scripted, pool) -> None:
    async def pass_by() -> None:
        return None

    sessions = Sessions(scripted, pass_by)
    for method in ("GET", "POST"):
        scripted.on(f"{method} /licensed", error(401, "Not with this licence."))
    bmc = connect(pool, scripted.driver_info(redfish_username="u", redfish_password="p"))
    for ask in (bmc.get("/licensed"), bmc.get("/licensed"), bmc.post("/licensed", {})):
        with pytest.raises(BmcRefused, match="refused the credentials"):
            await ask
        assert sessions.valid == {"1"}
    assert (await bmc.get(SYSTEM))["PowerState"] == "On"
    assert scripted.count(f"POST {SESSIONS}") == 4
    await pool.close()
    assert sessions.valid == set()


async def test_a_bmc_without_sessions_gets_basic_authentication_at_once(scripted, pool) -> None:
    bmc = connect(pool, scripted.driver_info(redfish_username="u", redfish_password="p"))
    await bmc.get(SYSTEM)
    assert scripted.count(f"POST {SESSIONS}") == 0
    assert scripted.asked[-1].headers["Authorization"].startswith("Basic ")


async def test_a_bmc_that_has_no_session_left_gets_basic_authentication(scripted, pool) -> None:
    scripted.resources[ROOT]["SessionService"] = {"@odata.id": "/redfish/v1/SessionService"}
    scripted.on(f"POST {SESSIONS}", error(503, "All sessions are taken.", "SessionLimitExceeded"))
    bmc = connect(pool, scripted.driver_info(redfish_username="u", redfish_password="p"))
    await bmc.get(SYSTEM)
    assert scripted.asked[-1].headers["Authorization"].startswith("Basic ")


async def test_auth_type_session_insists_on_a_session(scripted, pool) -> None:
    scripted.on(f"POST {SESSIONS}", error(503, "All sessions are taken.", "SessionLimitExceeded"))
    info = scripted.driver_info(redfish_username="u", redfish_password="p", redfish_auth_type="session")
    with pytest.raises(BmcUnreachable, match="All sessions are taken"):
        await connect(pool, info).get(SYSTEM)


async def test_auth_type_basic_never_asks_for_a_session(lab, pool) -> None:
    await connect(pool, lab.driver_info(redfish_auth_type="basic")).get("/redfish/v1/Systems")
    assert lab.bmc.requests.count("POST", SESSIONS) == 0


async def test_a_password_that_must_be_changed_first_is_said_so(scripted, pool) -> None:
    scripted.resources[ROOT]["SessionService"] = {"@odata.id": "/redfish/v1/SessionService"}
    scripted.on(f"POST {SESSIONS}", error(403, "Change it.", "PasswordChangeRequired"))
    with pytest.raises(DeviceRefused, match="wants the password of this account changed"):
        await connect(pool, scripted.driver_info(redfish_username="u", redfish_password="p")).get(SYSTEM)


def wanting_change() -> web.Response:
    """A session, and word that the password must be changed."""
    message = {"MessageId": "Base.1.8.PasswordChangeRequired", "MessageArgs": ["/redfish/v1/Accounts/1"]}
    headers = {"X-Auth-Token": "t", "Location": f"{SESSIONS}/1"}
    return web.json_response({"@Message.ExtendedInfo": [message]}, status=201, headers=headers)


async def test_a_session_that_is_good_for_nothing_but_a_new_password_is_ended(scripted, pool) -> None:
    scripted.resources[ROOT]["Links"] = {"Sessions": {"@odata.id": SESSIONS}}
    scripted.on(f"POST {SESSIONS}", wanting_change())
    scripted.on(f"DELETE {SESSIONS}/1", 204)
    bmc = connect(pool, scripted.driver_info(redfish_username="u", redfish_password="p"))
    for _ in range(2):
        with pytest.raises(DeviceRefused, match="wants the password of this account changed"):
            await bmc.get(SYSTEM)
    assert scripted.count(f"POST {SESSIONS}") == scripted.count(f"DELETE {SESSIONS}/1") == 2


async def test_a_renewed_session_that_is_good_for_nothing_is_ended_too(scripted, pool) -> None:
    async def want_change() -> web.Response:
        return wanting_change()

    sessions = Sessions(scripted, want_change)
    scripted.on(f"DELETE {SESSIONS}/1", 204)
    bmc = connect(pool, scripted.driver_info(redfish_username="u", redfish_password="p"))
    await bmc.get(SYSTEM)
    sessions.valid.clear()
    with pytest.raises(DeviceRefused, match="wants the password of this account changed"):
        await bmc.get(SYSTEM)
    assert scripted.count(f"DELETE {SESSIONS}/1") == 1
