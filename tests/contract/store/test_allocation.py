"""Allocations in the store, and nodes given to them; the same on SQLite and PostgreSQL."""

import asyncio
import contextlib
import random
from collections.abc import Sequence
from typing import Any

import pytest

from bessemer.domain.allocation import Allocation, AllocationState, Candidate, by_name, is_candidate
from bessemer.domain.node import Node
from bessemer.domain.provision import ProvisionState
from bessemer.kernel.error import Conflict, InvalidValue, NotFound
from bessemer.kernel.ident import new_uuid
from bessemer.store.allocation import (
    AllocationFilter,
    create_allocation,
    delete_allocation,
    find_allocation,
    find_allocation_of,
    get_allocation,
    list_allocation_rows,
    list_waiting_allocations,
    release_node,
    update_allocation,
)
from bessemer.store.allocation_claim import backfill_allocation, claim_candidate
from bessemer.store.database import Database
from bessemer.store.node import delete_node, find_node, get_node, update_node
from bessemer.store.page import Page
from bessemer.store.trait import set_traits
from fakes.resource import an_allocation
from fakes.store import add_nodes

FREE = {"provision_state": ProvisionState.AVAILABLE, "resource_class": "gold"}
DEADLINE_S = 60


async def add_free(database: Database, *many_fields: dict[str, Any]) -> list[Node]:
    return await add_nodes(database, *({**FREE, **fields} for fields in many_fields))


async def ask(database: Database, **fields: Any) -> Allocation:
    async with database.write() as tx:
        return await create_allocation(tx, an_allocation(**fields))


async def claim(database: Database, allocation: Allocation) -> Allocation:
    async with database.write() as tx:
        return await claim_candidate(tx, allocation.uuid, arrange=by_name)


async def the_node(database: Database, uuid: str) -> Node:
    async with database.read() as tx:
        return await get_node(tx, uuid)


async def test_an_allocation_is_given_a_node_and_both_know_it(database: Database) -> None:
    [node] = await add_free(database, {"instance_info": {"a": 1}})
    async with database.write() as tx:
        await set_traits(tx, node.uuid, ["CUSTOM_A", "CUSTOM_B"])
    allocation = await ask(database, traits=("CUSTOM_A",))
    settled = await claim(database, allocation)
    assert (settled.state, settled.node_uuid, settled.last_error) == (AllocationState.ACTIVE, node.uuid, None)
    claimed = await the_node(database, node.uuid)
    assert claimed.instance_uuid == claimed.allocation_uuid == allocation.uuid
    assert claimed.instance_info == {"a": 1, "traits": ["CUSTOM_A"]}
    async with database.read() as tx:
        assert await get_allocation(tx, allocation.uuid) == settled
        assert await find_allocation_of(tx, node.uuid) == settled


async def test_a_settled_allocation_stays_as_it_is(database: Database) -> None:
    await add_free(database, {}, {})
    allocation = await ask(database)
    first = await claim(database, allocation)
    assert await claim(database, allocation) == first
    hopeless = await claim(database, await ask(database, resource_class="silver"))
    await add_nodes(database, {**FREE, "resource_class": "silver"})
    assert await claim(database, hopeless) == hopeless


async def test_without_a_node_that_fits_the_allocation_says_why(database: Database) -> None:
    await add_free(database, {"maintenance": True}, {"maintenance": True, "retired": True})
    settled = await claim(database, await ask(database))
    assert settled.state is AllocationState.ERROR
    assert settled.node_uuid is None
    assert settled.last_error is not None
    assert "Of 2 nodes" in settled.last_error
    assert "none is not in maintenance" in settled.last_error


async def test_missing_traits_are_named(database: Database) -> None:
    [node] = await add_free(database, {})
    async with database.write() as tx:
        await set_traits(tx, node.uuid, ["CUSTOM_A"])
    settled = await claim(database, await ask(database, traits=("CUSTOM_A", "CUSTOM_B")))
    assert "none has the traits CUSTOM_A, CUSTOM_B" in str(settled.last_error)


async def test_the_node_of_the_same_name_is_given_first_and_the_rest_as_arranged(database: Database) -> None:
    await add_free(database, {"name": "b"}, {"name": "c"}, {"name": "a"})
    given = []
    for name in ("c", None, None):
        settled = await claim(database, await ask(database, name=name))
        assert settled.node_uuid is not None
        given.append((await the_node(database, settled.node_uuid)).name)
    assert given == ["c", "a", "b"]


async def test_claiming_for_an_absent_allocation_is_not_found(database: Database) -> None:
    with pytest.raises(NotFound):
        async with database.write() as tx:
            await claim_candidate(tx, new_uuid(), arrange=by_name)


async def test_nodes_are_chosen_exactly_as_the_rules_say(database: Database) -> None:
    rng = random.Random(5)
    names = ["CUSTOM_A", "CUSTOM_B", "CUSTOM_C"]
    fields = [
        {
            "resource_class": rng.choice(["gold", "gold", "silver"]),
            "provision_state": rng.choice([ProvisionState.AVAILABLE] * 3 + [ProvisionState.ACTIVE]),
            "instance_uuid": rng.choice([None] * 4 + [new_uuid()]),
            "maintenance": rng.random() < 0.2,
            "retired": rng.random() < 0.2,
            "owner": rng.choice(["p", "q", None]),
            "lessee": rng.choice(["p", None]),
        }
        for _ in range(60)
    ]
    nodes = await add_nodes(database, *fields)
    traits = {node.uuid: frozenset(rng.sample(names, rng.randint(0, 3))) for node in nodes}
    async with database.write() as tx:
        for uuid, has in traits.items():
            await set_traits(tx, uuid, has)
    candidates = [
        Candidate(**{name: getattr(node, name) for name in Candidate.__struct_fields__ if name != "traits"},
                  traits=traits[node.uuid])
        for node in nodes
    ]  # fmt: skip
    for number in range(12):
        wanted = an_allocation(
            owner=rng.choice(["p", None]),
            traits=tuple(rng.sample(names, rng.randint(0, 2))),
            candidate_nodes=tuple(rng.sample([node.uuid for node in nodes], 30)) if number % 3 == 0 else (),
        )
        expected = {node.uuid for node in candidates if is_candidate(wanted, node)}
        assert await looked_at(database, wanted) == expected


async def looked_at(database: Database, wanted: Allocation) -> set[str]:
    """The nodes among which a claim would choose; nothing is written."""
    seen: set[str] = set()

    def remember(found: Sequence[Candidate]) -> Sequence[Candidate]:
        seen.update(node.uuid for node in found)
        raise RuntimeError("only looking")

    async with database.write() as tx:
        await create_allocation(tx, wanted)
    with contextlib.suppress(RuntimeError):
        async with database.write() as tx:
            await claim_candidate(tx, wanted.uuid, arrange=remember)
    return seen


async def test_fifty_allocations_at_once_get_ten_different_nodes(database: Database) -> None:
    nodes = await add_free(database, *({"name": f"n{number}"} for number in range(10)))
    asked = [await ask(database) for _ in range(50)]
    async with asyncio.timeout(DEADLINE_S):
        settled = await asyncio.gather(*(claim(database, allocation) for allocation in asked))
    given = [one.node_uuid for one in settled if one.state is AllocationState.ACTIVE]
    assert sorted(given, key=str) == sorted(node.uuid for node in nodes)
    refused = [one for one in settled if one.state is AllocationState.ERROR]
    assert len(refused) == 40
    assert all(one.last_error for one in refused)
    for one in settled:
        if one.node_uuid is not None:
            assert (await the_node(database, one.node_uuid)).instance_uuid == one.uuid


async def test_one_allocation_claimed_many_times_at_once_gets_one_node(database: Database) -> None:
    await add_free(database, *({} for _ in range(5)))
    allocation = await ask(database)
    async with asyncio.timeout(DEADLINE_S):
        settled = await asyncio.gather(*(claim(database, allocation) for _ in range(8)))
    assert len({one.node_uuid for one in settled}) == 1
    async with database.read() as tx:
        rows = await list_allocation_rows(tx, ["uuid"], AllocationFilter(state="active"), Page(10))
    assert len(rows) == 1


async def test_a_node_that_somebody_holds_is_passed_over(database: Database) -> None:
    held, free = await add_free(database, {"name": "a"}, {"name": "b"})
    allocation = await ask(database)
    if not database.is_postgresql:
        pytest.skip("SQLite has one writer at a time: nobody else holds a row")
    async with database.write() as tx:
        await get_node(tx, held.uuid, lock=True)
        async with asyncio.timeout(DEADLINE_S):
            settled = await asyncio.create_task(claim(database, allocation))
    assert settled.node_uuid == free.uuid


@pytest.mark.parametrize("is_given_up", [True, False])
async def test_the_last_node_is_waited_for_while_somebody_holds_it(
    database: Database, is_given_up: bool
) -> None:
    [node] = await add_free(database, {})
    allocation = await ask(database)
    holds, goes_on = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        async with database.write() as tx:
            await get_node(tx, node.uuid, lock=True)
            holds.set()
            await goes_on.wait()
            if not is_given_up:
                await update_node(tx, node.uuid, maintenance=True)

    async with asyncio.timeout(DEADLINE_S):
        holder = asyncio.create_task(hold())
        await holds.wait()
        claiming = asyncio.create_task(claim(database, allocation))
        done, _ = await asyncio.wait([claiming], timeout=0.3)
        assert not done
        goes_on.set()
        await holder
        settled = await claiming
    assert settled.state is (AllocationState.ACTIVE if is_given_up else AllocationState.ERROR)


async def test_waiting_allocations_come_oldest_first(database: Database) -> None:
    await add_free(database, {})
    asked = [await ask(database) for _ in range(3)]
    await claim(database, asked[1])
    async with database.read() as tx:
        assert await list_waiting_allocations(tx, 10) == [asked[0], asked[2]]
        assert await list_waiting_allocations(tx, 1) == [asked[0]]


async def test_each_filter_finds_what_it_asks_for(database: Database) -> None:
    [node] = await add_free(database, {})
    given = await claim(database, await ask(database, name="given"))
    await ask(database, name="silver", resource_class="silver")
    await ask(database, name="own", owner="p")

    async def names(**filters: Any) -> list[str]:
        async with database.read() as tx:
            rows = await list_allocation_rows(tx, ["name"], AllocationFilter(**filters), Page(10))
        return [row.name for row in rows]

    assert given.node_uuid == node.uuid
    assert await names() == ["given", "silver", "own"]
    assert await names(node_uuid=node.uuid) == ["given"]
    assert await names(resource_class="silver") == ["silver"]
    assert await names(state="allocating") == ["silver", "own"]
    assert await names(owner="p") == ["own"]
    assert await names(owner="p", state="active") == []


async def test_deleting_an_allocation_frees_its_node(database: Database) -> None:
    [node] = await add_free(database, {"instance_info": {"a": 1}})
    async with database.write() as tx:
        await set_traits(tx, node.uuid, ["CUSTOM_A"])
    allocation = await claim(database, await ask(database, traits=("CUSTOM_A",)))
    async with database.write() as tx:
        freed = await delete_allocation(tx, allocation.uuid)
    assert freed == await the_node(database, node.uuid)
    assert (freed.instance_uuid, freed.allocation_uuid, freed.instance_info) == (None, None, {"a": 1})
    again = await claim(database, await ask(database))
    assert again.node_uuid == node.uuid


async def test_deleting_an_allocation_without_a_node_touches_none(database: Database) -> None:
    allocation = await ask(database)
    async with database.write() as tx:
        assert await delete_allocation(tx, allocation.uuid) is None
        assert await find_allocation(tx, allocation.uuid) is None


async def test_releasing_a_node_deletes_its_allocation_if_it_has_one(database: Database) -> None:
    [node] = await add_free(database, {"instance_info": {"traits": ["CUSTOM_A"]}})
    allocation = await claim(database, await ask(database))
    async with database.write() as tx:
        for _ in range(2):
            freed = await release_node(tx, node.uuid)
            assert (freed.instance_uuid, freed.allocation_uuid, freed.instance_info) == (None, None, {})
        assert await find_allocation(tx, allocation.uuid) is None
    with pytest.raises(NotFound):
        async with database.write() as tx:
            await release_node(tx, new_uuid())


async def test_deleting_a_node_deletes_its_allocation(database: Database) -> None:
    [node] = await add_free(database, {})
    allocation, other = await claim(database, await ask(database)), await ask(database)
    async with database.write() as tx:
        await delete_node(tx, node.uuid)
        assert await find_allocation(tx, allocation.uuid) is None
        assert await find_allocation(tx, other.uuid) == other


async def test_an_allocation_is_deleted_while_it_is_being_claimed(database: Database) -> None:
    [node] = await add_free(database, {})
    allocation = await ask(database)

    async def delete() -> None:
        async with database.write() as tx:
            await delete_allocation(tx, allocation.uuid)

    async with asyncio.timeout(DEADLINE_S):
        outcomes = await asyncio.gather(claim(database, allocation), delete(), return_exceptions=True)
    assert outcomes[1] is None
    assert isinstance(outcomes[0], Allocation | NotFound)
    assert (await the_node(database, node.uuid)).instance_uuid is None


@pytest.mark.parametrize("instance_uuid", [None, "5c01e25a-5c1f-4a54-a1a4-4b5ac4dd0a8e"])
async def test_a_deployed_node_is_given_its_allocation_afterwards(
    database: Database, instance_uuid: str | None
) -> None:
    fields = {**FREE, "provision_state": ProvisionState.ACTIVE, "instance_uuid": instance_uuid}
    [node] = await add_nodes(database, fields)
    wanted = an_allocation(name="old", resource_class=None, extra={"a": 1})
    async with database.write() as tx:
        stored = await backfill_allocation(tx, wanted, node.uuid)
    assert stored.uuid == (instance_uuid or wanted.uuid)
    assert (stored.state, stored.node_uuid) == (AllocationState.ACTIVE, node.uuid)
    assert (stored.resource_class, stored.extra) == ("gold", {"a": 1})
    assert (await the_node(database, node.uuid)).allocation_uuid == stored.uuid
    with pytest.raises(Conflict, match="already has allocation"):
        async with database.write() as tx:
            await backfill_allocation(tx, an_allocation(), node.uuid)


async def test_a_backfill_that_does_not_fit_writes_nothing(database: Database) -> None:
    [node] = await add_free(database, {})
    for uuid, error in ((node.uuid, Conflict), (new_uuid(), NotFound)):
        with pytest.raises(error):
            async with database.write() as tx:
                await backfill_allocation(tx, an_allocation(), uuid)
    async with database.read() as tx:
        assert await list_waiting_allocations(tx, 10) == []
        assert await find_allocation_of(tx, node.uuid) is None
        assert await find_node(tx, node.uuid) == node


@pytest.mark.parametrize(
    "changes",
    [{"state": AllocationState.ACTIVE}, {"state": AllocationState.ERROR}],
    ids=["active without a node", "error without a reason"],
)
async def test_a_half_settled_allocation_can_not_be_stored(
    database: Database, changes: dict[str, Any]
) -> None:
    allocation = await ask(database)
    with pytest.raises(InvalidValue):
        async with database.write() as tx:
            await update_allocation(tx, allocation.uuid, **changes)
