"""Refusals, retries, deadlines and errors of the way to a BMC, against real HTTPS servers."""

import asyncio
import socket
from contextlib import suppress
from pathlib import Path

import pytest
from aiohttp import web
from structlog.testing import capture_logs

from bessemer.config.settings import RedfishSettings
from bessemer.hardware.redfish.failure import BmcRefused, BmcUnreachable
from bessemer.hardware.redfish.pool import IDLE_S, BmcPool
from bessemer.hardware.redfish.power import RedfishPower
from bessemer.kernel.error import DeviceUnreachable
from bessemer.transfer.bounded import MOST_BYTES
from fakes.answer import gzipped_zeros, too_deep
from fakes.bmc_connection import connect
from fakes.certificate import make_certificate
from fakes.scripted_bmc import RESET, ROOT, SESSIONS, SYSTEM, error, system_body
from fakes.task import make_task


def a_pool(**settings) -> BmcPool:
    return BmcPool(RedfishSettings(**{"connection_retry_interval": 0, "request_timeout": 10, **settings}))


# ---------------------------------------------------------------------- refusals


@pytest.mark.parametrize("auth_type", ["auto", "basic", "session"])
async def test_a_wrong_password_is_named_once_and_not_shown(lab, pool, auth_type) -> None:
    info = lab.driver_info(redfish_password="wr0ng", redfish_auth_type=auth_type)
    with pytest.raises(BmcRefused, match="refused the credentials") as caught:
        await connect(pool, info).get("/redfish/v1/Systems")
    assert "redfish_password" in caught.value.hint
    assert "wr0ng" not in f"{caught.value!s} {caught.value!r} {caught.value.__cause__!r}"
    assert lab.bmc.requests.count(status=401) == 1


async def test_what_a_bmc_repeats_of_a_secret_is_not_said_again(scripted, pool) -> None:
    words = "Attribute AdminPassword: n3w-secret is too weak; your own was 0ld-secret."
    scripted.on(f"PATCH {SYSTEM}", error(400, words, "PropertyValueError"))
    info = scripted.driver_info(
        redfish_username="u", redfish_password="0ld-secret", redfish_auth_type="basic"
    )
    with pytest.raises(BmcRefused, match="is too weak") as caught:
        await connect(pool, info).patch(SYSTEM, {"Attributes": {"AdminPassword": "n3w-secret"}})
    assert "secret" not in f"{caught.value!s} {caught.value!r}"


async def test_an_account_without_rights_is_told_from_a_wrong_password(scripted, pool) -> None:
    scripted.on(f"POST {RESET}", error(403, "No.", "InsufficientPrivilege"))
    with pytest.raises(BmcRefused, match="does not allow this"):
        await connect(pool, scripted.driver_info()).post(RESET, {})


async def test_a_refusal_carries_the_words_of_the_bmc(scripted, pool) -> None:
    scripted.on(f"POST {RESET}", error(400, "ResetType is wrong.", "ActionParameterValueNotInList"))
    with pytest.raises(BmcRefused, match=r"HTTP 400: ResetType is wrong\. Do what is right\.") as caught:
        await connect(pool, scripted.driver_info()).post(RESET, {"ResetType": "Maybe"})
    assert caught.value.says("ActionParameterValueNotInList")
    assert scripted.count(f"POST {RESET}") == 1


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"error": {"message": "Only this."}}, "Only this."),
        ({"@Message.ExtendedInfo": {"Message": "Not in a list."}}, "Not in a list."),
        ({"error": "text instead of an object"}, "HTTP 400"),
    ],
)
async def test_the_words_are_found_wherever_a_bmc_puts_them(scripted, pool, body, said) -> None:
    scripted.on(f"POST {RESET}", (400, body))
    with pytest.raises(BmcRefused, match=said):
        await connect(pool, scripted.driver_info()).post(RESET, {})


async def test_a_certificate_that_is_not_trusted_is_refused_with_the_way_out(lab, pool) -> None:
    with pytest.raises(BmcRefused, match=r"certificate of the BMC at 127\.0\.0\.1") as caught:
        await connect(pool, lab.driver_info(redfish_verify_ca=True)).get(ROOT)
    assert "redfish_verify_ca" in caught.value.hint


async def test_the_check_of_the_certificate_can_be_switched_off(lab, pool) -> None:
    assert await connect(pool, lab.driver_info(redfish_verify_ca="false")).get(ROOT)


async def test_a_certificate_for_another_address_is_refused(scripted, pool, tmp_path: Path) -> None:
    address = scripted.address.replace("127.0.0.1", "localhost")
    with pytest.raises(BmcRefused, match=r"localhost.* is not trusted"):
        await connect(pool, scripted.driver_info(redfish_address=address)).get(ROOT)


async def test_a_file_without_certificates_is_a_mistake_in_driver_info(scripted, pool, tmp_path) -> None:
    empty = tmp_path / "ca.pem"
    empty.write_text("nothing")
    with pytest.raises(Exception, match="redfish_verify_ca: no CA certificates"):
        await connect(pool, scripted.driver_info(redfish_verify_ca=str(empty))).get(ROOT)


async def test_a_server_without_tls_is_told_from_one_that_is_down() -> None:
    async def in_clear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(16)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    pool = a_pool()
    server = await asyncio.start_server(in_clear, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    with pytest.raises(BmcRefused, match="cannot agree on TLS"):
        await connect(pool, {"redfish_address": f"https://127.0.0.1:{port}"}).get(ROOT)
    server.close()
    await server.wait_closed()
    await pool.close()


# ---------------------------------------------------------------------- silence and trouble


async def test_a_bmc_that_closes_during_the_tls_handshake_is_restarting_and_has_refused_nothing() -> None:
    greeted = 0

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal greeted
        greeted += bool(await reader.read(1024))
        writer.close()

    pool = a_pool(connection_attempts=2)
    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    address = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    driver_info = {"redfish_address": address, "redfish_system_id": SYSTEM}
    with pytest.raises(BmcUnreachable, match="closed during the TLS handshake") as caught:
        await connect(pool, driver_info).get(SYSTEM)
    assert caught.value.is_unsent
    assert greeted >= 2
    await pool.close()
    server.close()


async def test_a_bmc_that_takes_connections_and_never_answers_is_given_up_at_the_deadline() -> None:
    pool = a_pool(request_timeout=1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(DeviceUnreachable, match=f"127.0.0.1:{port} did not answer .* within 1 s"):
            await connect(pool, {"redfish_address": f"https://127.0.0.1:{port}"}).get(ROOT)
    await pool.close()


async def test_an_answer_that_never_comes_frees_its_place_for_others(scripted) -> None:
    async def never(request: web.Request) -> web.Response:
        await asyncio.Event().wait()
        raise AssertionError

    pool = a_pool(request_timeout=3, connections_per_bmc=1)
    scripted.on(f"GET {SYSTEM}", never)
    bmc = connect(pool, scripted.driver_info())
    with pytest.raises(DeviceUnreachable, match="did not answer GET /redfish/v1/Systems/1 within 3 s"):
        await bmc.get(SYSTEM)
    assert await bmc.get(ROOT)
    await pool.close()


async def test_a_bmc_that_is_not_there_is_tried_as_often_as_configured() -> None:
    pool = a_pool(connection_attempts=3)
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    with pytest.raises(BmcUnreachable, match=f"127.0.0.1:{port} cannot be reached") as caught:
        await connect(pool, {"redfish_address": f"https://127.0.0.1:{port}"}).post(RESET, {})
    assert caught.value.retry
    await pool.close()


async def test_a_name_that_does_not_exist_is_said_so(pool) -> None:
    with pytest.raises(BmcUnreachable, match=r"bmc\.invalid cannot be resolved"):
        await connect(pool, {"redfish_address": "https://bmc.invalid"}).get(ROOT)


@pytest.mark.parametrize(
    "trouble", [503, 429, 502, (200, "text"), web.Response(body=b"<html>starting</html>")]
)
async def test_a_read_is_tried_again_until_the_bmc_is_well(scripted, pool, trouble) -> None:
    scripted.on(f"GET {SYSTEM}", trouble, trouble, system_body(PowerState="Off"))
    assert (await connect(pool, scripted.driver_info()).get(SYSTEM))["PowerState"] == "Off"


async def test_garbage_that_stays_is_an_error_that_shows_it(scripted, pool) -> None:
    scripted.on(f"GET {SYSTEM}", web.Response(body=b"<html>please wait"))
    with pytest.raises(BmcUnreachable, match="not JSON: '<html>please wait'"):
        await connect(pool, scripted.driver_info()).get(SYSTEM)
    assert scripted.count(f"GET {SYSTEM}") == 3


@pytest.mark.parametrize("path", [SYSTEM, ROOT])
async def test_json_nested_beyond_measure_is_no_usable_answer(scripted, pool, path) -> None:
    scripted.on(f"GET {path}", web.Response(body=too_deep()))
    bmc = connect(pool, scripted.driver_info(redfish_username="u", redfish_password="p"))
    with pytest.raises(BmcUnreachable, match=r"not JSON|nonsense"):
        await bmc.get(SYSTEM)


async def test_a_refusal_nested_beyond_measure_is_a_refusal_without_words(scripted, pool) -> None:
    scripted.on(f"POST {RESET}", web.Response(status=400, body=too_deep()))
    with pytest.raises(BmcRefused, match=r"HTTP 400\.$"):
        await connect(pool, scripted.driver_info()).post(RESET, {})


async def test_an_answer_without_end_is_given_up_before_it_fills_the_memory(scripted, pool) -> None:
    headers = {"Content-Encoding": "gzip"}
    bomb = web.Response(body=gzipped_zeros(MOST_BYTES + 1), headers=headers)
    most = web.Response(body=gzipped_zeros(MOST_BYTES), headers=headers)
    scripted.on(f"GET {SYSTEM}", bomb)
    scripted.on(f"POST {RESET}", most)
    bmc = connect(pool, scripted.driver_info())
    with pytest.raises(BmcUnreachable, match="longer than"):
        await bmc.get(SYSTEM)
    assert (await bmc.post(RESET, {})).status == 200


async def test_an_internal_error_is_looked_at_twice_only(scripted, pool) -> None:
    scripted.on(f"GET {SYSTEM}", error(500, "Oops."))
    with pytest.raises(BmcUnreachable, match="HTTP 500: Oops"):
        await connect(pool, scripted.driver_info()).get(SYSTEM)
    assert scripted.count(f"GET {SYSTEM}") == 2


@pytest.mark.parametrize("trouble", [503, 500])
async def test_an_action_is_not_repeated_behind_the_callers_back(scripted, pool, trouble) -> None:
    scripted.on(f"POST {RESET}", trouble)
    with pytest.raises(BmcUnreachable):
        await connect(pool, scripted.driver_info()).post(RESET, {"ResetType": "ForceRestart"})
    assert scripted.count(f"POST {RESET}") == 1


async def test_an_action_whose_connection_broke_is_not_repeated(lab, pool) -> None:
    bmc = connect(pool, lab.driver_info())
    await bmc.get("/redfish/v1/Systems")
    lab.bmc.faults.drop_next(count=5, method="POST", path="*Reset")
    reset = f"/redfish/v1/Systems/{lab.board.uuid}/Actions/ComputerSystem.Reset"
    with pytest.raises(BmcUnreachable, match="broke during POST"):
        await bmc.post(reset, {"ResetType": "On"})
    assert lab.bmc.requests.count("POST", "*Reset") == 1


async def test_a_read_whose_connection_broke_is_repeated(lab, pool) -> None:
    bmc = connect(pool, lab.driver_info())
    lab.bmc.faults.drop_next(count=2, method="GET", path="/redfish/v1/Systems")
    assert await bmc.get("/redfish/v1/Systems")


async def test_a_failure_is_logged_once_and_so_is_the_recovery(lab, pool) -> None:
    bmc = connect(pool, lab.driver_info())
    lab.bmc.faults.drop_next(count=100, method="*", path="*")
    with capture_logs() as lines:
        for _ in range(3):
            with pytest.raises(BmcUnreachable):
                await bmc.get(ROOT)
        lab.bmc.faults.clear()
        for _ in range(3):
            await bmc.get(ROOT)
    assert [line["event"] for line in lines] == ["BMC does not answer", "BMC answers again"]
    assert lab.address.endswith(lines[0]["bmc"])


# ---------------------------------------------------------------------- manners


async def test_a_bmc_never_sees_more_requests_at_once_than_configured(scripted) -> None:
    """While two requests hang a third has had every chance to arrive: another client gets through."""
    arrived: list[web.Request] = []
    both_there, may_go = asyncio.Event(), asyncio.Event()

    async def held(request: web.Request) -> web.Response:
        arrived.append(request)
        if len(arrived) == 2:
            both_there.set()
        await may_go.wait()
        return web.json_response(system_body())

    pool, bystander = a_pool(connections_per_bmc=2), a_pool()
    scripted.on(f"GET {SYSTEM}", held)
    bmc = connect(pool, scripted.driver_info())
    async with asyncio.TaskGroup() as group:
        for _ in range(10):
            group.create_task(bmc.get(SYSTEM))
        await asyncio.wait_for(both_there.wait(), 5)
        await connect(bystander, scripted.driver_info()).get(ROOT)
        assert len(arrived) == 2
        may_go.set()
    assert len(arrived) == 10
    await pool.close()
    await bystander.close()


async def test_a_change_brings_the_entity_tag_that_a_strict_bmc_wants(scripted, pool) -> None:
    async def strict(request: web.Request) -> web.Response:
        is_right = request.headers.get("If-Match") == '"v7"'
        return web.Response(status=204) if is_right else error(428, "A tag, please.", "PreconditionRequired")

    scripted.on(f"GET {SYSTEM}", web.Response(body=b'{"Id": "1"}', headers={"ETag": '"v7"'}))
    scripted.on(f"PATCH {SYSTEM}", strict)
    reply = await connect(pool, scripted.driver_info()).patch(SYSTEM, {"AssetTag": "x"})
    assert reply.status == 204


async def test_a_read_follows_a_redirect_within_the_bmc_and_none_out_of_it(scripted, pool) -> None:
    scripted.on("GET /alias", web.Response(status=307, headers={"Location": SYSTEM}))
    scripted.on("GET /away", web.Response(status=307, headers={"Location": "https://example.com/"}))
    bmc = connect(pool, scripted.driver_info())
    assert (await bmc.get("/alias"))["Id"] == "1"
    with pytest.raises(BmcRefused, match="elsewhere"):
        await bmc.get("/away")


async def test_a_service_root_elsewhere_is_found_by_the_path_of_the_address(scripted, pool) -> None:
    scripted.resources["/bmc7/redfish/v1/"] = {"Systems": {"@odata.id": "/redfish/v1/Systems"}}
    info = scripted.driver_info(redfish_address=f"{scripted.address}/bmc7/redfish/v1")
    await RedfishPower(pool).get_power_state(make_task(driver_info=info))
    assert scripted.count("GET /bmc7/redfish/v1/") == 1


async def test_basic_authentication_works_without_tls_when_the_operator_asks_for_it(pool) -> None:
    seen = []

    async def answer(request: web.Request) -> web.Response:
        seen.append(request.headers.get("Authorization"))
        return web.json_response({"Id": "root"})

    app = web.Application()
    app.router.add_get("/redfish/v1/", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    address = f"http://127.0.0.1:{runner.addresses[0][1]}"
    info = {"redfish_address": address, "redfish_username": "u", "redfish_password": "p"}
    with capture_logs() as logs:
        for _ in range(2):
            await connect(pool, info).get(ROOT)
    assert seen == ["Basic dTpw"] * 2
    assert [entry["event"] for entry in logs if "without TLS" in entry["event"]] == [
        "BMC is reached without TLS, as its redfish_address says"
    ]
    await runner.cleanup()


# ---------------------------------------------------------------------- the pool


async def test_nodes_share_a_connection_when_bmc_and_account_are_the_same(pool, tmp_path) -> None:
    ca = str(make_certificate(tmp_path).certificate)
    one = {"redfish_address": "https://10.0.0.1", "redfish_verify_ca": ca}
    same = connect(pool, {**one, "redfish_system_id": "/redfish/v1/Systems/1"})
    assert connect(pool, {**one, "redfish_system_id": "/redfish/v1/Systems/2"}) is same
    assert connect(pool, {**one, "redfish_username": "u"}) is not same
    assert connect(pool, {**one, "redfish_address": "https://10.0.0.2"}) is not same


async def test_a_connection_nobody_uses_is_closed_and_its_session_ended(lab) -> None:
    now = 0.0
    pool = BmcPool(RedfishSettings(), now=lambda: now)
    await connect(pool, lab.driver_info()).get("/redfish/v1/Systems")
    now = IDLE_S - 1
    assert await pool.close_idle() == 0
    now = IDLE_S + 1
    assert await pool.close_idle() == 1
    assert lab.bmc.requests.count("DELETE", f"{SESSIONS}/*") == 1
    await connect(pool, lab.driver_info()).get("/redfish/v1/Systems")
    assert lab.bmc.requests.count("POST", SESSIONS) == 2
    await pool.close()
