"""Lists hold what is the caller's: cut in the database, so that pages are full and nothing is left out."""

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import pytest_asyncio

from bessemer.store.database import Database
from fakes.clock import FakeClock
from fakes.persona import LESSEE, OTHER, OWNER
from fakes.policy_world import STEP, STRANGER, PolicyWorld, policy_world

COUNT = 24
PLAIN = {"driver": "fake-hardware"}


@pytest.fixture(params=["sqlite", "postgresql"])
def family(request: Any) -> str:
    return str(request.param)


@pytest_asyncio.fixture
async def fleet(database: Database, clock: FakeClock) -> AsyncIterator[PolicyWorld]:
    """Nodes by turns: owned, leased, somebody else's, nobody's; each with a port and a volume target."""
    async with policy_world(database, clock) as stage:
        whose: list[dict[str, str]] = [
            {"owner": OWNER},
            {"owner": STRANGER, "lessee": LESSEE},
            {"owner": STRANGER},
            {},
        ]
        for number in range(COUNT):
            node = await stage.made("/v1/nodes", name=f"n{number}", **PLAIN, **whose[number % 4])
            await stage.made("/v1/ports", node_uuid=node, address=f"52:54:00:00:00:{number:02x}")
            volume = {"volume_type": "iscsi", "volume_id": f"v{number}", "boot_index": 0}
            await stage.made("/v1/volume/targets", node_uuid=node, **volume)
            await stage.made(
                "/v1/allocations", resource_class="x", owner=(OWNER, OTHER, STRANGER)[number % 3]
            )
        await stage.made("/v1/runbooks", name="owned", steps=[STEP], owner=OWNER)
        await stage.made("/v1/runbooks", name="public", steps=[STEP], public=True)
        await stage.made("/v1/runbooks", name="hidden", steps=[STEP], owner=STRANGER)
        yield stage


async def walk(stage: PolicyWorld, persona: str, path: str, noun: str) -> list[list[dict[str, Any]]]:
    """Every page."""
    pages = []
    while path:
        reply = await stage.as_(persona).get(path)
        assert reply.status == 200, reply.body
        pages.append(reply.json[noun])
        parts = urlsplit(reply.json.get("next", ""))
        path = f"{parts.path}?{parts.query}" if parts.path else ""
    return pages


@pytest.mark.parametrize(
    ("persona", "expected"),
    [
        ("owner_reader", COUNT // 4),
        ("lessee_reader", COUNT // 4),
        ("other_reader", 0),
        ("system_reader", COUNT),
    ],
)
@pytest.mark.parametrize(
    ("path", "noun"), [("/v1/nodes", "nodes"), ("/v1/ports", "ports"), ("/v1/volume/targets", "targets")]
)
async def test_pages_are_full_and_hold_what_is_the_callers(
    fleet: PolicyWorld, persona: str, expected: int, path: str, noun: str
) -> None:
    pages = await walk(fleet, persona, f"{path}?limit=4", noun)
    assert [len(page) for page in pages if page] == [4] * (expected // 4) + [expected % 4] * bool(
        expected % 4
    )
    names = [item["uuid"] for page in pages for item in page]
    assert len(names) == len(set(names)) == expected


async def test_a_project_lists_the_nodes_it_owns_or_leases(fleet: PolicyWorld) -> None:
    for persona, first in (("owner_member", 0), ("lessee_member", 1)):
        pages = await walk(fleet, persona, "/v1/nodes?limit=5&fields=name", "nodes")
        assert [node["name"] for page in pages for node in page] == [f"n{n}" for n in range(first, COUNT, 4)]


async def test_another_projects_lists_are_forbidden_and_filters_only_narrow(fleet: PolicyWorld) -> None:
    client = fleet.as_("owner_admin")
    for path in (
        "/v1/nodes?owner",
        "/v1/nodes?project",
        "/v1/volume/targets?project",
        "/v1/allocations?owner",
    ):
        assert (await client.get(f"{path}={STRANGER}")).status == 403
        assert (await client.get(f"{path}={OWNER}")).status == 200
        assert (await fleet.as_("system_reader").get(f"{path}={STRANGER}")).status == 200
    assert (await client.get(f"/v1/nodes?lessee={LESSEE}")).json["nodes"] == []
    assert (await client.get("/v1/ports?node=n1")).status == 404
    assert len((await client.get("/v1/ports?node=n0")).json["ports"]) == 1


async def test_allocations_are_listed_by_owner(fleet: PolicyWorld) -> None:
    for persona, expected in (
        ("owner_reader", 8),
        ("other_reader", 8),
        ("lessee_reader", 0),
        ("system_reader", 24),
    ):
        pages = await walk(fleet, persona, "/v1/allocations?limit=3", "allocations")
        assert sum(len(page) for page in pages) == expected


async def test_runbooks_are_listed_by_owner_or_when_public(fleet: PolicyWorld) -> None:
    for persona, expected in (
        ("owner_reader", ["owned", "public"]),
        ("other_reader", ["public"]),
        ("system_reader", ["owned", "public", "hidden"]),
    ):
        found = (await fleet.as_(persona).get("/v1/runbooks")).json["runbooks"]
        assert [runbook["name"] for runbook in found] == expected


async def test_what_is_below_a_node_is_listed_with_the_right_to_see_it(fleet: PolicyWorld) -> None:
    for persona, node, expected in (
        ("owner_reader", "n0", 200),
        ("lessee_reader", "n1", 200),
        ("owner_reader", "n1", 404),
    ):
        for path in ("ports", "ports/detail", "volume/targets", "portgroups"):
            reply = await fleet.as_(persona).get(f"/v1/nodes/{node}/{path}")
            assert reply.status == expected
            if path == "ports" and expected == 200:
                assert len(reply.json["ports"]) == 1


@pytest.mark.parametrize(
    ("path", "noun"),
    [
        ("/v1/nodes", "nodes"),
        ("/v1/ports", "ports"),
        ("/v1/volume/targets", "targets"),
        ("/v1/allocations", "allocations"),
        ("/v1/runbooks", "runbooks"),
    ],
)
async def test_what_is_hidden_serves_as_no_marker_either(fleet: PolicyWorld, path: str, noun: str) -> None:
    """Else pages would tell where it lies among what is seen."""
    client = fleet.as_("owner_reader")
    own = {item["uuid"] for item in (await client.get(path)).json[noun]}
    everything = {item["uuid"] for item in (await fleet.as_("system_reader").get(path)).json[noun]}
    for hidden in everything - own:
        assert (await client.get(f"{path}?marker={hidden}")).status == 404
    for seen in own:
        assert (await client.get(f"{path}?marker={seen}")).status == 200
