"""Virtual media: put into a node's drives, seen there, taken out."""

from typing import Any

import pytest

from fakes.api_world import World

URL = "http://images.test/rescue.iso"


async def add_node(world: World, **values: Any) -> str:
    node = await world.add_node(name="n1", **values)
    return f"/v1/nodes/{node['uuid']}/vmedia"


async def inserted(world: World) -> dict[str, str]:
    """The images in the drives of the node."""
    drives = (await world.client.get("/v1/nodes/n1/vmedia")).json
    return {drive["media_types"][0]: drive["image"] for drive in drives if drive["inserted"]}


async def test_an_image_is_put_in_replaced_and_taken_out(world: World) -> None:
    path = await add_node(world)
    assert await inserted(world) == {}
    for image in ("http://images.test/other.iso", URL):
        body = {"device_type": "cdrom", "image_url": image, "image_download_source": "http"}
        assert (await world.client.post(path, body)).status == 204
    await world.client.post("/v1/nodes/n1/vmedia", {"device_type": "floppy", "image_url": "nfs://h/f.img"})
    assert await inserted(world) == {"cdrom": URL, "floppy": "nfs://h/f.img"}
    for _ in range(2):
        assert (await world.client.delete(f"{path}?device_types=cdrom,disk")).status == 204
    assert await inserted(world) == {"floppy": "nfs://h/f.img"}
    assert (await world.client.delete(path)).status == 204
    assert await inserted(world) == {}


@pytest.mark.parametrize(
    "wrong",
    [
        {"device_type": "tape"}, {"device_type": None}, {"image_url": "file:///etc/passwd"},
        {"image_url": "x"}, {"image_url": "http://["}, {"image_url": ""}, {"image_url": "https://"},
        {"zork": 1}, {"image_download_source": "local"}, {"image_download_source": "zork"},
    ],
)  # fmt: skip
async def test_a_medium_that_cannot_be_right_is_refused(world: World, wrong: dict[str, Any]) -> None:
    path = await add_node(world)
    reply = await world.client.post(path, {"device_type": "cdrom", "image_url": URL, **wrong})
    assert reply.status == 400, reply.body
    assert (await world.client.delete(f"{path}?device_types=tape")).status == 400
    assert await inserted(world) == {}


async def test_the_login_in_an_address_is_not_shown(world: World) -> None:
    path = await add_node(world)
    address = "https://user:hush-hush@images.test/a.iso"
    assert (await world.client.post(path, {"device_type": "cdrom", "image_url": address})).status == 204
    reply = await world.client.get(path)
    assert "hush" not in reply.body.decode()
    assert (await inserted(world))["cdrom"] == "https://images.test/a.iso"


async def test_media_stay_while_an_operation_is_at_work(world: World) -> None:
    path = await add_node(world)
    await world.put_node((await world.client.get("/v1/nodes/n1")).json["uuid"], reservation="conductor-9")
    assert (await world.client.post(path, {"device_type": "cdrom", "image_url": URL})).status == 409
    assert (await world.client.delete(path)).status == 409
    assert (await world.client.get(path)).status == 200


async def test_a_machine_without_virtual_media_says_so(world: World) -> None:
    path = await add_node(world, management_interface="noop")
    for method in ("GET", "POST", "DELETE"):
        body = {"device_type": "cdrom", "image_url": URL} if method == "POST" else None
        assert (await world.client.call(method, path, body)).status == 400
        missing = path.replace(path.split("/")[3], "none")
        assert (await world.client.call(method, missing, body)).status == 404
