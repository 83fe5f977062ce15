"""What the live conductors offer, and who they are."""

from bessemer.store.conductor import list_conductors, unregister_conductor
from bessemer.store.database import Database
from fakes.api_client import ApiClient
from fakes.api_world import HOST, World, make_world
from fakes.clock import FakeClock


async def test_drivers_are_listed_with_their_hosts(client: ApiClient) -> None:
    drivers = (await client.get("/v1/drivers")).json["drivers"]
    assert [driver["name"] for driver in drivers] == ["fake-hardware", "redfish"]
    assert drivers[0].keys() == {"name", "hosts", "type", "properties", "links"}
    assert drivers[0]["hosts"] == [HOST]


async def test_details_of_a_driver_come_with_their_versions(client: ApiClient) -> None:
    driver = (await client.get("/v1/drivers/fake-hardware")).json
    assert driver["default_boot_interface"] == "fake"
    assert "no-inspect" in driver["enabled_inspect_interfaces"]
    older = (await client.at("1.30").get("/v1/drivers/fake-hardware")).json
    assert "default_boot_interface" in older
    assert "default_bios_interface" not in older
    assert "type" not in (await client.at("1.29").get("/v1/drivers/fake-hardware")).json
    detail = (await client.get("/v1/drivers?detail=true")).json["drivers"]
    assert detail[0]["default_boot_interface"] == "fake"
    assert (await client.get("/v1/drivers?fields=name")).json["drivers"][0].keys() == {"name", "links"}


async def test_questions_about_drivers_are_checked(client: ApiClient) -> None:
    assert (await client.get("/v1/drivers?type=classic")).json == {"drivers": []}
    assert len((await client.get("/v1/drivers?type=dynamic")).json["drivers"]) == 2
    for path, version, status in (
        ("/v1/drivers?type=zork", "1.115", 400),
        ("/v1/drivers?fields=name&detail=true", "1.115", 400),
        ("/v1/drivers?detail=true", "1.29", 406),
        ("/v1/drivers?fields=name", "1.76", 406),
        ("/v1/drivers/zork", "1.115", 404),
        ("/v1/drivers/zork/properties", "1.115", 404),
        ("/v1/drivers/redfish/raid/logical_disk_properties", "1.115", 404),
        ("/v1/drivers/fake-hardware/raid/logical_disk_properties", "1.11", 406),
    ):
        assert (await client.at(version).get(path)).status == status, path


async def test_a_driver_says_what_it_wants_to_know(client: ApiClient) -> None:
    assert "redfish_address" in (await client.get("/v1/drivers/redfish/properties")).json
    raid = await client.get("/v1/drivers/fake-hardware/raid/logical_disk_properties")
    assert "size_gb" in raid.json
    assert (await client.get("/v1/drivers/redfish/vendor_passthru/methods")).json == {}
    assert (await client.post("/v1/drivers/redfish/vendor_passthru?method=x", {})).status == 400


async def test_a_conductor_that_is_silent_is_shown_as_dead_and_its_drivers_go(
    database: Database, clock: FakeClock
) -> None:
    world = await make_world(database, clock, groups={"a": "", "b": "rack"})
    client = world.client
    conductors = (await client.get("/v1/conductors")).json["conductors"]
    assert [(one["hostname"], one["conductor_group"], one["alive"]) for one in conductors] == [
        ("a", "", True),
        ("b", "rack", True),
    ]
    async with database.write() as tx:
        (first, _) = await list_conductors(tx)
        await unregister_conductor(tx, "a", first.incarnation)
    clock.advance(30)
    assert (await client.get("/v1/conductors/a")).json["alive"] is False
    assert (await client.get("/v1/drivers/redfish")).json["hosts"] == ["b"]
    clock.advance(60)
    assert (await client.get("/v1/conductors/b")).json["alive"] is False
    assert (await client.get("/v1/drivers")).json == {"drivers": []}
    assert (await client.get("/v1/drivers/redfish")).status == 404


async def test_conductors_are_paged_by_host_name(database: Database, clock: FakeClock) -> None:
    world = await make_world(database, clock, groups={"a": "", "b": "", "c": ""})
    page = (await world.client.get("/v1/conductors?limit=2&detail=true")).json
    assert [one["hostname"] for one in page["conductors"]] == ["a", "b"]
    assert page["conductors"][0]["drivers"] == ["fake-hardware", "redfish"]
    rest = (await world.client.get(page["next"])).json
    assert [one["hostname"] for one in rest["conductors"]] == ["c"]
    for path, status in (
        ("/v1/conductors?sort_key=alive", 400),
        ("/v1/conductors?marker=z", 404),
        ("/v1/conductors/z", 404),
    ):
        assert (await world.client.get(path)).status == status
    assert (await world.client.at("1.48").get("/v1/conductors")).status == 404


async def test_a_node_keeps_its_conductor_among_several(
    world: World, database: Database, clock: FakeClock
) -> None:
    many = await make_world(database, clock, groups={"a": "", "b": "", "c": "rack"})
    node = await many.add_node()
    first = (await many.client.get(f"/v1/nodes/{node['uuid']}?fields=conductor")).json["conductor"]
    assert first in ("a", "b", HOST)
    again = (await many.client.get(f"/v1/nodes/{node['uuid']}")).json["conductor"]
    assert again == first
