"""Requests a BMC cannot serve, and faults put into it."""

import asyncio

import aiohttp
import pytest

from fakes.bmc_client import Client


async def test_a_path_with_a_slash_at_its_end_is_the_same(client: Client) -> None:
    assert await client.get(f"{client.machine.system_path}/") == await client.get()


async def test_what_is_not_there_is_not_found(client: Client) -> None:
    answer = await client.ask("GET", "/redfish/v1/Fabrics")
    assert (answer.status, answer.message_id) == (404, "ResourceMissingAtURI")


async def test_a_method_a_resource_does_not_have_is_refused_with_those_it_has(client: Client) -> None:
    answer = await client.ask("DELETE", client.machine.system_path)
    assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD, PATCH")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"{", "MalformedJSON"),
        (b"\xff", "MalformedJSON"),
        (b"[1]", "UnrecognizedRequestBody"),
        (b"", "EmptyJSON"),
    ],
)
async def test_a_body_that_is_not_an_object_is_refused(client: Client, data: bytes, message: str) -> None:
    answer = await client.ask("PATCH", client.machine.system_path, data=data)
    assert (answer.status, answer.message_id) == (400, message)


async def test_read_only_and_unknown_properties_are_told_apart(client: Client) -> None:
    assert (await client.patch({"PowerState": "On"})).message_id == "PropertyNotWritable"
    assert (await client.patch({"Powerstate": "On"})).message_id == "PropertyUnknown"


async def test_a_query_that_is_not_supported_is_refused(client: Client) -> None:
    answer = await client.ask("GET", "/redfish/v1/Systems?$expand=.")
    assert (answer.status, answer.message_id) == (501, "QueryNotSupported")


async def test_a_change_to_an_old_version_of_a_resource_is_refused(client: Client) -> None:
    path = client.machine.system_path
    old = (await client.ask("GET", path)).headers["ETag"]
    first = await client.ask("PATCH", path, {"AssetTag": "a"}, headers={"If-Match": old})
    second = await client.ask("PATCH", path, {"AssetTag": "b"}, headers={"If-Match": old})
    assert (first.status, second.status, second.message_id) == (200, 412, "PreconditionFailed")
    assert (await client.get())["AssetTag"] == "a"


async def test_requests_can_be_made_to_fail(client: Client) -> None:
    client.machine.faults.fail_next(503, method="PATCH")
    assert (await client.ask("GET", "/redfish/v1/Systems")).status == 200
    assert (await client.patch({"AssetTag": "a"})).status == 503
    assert (await client.get())["AssetTag"] == ""
    assert (await client.patch({"AssetTag": "a"})).status == 200


async def test_connections_can_be_dropped(client: Client) -> None:
    client.machine.faults.drop_next(path="*/ComputerSystem.Reset")
    with pytest.raises(aiohttp.ClientConnectionError):
        await client.reset("On")
    assert (await client.get())["PowerState"] == "Off"


async def test_requests_can_hang_until_they_are_released(client: Client) -> None:
    client.machine.faults.hang_next()
    with pytest.raises(TimeoutError):
        await client.ask("GET", "/redfish/v1/", timeout=aiohttp.ClientTimeout(total=0.1))
    client.machine.faults.hang_next()
    asking = asyncio.create_task(client.ask("GET", "/redfish/v1/"))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.shield(asking), 0.1)
    client.machine.faults.clear()
    assert (await asking).status == 200


async def test_answers_can_be_delayed(client: Client) -> None:
    client.machine.faults.delay_s = 0.15
    await client.get("/redfish/v1/")
    assert client.machine.requests.list()[-1].duration_s >= 0.15


async def test_logins_can_be_refused(client: Client) -> None:
    client.machine.faults.refuses_logins = True
    assert (await client.ask("GET", "/redfish/v1/Systems")).status == 401
    body = {"UserName": client.machine.username, "Password": client.machine.password}
    assert (await client.ask("POST", "/redfish/v1/SessionService/Sessions", body)).status == 401


async def test_requests_are_counted(client: Client) -> None:
    await client.get()
    await client.reset("Explode")
    requests = client.machine.requests
    assert requests.count("GET", client.machine.system_path, status=200) == 1
    assert requests.count("POST", "*/ComputerSystem.Reset", status=400) == 1
    assert requests.count() == 2


async def test_a_dropped_request_is_counted_without_a_status(client: Client) -> None:
    client.machine.faults.drop_next(count=10)
    with pytest.raises(aiohttp.ClientConnectionError):
        await client.reset("On")
    assert client.machine.requests.count("POST", status=0) == 1
