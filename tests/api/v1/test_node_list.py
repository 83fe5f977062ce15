"""Lists of nodes: filters, pages, order, what items show."""

from urllib.parse import parse_qs, urlsplit

import pytest

from bessemer.domain.provision import ProvisionState
from fakes.api_client import ApiClient
from fakes.api_world import HOST, World

DEFAULT = {"uuid", "name", "instance_uuid", "power_state", "provision_state", "maintenance", "links"}
INSTANCE = "6ba7b810-9dad-41d1-80b4-00c04fd430c8"


async def names(client: ApiClient, query: str) -> list[str]:
    reply = await client.get(f"/v1/nodes?{query}")
    assert reply.status == 200, reply.body
    return [node["name"] for node in reply.json["nodes"]]


async def test_a_list_shows_a_few_fields_and_detail_all_of_them(world: World) -> None:
    await world.add_node(name="n1")
    assert (await world.client.get("/v1/nodes")).json["nodes"][0].keys() == DEFAULT
    for path in ("/v1/nodes?detail=true", "/v1/nodes/detail"):
        item = (await world.client.get(path)).json["nodes"][0]
        assert item.keys() > DEFAULT
        assert (item["conductor"], item["traits"], item["driver_info"]) == (HOST, [], {})
    assert (await world.client.get("/v1/nodes?fields=name")).json["nodes"][0].keys() == {"name", "links"}


async def test_a_page_says_where_the_next_one_is_and_keeps_the_question(world: World) -> None:
    for number in range(5):
        await world.add_node(name=f"n{number}", owner="me" if number != 2 else "you")
    path = "/v1/nodes?limit=2&owner=me&fields=name,uuid&sort_key=name&sort_dir=desc"
    seen = []
    while path:
        document = (await world.client.get(path)).json
        seen += [node["name"] for node in document["nodes"]]
        path = document.get("next", "")
        if path:
            assert path.startswith("http://api.test/v1/nodes?")
            asked = parse_qs(urlsplit(path).query)
            assert (asked["owner"], asked["limit"]) == (["me"], ["2"])
    assert seen == ["n4", "n3", "n1", "n0"]


async def test_a_page_that_is_not_full_is_the_last(world: World) -> None:
    await world.add_node(name="n1")
    assert "next" not in (await world.client.get("/v1/nodes?limit=2")).json
    assert "next" in (await world.client.get("/v1/nodes?limit=1")).json


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("limit=0", 400), ("limit=-1", 400), ("limit=x", 400), ("limit=999999", 200),
        ("marker=nope", 400), (f"marker={INSTANCE}", 404),
        ("sort_key=driver_info", 400), ("sort_key=traits", 400), ("sort_key=zork", 400),
        ("sort_key=links", 400), ("sort_key=conductor", 400), ("sort_key=id", 200), ("sort_dir=up", 400),
        ("fields=zork", 400), ("fields=name&detail=true", 400), ("zork=1", 400),
        ("provision_state=zork", 400), ("fault=zork", 400), ("parent_node=none", 200), ("sort_key=", 200),
        ("chassis_uuid=1be26c0b-03f2-4d2e-ae87-c02d7f33c123", 404),
        ("maintenance=perhaps", 400), ("instance_uuid=x", 400),
    ],
)  # fmt: skip
async def test_questions_that_make_no_sense_are_refused(client: ApiClient, query: str, status: int) -> None:
    assert (await client.get(f"/v1/nodes?{query}")).status == status


async def test_every_filter_chooses(world: World) -> None:
    chassis = (await world.client.post("/v1/chassis", {})).json["uuid"]
    chosen = await world.add_node(
        name="chosen", instance_uuid=INSTANCE, maintenance=True, retired=True, owner="own", lessee="les",
        resource_class="gold", shard="S1", description="in Rack 7", chassis_uuid=chassis, instance_name="web",
    )  # fmt: skip
    await world.put_node(chosen["uuid"], provision_state=ProvisionState.CLEAN_FAILED, fault="clean failure")
    await world.add_node(name="other", driver="redfish", boot_interface="redfish-virtual-media")
    for query in (
        f"instance_uuid={INSTANCE}", "associated=true", "maintenance=1", "retired=yes", "owner=own",
        "lessee=les", "project=own", "project=les", "resource_class=gold", "shard=S1,S2", "sharded=true",
        "description_contains=rack", f"chassis_uuid={chassis}", "instance_name=web",
        "provision_state=clean%20failed", "fault=clean%20failure", "driver=fake-hardware",
    ):  # fmt: skip
        assert await names(world.client, query) == ["chosen"], query
    for query in ("associated=false", "maintenance=f", "retired=0", "sharded=no", "driver=redfish"):
        assert await names(world.client, query) == ["other"], query
    for query in ("conductor_group=", f"conductor={HOST}"):
        assert await names(world.client, query) == ["chosen", "other"]
    assert await names(world.client, "conductor=nobody") == []


async def test_children_are_hidden_unless_asked_for(world: World) -> None:
    parent = await world.add_node(name="parent")
    child = await world.add_node(name="child", parent_node="parent")
    assert child["parent_node"] == parent["uuid"]
    assert await names(world.client, "") == ["parent"]
    assert await names(world.client, "include_children=true") == ["parent", "child"]
    assert await names(world.client, "parent_node=parent") == ["child"]


async def test_traits_are_shown_with_each_node(world: World) -> None:
    first, second = await world.add_node(name="a"), await world.add_node(name="b")
    await world.client.put(f"/v1/nodes/{second['uuid']}/traits", {"traits": ["CUSTOM_X"]})
    found = (await world.client.get("/v1/nodes?fields=uuid,traits")).json["nodes"]
    assert {item["uuid"]: item["traits"] for item in found} == {
        first["uuid"]: [],
        second["uuid"]: ["CUSTOM_X"],
    }


async def test_nodes_of_a_chassis_are_listed_below_it(world: World) -> None:
    chassis = (await world.client.post("/v1/chassis", {})).json["uuid"]
    await world.add_node(name="in", chassis_uuid=chassis)
    await world.add_node(name="out")
    for tail in ("nodes", "nodes/detail", "nodes?fields=name"):
        found = (await world.client.get(f"/v1/chassis/{chassis}/{tail}")).json["nodes"]
        assert [node["name"] for node in found] == ["in"]
    assert (await world.client.get(f"/v1/chassis/{INSTANCE}/nodes")).status == 404
    assert (await world.client.get("/v1/chassis/x/nodes")).status == 400
