"""The queue: weights are kept to, limits are never exceeded, and nobody is left waiting for ever."""

import asyncio
import random
from collections import Counter

import pytest

from bessemer.domain.limit import Limit, Priority
from bessemer.domain.operation import NewOperation, Operation, OperationState
from bessemer.engine.gateway import Gateway
from bessemer.engine.workflow import Context, OnInterrupt, Step, Workflow
from bessemer.store.admission import find_slots
from bessemer.store.claim import claim_operations
from bessemer.store.conductor import register_conductor
from bessemer.store.database import Database
from bessemer.store.operation import change_operation
from bessemer.store.queue import find_place
from fakes.store import add_nodes


async def nothing(_: Context[object]) -> None:
    return None


def workflow(kind: str, pool: str = "") -> Workflow[object]:
    return Workflow(kind, (Step("a", nothing, OnInterrupt.IDEMPOTENT),), pool=pool)


KINDS = [("deploy", 1), ("clean", 1), ("power", 1)]


class Site:
    """Asks for operations on nodes of their own, claims them, and ends them."""

    def __init__(self, database: Database, limits: dict[str, Limit], **weights: float) -> None:
        self.database = database
        self.limits = limits
        pools = [workflow(kind, kind if kind in limits else "") for kind, _ in KINDS]
        self.gateway = Gateway(pools, weights=weights)
        self.active: list[Operation] = []
        self.claims = 0
        self.nodes: list[str] = []

    async def ask(
        self, project: str, kind: str = "deploy", count: int = 1, **more: object
    ) -> list[Operation]:
        while len(self.nodes) < count:
            self.nodes += [node.uuid for node in await add_nodes(self.database, *({} for _ in range(100)))]
        async with self.database.write() as tx:
            return [
                await self.gateway.enqueue(
                    tx, NewOperation(node_uuid=self.nodes.pop(), kind=kind, project=project, **more)
                )
                for _ in range(count)
            ]

    async def claim(self, limit: int, group: str = "", owner: str = "me") -> list[Operation]:
        self.claims += 1
        async with self.database.write() as tx:
            slots = await find_slots(tx, group, self.limits, limit)
            claimed = await claim_operations(
                tx,
                owner=owner,
                group=group,
                kinds=KINDS,
                limit=limit,
                slots=dict.fromkeys(self.limits, 0) if slots is None else slots,
                lead=self.claims,
            )
        self.active += claimed
        return claimed

    async def end(self, *operations: Operation) -> None:
        async with self.database.write() as tx:
            for one in operations:
                changes = {"state": OperationState.SUCCEEDED, "owner": None, "finished_at": tx.now()}
                await change_operation(tx, one.uuid, one.fence, **changes)
                self.active.remove(one)

    async def place(self, operation: Operation) -> int:
        async with self.database.read() as tx:
            place = await find_place(tx, operation)
        assert place is not None
        return place.position


async def test_projects_are_served_in_proportion_to_their_weights(database: Database) -> None:
    site = Site(database, {}, big=3.0)
    await site.ask("small", count=80)
    await site.ask("big", count=80)
    served: Counter[str] = Counter()
    for _ in range(10):
        claimed = await site.claim(8)
        served.update(one.project for one in claimed)
        await site.end(*claimed)
    assert served.total() == 80
    assert served["big"] == pytest.approx(60, abs=2)


async def test_who_comes_later_does_not_wait_for_all_that_was_asked_for_before(database: Database) -> None:
    site = Site(database, {})
    await site.ask("early", count=150)
    await site.end(*await site.claim(40))
    [late] = await site.ask("late")
    assert await site.place(late) <= 2
    assert late.uuid in {one.uuid for one in await site.claim(2)}


async def test_who_kept_the_queue_busy_alone_is_not_punished_for_it(database: Database) -> None:
    site = Site(database, {})
    await site.ask("early", count=90)
    await site.end(*await site.claim(50))
    await site.ask("late", count=40)
    served = Counter(one.project for one in await site.claim(40))
    assert served["early"] == pytest.approx(20, abs=2)


async def test_a_higher_priority_is_served_more_often_and_a_lower_one_never_not_at_all(
    database: Database,
) -> None:
    site = Site(database, {})
    await site.ask("p", count=60, priority=Priority.LOW)
    await site.ask("p", count=120, priority=Priority.HIGH)
    served = Counter(one.priority for one in await site.claim(50))
    assert served[Priority.LOW] in range(2, 6)


@pytest.mark.parametrize("seed", range(3))
async def test_whatever_others_ask_for_each_operation_is_claimed_in_the_end(
    database: Database, seed: int
) -> None:
    """A flood of newcomers of every weight and priority, and few slots."""
    dice = random.Random(seed)
    site = Site(database, {"deploy": Limit(everywhere=3)}, heavy=100.0, light=0.1)
    waiting = {one.uuid for one in await site.ask("light", count=4, priority=Priority.LOW)}
    waiting |= {one.uuid for one in await site.ask("light", kind="power", count=4, priority=Priority.LOW)}
    for number in range(3000):
        if not waiting:
            break
        for kind in ("deploy", "power"):
            project = dice.choice(["heavy", f"new {number}"])
            await site.ask(project, kind=kind, priority=dice.choice(list(Priority)))
        waiting -= {one.uuid for one in await site.claim(dice.choice([1, 2, 4]))}
        if site.active:
            await site.end(*dice.sample(site.active, dice.randint(1, len(site.active))))
    assert not waiting


async def test_limits_are_kept_to_by_conductors_that_claim_at_the_same_time(database: Database) -> None:
    site = Site(database, {"deploy": Limit(everywhere=7), "clean": Limit(everywhere=50, in_group=2)})
    conductors = [f"conductor {number}" for number in range(4)]
    async with database.write() as tx:
        for name in conductors:
            await register_conductor(tx, name, name, "", ())
    await site.ask("p", count=60)
    await site.ask("p", kind="clean", count=20)
    await site.ask("p", kind="power", count=20)
    for _ in range(12):
        await asyncio.gather(*(site.claim(50, owner=name) for name in conductors))
        under_way = Counter(one.kind for one in site.active)
        assert under_way["deploy"] <= 7
        assert under_way["clean"] <= 2
        await site.end(*random.Random(1).sample(site.active, min(3, len(site.active))))
    assert under_way["power"] > 0


async def test_a_limit_is_used_to_the_full(database: Database) -> None:
    site = Site(database, {"deploy": Limit(everywhere=7)})
    await site.ask("p", count=20)
    assert len(await site.claim(50)) == 7
    await site.end(*site.active[:3])
    assert len(await site.claim(50)) == 3


async def test_conductor_groups_share_a_limit_whoever_is_quicker(database: Database) -> None:
    site = Site(database, {"deploy": Limit(everywhere=10)})
    async with database.write() as tx:
        for group in ("quick", "slow"):
            await register_conductor(tx, group, group, group, ())
    await _ask_in(site, "quick", 60)
    assert len(await site.claim(50, "quick", "quick")) == 10
    await _ask_in(site, "slow", 3)
    for _ in range(3):
        await site.end(site.active[0])
        assert await site.claim(50, "quick", "quick") == []
    assert len(await site.claim(50, "slow", "slow")) == 3


async def test_what_waits_for_a_group_without_a_conductor_holds_nobody_up(database: Database) -> None:
    site = Site(database, {"deploy": Limit(everywhere=4)})
    await _ask_in(site, "deserted", 10)
    await _ask_in(site, "", 10)
    assert len(await site.claim(50)) == 4


async def _ask_in(site: Site, group: str, count: int) -> None:
    nodes = await add_nodes(site.database, *({"conductor_group": group} for _ in range(count)))
    site.nodes += [node.uuid for node in nodes]
    await site.ask("p", count=count, conductor_group=group)
