"""Who may talk to a BMC."""

import aiohttp
import pytest

from bessemer_lab.lab import Lab
from bessemer_lab.machine import Machine, MachineSpec
from fakes.bmc_client import Client

SESSIONS = "/redfish/v1/SessionService/Sessions"


async def test_the_service_root_is_open_to_everybody(client: Client) -> None:
    client.authorization = {}
    root = await client.get("/redfish/v1/")
    assert root["RedfishVersion"]
    assert await client.get("/redfish") == {"v1": "/redfish/v1/"}


@pytest.mark.parametrize("path", ["/redfish/v1/Systems", "/redfish/v1/SessionService/Sessions", "/nowhere"])
async def test_everything_else_wants_credentials(client: Client, path: str) -> None:
    client.authorization = {}
    answer = await client.ask("GET", path)
    assert answer.status == 401
    assert answer.message_id == "NoValidSession"
    assert answer.headers["WWW-Authenticate"].startswith("Basic")


async def test_a_wrong_password_is_refused(client: Client) -> None:
    client.authorization = {"Authorization": aiohttp.encode_basic_auth("admin", "wrong")}
    answer = await client.ask("GET", "/redfish/v1/Systems")
    assert (answer.status, answer.message_id) == (401, "ResourceAtUriUnauthorized")


async def test_a_session_is_opened_used_and_closed(client: Client) -> None:
    machine = client.machine
    client.authorization = {}
    opened = await client.ask("POST", SESSIONS, {"UserName": machine.username, "Password": machine.password})
    assert opened.status == 201
    place = opened.headers["Location"]
    client.authorization = {"X-Auth-Token": opened.headers["X-Auth-Token"]}
    assert (await client.get(place))["UserName"] == machine.username
    assert (await client.get(SESSIONS))["Members"] == [{"@odata.id": place}]
    assert machine.password not in str(opened.body)
    assert (await client.ask("DELETE", place)).status == 204
    answer = await client.ask("GET", "/redfish/v1/Systems")
    assert (answer.status, answer.message_id) == (401, "NoValidSession")


async def test_a_session_is_not_opened_with_a_wrong_password(client: Client) -> None:
    answer = await client.ask("POST", SESSIONS, {"UserName": "admin", "Password": "wrong"})
    assert (answer.status, answer.message_id) == (401, "ResourceAtUriUnauthorized")
    answer = await client.ask("POST", SESSIONS, {"UserName": "admin"})
    assert (answer.status, answer.message_id) == (400, "PropertyMissing")


async def test_the_session_timeout_can_be_changed_within_its_limits(client: Client) -> None:
    service = "/redfish/v1/SessionService"
    assert (await client.patch({"SessionTimeout": 60}, service)).body["SessionTimeout"] == 60
    assert (await client.patch({"SessionTimeout": 1}, service)).status == 400
    assert (await client.patch({"SessionTimeout": "60"}, service)).message_id == "PropertyValueTypeError"


async def test_the_certificate_is_not_trusted_by_chance(machine: Machine) -> None:
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await session.get(f"{machine.bmc_url}/redfish/v1")


async def test_every_machine_has_a_bmc_of_its_own(lab: Lab, client: Client) -> None:
    other = await lab.add(MachineSpec(name="node-1"), simulated=True)
    assert other.bmc_url != client.machine.bmc_url
    answer = await client.ask("GET", other.system_path)
    assert (answer.status, answer.message_id) == (404, "ResourceMissingAtURI")


async def test_secrets_do_not_show_in_a_machines_repr(machine: Machine) -> None:
    assert machine.password not in repr(machine)
