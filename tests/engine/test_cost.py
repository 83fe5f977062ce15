"""What the hot paths cost, counted instead of timed: statements, transactions, and round trips to SQLite.

The bounds are what it costs today. More is no error by itself, but somebody has to want it: see ADR 0004 and
docs/guide/performance.md.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from bessemer.config.settings import Settings
from bessemer.server.process import assembled
from bessemer.store.database import Database
from bessemer.store.sqlite import Outcome, WholeConnection
from fakes.api_client import ApiClient
from fakes.engine import PATIENCE_S, Blocked, Record, enqueue, eventually, running
from fakes.store import add_nodes


class Costs(Counter[str]):
    """How often a statement that begins with a word was run."""

    @property
    def statements(self) -> int:
        return sum(count for word, count in self.items() if word not in ("BEGIN", "COMMIT", "ROLLBACK"))


@pytest.fixture
def costs(monkeypatch: pytest.MonkeyPatch) -> Costs:
    found = Costs()
    original = WholeConnection.run

    async def run(
        self: WholeConnection, sql: str, parameters: Sequence[Any], *, first: str = "", **how: bool
    ) -> Outcome:
        for text in (first, sql):
            if text:
                found[text.split(maxsplit=1)[0]] += 1
        return await original(self, sql, parameters, first=first, **how)

    monkeypatch.setattr(WholeConnection, "run", run)
    return found


@pytest_asyncio.fixture
async def client(tmp_path: Path) -> AsyncIterator[ApiClient]:
    """The whole service in one process, with fake hardware, at work, and without signs of life meanwhile."""
    settings = Settings()
    settings = replace(
        settings,
        conductor=replace(settings.conductor, heartbeat_interval=600, lease_time=2400),
        default=replace(
            settings.default, host="one", state_path=str(tmp_path), enabled_hardware_types=["fake-hardware"]
        ),
        database=replace(
            settings.database,
            connection=f"sqlite:///{tmp_path}/cost.sqlite",
            key_file=str(tmp_path / "keys"),
        ),
    )
    async with assembled(settings) as process:
        working = asyncio.create_task(process.engine.run())
        client = ApiClient(process.app)

        async def is_there() -> bool:
            return bool((await client.get("/v1/conductors")).json["conductors"])

        await eventually(is_there)
        try:
            yield client
        finally:
            working.cancel()
            await asyncio.wait((working,), timeout=PATIENCE_S)


async def add_node(client: ApiClient, name: str) -> None:
    reply = await client.post("/v1/nodes", {"driver": "fake-hardware", "name": name})
    assert reply.status == 201, reply.body


async def bring(client: ApiClient, name: str, verb: str, state: str) -> None:
    """Ask for ``verb`` and wait until the node is in ``state``."""
    reply = await client.put(f"/v1/nodes/{name}/states/provision", {"target": verb})
    assert reply.status == 202, reply.body

    async def is_there() -> bool:
        node = (await client.get(f"/v1/nodes/{name}")).json
        assert node["last_error"] is None
        return bool(node["provision_state"] == state and node["reservation"] is None)

    await eventually(is_there)


async def test_a_node_is_shown_with_few_statements_and_no_transaction(
    client: ApiClient, costs: Costs
) -> None:
    await add_node(client, "n")
    await client.get("/v1/nodes/n")
    costs.clear()
    assert (await client.get("/v1/nodes/n")).status == 200
    assert costs.statements <= 3
    assert costs["BEGIN"] == 0


async def least(costs: Costs, call: Callable[[int], Awaitable[Any]]) -> Costs:
    """What the cheapest of three calls cost: the engine gives its signs of life in between."""
    found = []
    for number in range(3):
        costs.clear()
        await call(number)
        found.append(Costs(costs))
    return min(found, key=lambda one: one.total())


async def test_a_list_costs_the_same_number_of_statements_however_long_it_is(
    client: ApiClient, costs: Costs
) -> None:
    async def get_list(_: int) -> None:
        assert (await client.get("/v1/nodes/detail")).status == 200

    found = []
    for many in (1, 20):
        for number in range(many):
            await add_node(client, f"n{many}-{number}")
        await get_list(0)
        found.append((await least(costs, get_list)).statements)
    assert found[0] == found[1] <= 3


async def test_enrolling_and_patching_take_one_transaction_each(client: ApiClient, costs: Costs) -> None:
    async def enrol(number: int) -> None:
        await add_node(client, f"n{number}")

    async def patch(number: int) -> None:
        change = [{"op": "add", "path": "/extra/seen", "value": number}]
        assert (await client.patch("/v1/nodes/first", change)).status == 200

    await add_node(client, "first")
    for call in (enrol, patch):
        found = await least(costs, call)
        assert found["BEGIN"] == found["COMMIT"] == 1


async def test_a_fake_deployment_with_deletion_and_cleaning_keeps_to_its_transactions(
    client: ApiClient, costs: Costs
) -> None:
    await add_node(client, "n")
    await bring(client, "n", "manage", "manageable")
    await bring(client, "n", "provide", "available")
    costs.clear()
    await bring(client, "n", "active", "active")
    await bring(client, "n", "deleted", "available")
    # 23 that belong to the work; a claim more now and then, and the process's signs of life.
    assert costs["COMMIT"] <= 30
    assert costs["UPDATE"] + costs["INSERT"] + costs["DELETE"] <= 80


async def test_a_busy_conductor_claims_together_what_comes_close_together(
    database: Database, costs: Costs
) -> None:
    if database.is_postgresql:
        pytest.skip("what is counted are SQLite's statements")
    record, in_hand, loop = Record(), Blocked(), asyncio.get_running_loop()
    workflows = [
        record.workflow(record.step("stay", in_hand), kind="long"),
        record.workflow(record.step("work"), kind="short"),
    ]
    first, *others = await add_nodes(database, *({} for _ in range(21)))
    async with running(database, workflows) as engine:
        await enqueue(engine, database, first.uuid, kind="long")
        await in_hand.began.wait()
        costs.clear()
        began = loop.time()
        for node in others:
            await enqueue(engine, database, node.uuid, kind="short")

        async def are_done() -> bool:
            return record.calls.count("run work") == len(others)

        await eventually(are_done)
        claims, took_s = costs["WITH"], loop.time() - began
        in_hand.go_on.set()
    assert claims <= took_s / 0.02 + 2
