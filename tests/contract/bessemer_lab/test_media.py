"""Virtual media through the BMC, on a simulated machine."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from bessemer_lab.simulated import SimulatedVm
from fakes.bmc_client import Answer, Client

CD = "/redfish/v1/Managers/BMC/VirtualMedia/Cd"
CONTENT = b"an image" * 1000


@pytest.fixture
async def images() -> AsyncIterator[str]:
    """A server of images, some of them bad; its URL."""
    released = asyncio.Event()

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        match request.path:
            case "/good.iso":
                return web.Response(body=CONTENT)
            case "/empty.iso":
                return web.Response()
            case "/moved.iso":
                return web.Response(status=302, headers={"Location": "/good.iso"})
            case "/secret.iso" if request.headers.get("Authorization") == "Basic dTpw":
                return web.Response(body=CONTENT)
            case "/slow.iso":
                await released.wait()
        return web.Response(status=404)

    runner = web.ServerRunner(web.Server(answer), handle_signals=False)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    released.set()
    await runner.cleanup()


async def insert(client: Client, url: str, **parameters: object) -> Answer:
    return await client.ask("POST", f"{CD}/Actions/VirtualMedia.InsertMedia", {"Image": url, **parameters})


async def eject(client: Client) -> Answer:
    return await client.ask("POST", f"{CD}/Actions/VirtualMedia.EjectMedia", {})


def list_images(client: Client) -> list[Path]:
    return sorted(client.machine.board.media_directory.iterdir())


async def test_the_drive_is_empty_at_first(client: Client) -> None:
    drive = await client.get(CD)
    assert (drive["Inserted"], drive["Image"], drive["ConnectedVia"]) == (False, None, "NotConnected")


async def test_an_image_is_fetched_inserted_and_ejected(client: Client, images: str) -> None:
    url = f"{images}/good.iso"
    assert (await insert(client, url)).status == 204
    drive = await client.get(CD)
    assert (drive["Inserted"], drive["Image"], drive["ImageName"]) == (True, url, "good.iso")
    assert drive["ConnectedVia"] == "URI"
    (copy,) = list_images(client)
    assert copy.read_bytes() == CONTENT
    assert (await eject(client)).status == 204
    assert (await client.get(CD))["Inserted"] is False
    assert list_images(client) == []


async def test_an_image_inserted_while_off_is_there_at_power_on(
    client: Client, vm: SimulatedVm, images: str
) -> None:
    await insert(client, f"{images}/good.iso")
    await client.machine.power_on()
    assert vm.setups[0].medium == list_images(client)[0]


async def test_an_image_is_inserted_and_ejected_while_running(
    client: Client, vm: SimulatedVm, images: str
) -> None:
    await client.machine.power_on()
    await insert(client, f"{images}/good.iso")
    assert vm.medium == list_images(client)[0]
    await eject(client)
    assert vm.medium is None


async def test_a_drive_that_is_taken_refuses_another_image(client: Client, images: str) -> None:
    await insert(client, f"{images}/good.iso")
    answer = await insert(client, f"{images}/missing.iso")  # not even asked for
    assert (answer.status, answer.message_id) == (409, "ResourceInUse")
    assert (await client.get(CD))["Image"] == f"{images}/good.iso"


async def test_ejecting_an_empty_drive_changes_nothing(client: Client) -> None:
    assert (await eject(client)).status == 204


async def test_the_guest_can_eject(client: Client, vm: SimulatedVm, images: str) -> None:
    await insert(client, f"{images}/good.iso")
    await client.machine.power_on()
    vm.eject()
    await client.machine.power_on()  # after this the ejection has been followed
    assert (await client.get(CD))["Inserted"] is False
    assert vm.medium is None


async def test_the_address_guests_see_the_host_at_works_for_the_bmc_too(client: Client, images: str) -> None:
    url = images.replace("127.0.0.1", client.machine.guest_gateway) + "/good.iso"
    assert (await insert(client, url)).status == 204
    assert (await client.get(CD))["Image"] == url


async def test_credentials_are_passed_to_the_image_server_and_kept_to_it(client: Client, images: str) -> None:
    answer = await insert(client, f"{images}/secret.iso", UserName="u", Password="p")
    assert answer.status == 204
    assert "Password" not in await client.get(CD)


@pytest.mark.parametrize("name", ["missing.iso", "moved.iso", "empty.iso", "secret.iso"])
async def test_an_image_that_cannot_be_had_is_not_inserted(client: Client, images: str, name: str) -> None:
    answer = await insert(client, f"{images}/{name}")
    assert (answer.status, answer.message_id) == (400, "CouldNotEstablishConnection")
    assert f"{images}/{name}" in answer.body["error"]["message"]
    assert (await client.get(CD))["Inserted"] is False
    assert list_images(client) == []


async def test_a_redirect_is_not_followed_and_said_to_be_one(client: Client, images: str) -> None:
    answer = await insert(client, f"{images}/moved.iso")
    assert "redirect" in answer.body["error"]["message"]


async def test_a_server_that_is_not_there_is_an_error(client: Client) -> None:
    answer = await insert(client, "http://127.0.0.1:1/good.iso")
    assert (answer.status, answer.message_id) == (400, "CouldNotEstablishConnection")


async def test_a_server_that_does_not_answer_is_given_up(tmp_path: Path, images: str) -> None:
    from bessemer_lab.bmc.download import download_image
    from bessemer_lab.bmc.message import RedfishError

    with pytest.raises(RedfishError, match=r"had not come after 0\.1 s"):
        await download_image(f"{images}/slow.iso", tmp_path / "slow.iso", deadline_s=0.1)
    assert list(tmp_path.iterdir()) == []  # noqa: ASYNC240


@pytest.mark.parametrize(
    ("url", "parameters", "message"),
    [
        ("ftp://127.0.0.1/x.iso", {}, "SourceDoesNotSupportProtocol"),
        ("file:///etc/passwd", {}, "SourceDoesNotSupportProtocol"),
        ("http://", {}, "ActionParameterValueFormatError"),
        ("http://127.0.0.1:1/x.iso", {"WriteProtected": False}, "ActionParameterValueFormatError"),
        ("http://127.0.0.1:1/x.iso", {"Inserted": False}, "ActionParameterValueFormatError"),
        ("http://127.0.0.1:1/x.iso", {"TransferMethod": "Pigeon"}, "ActionParameterValueFormatError"),
        ("http://127.0.0.1:1/x.iso", {"UserName": 1}, "ActionParameterValueTypeError"),
        ("http://127.0.0.1:1/x.iso", {"Speed": 2}, "ActionParameterUnknown"),
        (None, {}, "ActionParameterMissing"),
    ],
)
async def test_a_request_that_cannot_be_understood_is_refused(
    client: Client, url: str, parameters: dict[str, object], message: str
) -> None:
    answer = await insert(client, url, **parameters)
    assert (answer.status, answer.message_id) == (400, message)
