"""What the engine costs: operations per second and CPU per operation, against bare writes of as many rows.

A toy operation has five steps; the third waits once, for a tenth of a second. Baseline, per operation: one
transaction that inserts a row and five that update it, by the same doors of the same database. CPU counts
every thread of this process (SQLite included, the PostgreSQL server not).
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvloop

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from bessemer.domain.node import Node
from bessemer.domain.operation import NewOperation
from bessemer.engine.engine import Engine, EngineSettings
from bessemer.engine.workflow import Context, Done, OnInterrupt, Step, Wait, Workflow
from bessemer.kernel.clock import SystemClock
from bessemer.kernel.ident import new_uuid
from bessemer.kernel.seal import Keyring, new_key
from bessemer.store.database import Database
from bessemer.store.node import create_node
from bessemer.store.operation import change_operation, enqueue
from bessemer.store.vault import Vault
from fixture_database import start_postgresql

OPERATIONS = 300
AT_ONCE = 100
WAIT_S = 0.1


@dataclass(frozen=True)
class Figure:
    """Of one operation or one baseline."""

    per_second: float
    cpu_ms: float


async def nothing(_: Context[Any]) -> None:
    return None


async def wait_once(context: Context[Any]) -> Done | Wait:
    if context.data.get("has_waited"):
        return Done()
    context.data["has_waited"] = True
    return Wait("agent", timeout_s=60, poll_s=WAIT_S)


def _step(name: str, **more: Any) -> Step[Any]:
    return Step(name, nothing, OnInterrupt.IDEMPOTENT, **more)


TOY = Workflow("toy", (_step("1"), _step("2"), _step("3", until=wait_once), _step("4"), _step("5")))


async def measured(work: Callable[[], Awaitable[None]]) -> Figure:
    began, cpu = time.perf_counter(), time.process_time()
    await work()
    seconds, spent = time.perf_counter() - began, time.process_time() - cpu
    return Figure(OPERATIONS / seconds, spent / OPERATIONS * 1000)


async def bare_writes(database: Database, nodes: list[str]) -> None:
    """The baseline: nothing but the rows, one after the other."""
    for node in nodes:
        async with database.write() as tx:
            operation = await enqueue(
                tx, NewOperation(node_uuid=node, kind="bare", is_exclusive=False), TOY.plan()
            )
        for position in range(5):
            async with database.write() as tx:
                await change_operation(tx, operation.uuid, 0, position=position, data={"n": position})


async def operations(database: Database, engine: Engine, nodes: list[str]) -> None:
    """One operation on each node, ``AT_ONCE`` of them under way."""
    turn = asyncio.Semaphore(AT_ONCE)

    async def one(node: str) -> None:
        async with turn:
            async with database.write() as tx:
                asked = await engine.enqueue(tx, NewOperation(node_uuid=node, kind="toy"))
            await engine.wait_finished(asked.uuid, 60)

    await asyncio.gather(*(one(node) for node in nodes))


async def measure(url: str) -> None:
    database = await Database.open(url, vault=Vault(Keyring([new_key()])))
    nodes = [new_uuid() for _ in range(OPERATIONS)]
    async with database.write() as tx:
        for uuid in nodes:
            await create_node(tx, Node(uuid=uuid, driver="fake-hardware", created_at=tx.now()))
    await bare_writes(database, nodes[:20])  # so that every statement is compiled
    baseline = await measured(lambda: bare_writes(database, nodes))
    engine = Engine(database, [TOY], None, EngineSettings(hostname="bench"), SystemClock())
    running = asyncio.create_task(engine.run())
    await operations(database, engine, nodes[:20])
    figure = await measured(lambda: operations(database, engine, nodes))
    running.cancel()
    await asyncio.wait((running,))
    await database.close()
    report(url.partition(":")[0], baseline, figure)


def report(family: str, baseline: Figure, operation: Figure) -> None:
    sys.stdout.write(f"{family}\n")
    sys.stdout.write(f"{'':38}{'per second':>12}{'CPU ms':>9}{'of baseline':>13}\n")
    rows = (("bare INSERT and 5 UPDATEs", baseline), (f"operations, {AT_ONCE} at once", operation))
    for title, figure in rows:
        ratio = figure.cpu_ms / baseline.cpu_ms
        sys.stdout.write(f"  {title:36}{figure.per_second:12.0f}{figure.cpu_ms:9.2f}{ratio:12.1f}x\n")


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        uvloop.run(measure(f"sqlite:///{directory}/bench.sqlite"))
    with start_postgresql() as server:
        asyncio.run(server.command("CREATE DATABASE bench"))
        uvloop.run(measure(server.url("bench")))


if __name__ == "__main__":
    main()
