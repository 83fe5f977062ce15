"""What users do meanwhile: list nodes, switch machines, deploy."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from bench.fleet.world import World

_LOOK_S = 0.1
_AGAIN_S = 1.0
POWER_LIMIT_S = 60.0
#: Nodes are asked to deploy by this many callers at once.
_CALLERS = 20


@asynccontextmanager
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    headers = {"X-OpenStack-Ironic-API-Version": "1.95"}
    timeout = aiohttp.ClientTimeout(total=120)
    async with aiohttp.ClientSession(headers=headers, timeout=timeout) as session:
        yield session


class Refused(RuntimeError):
    """The service does not take a call. ``status`` is that of HTTP."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


Ask = Callable[[aiohttp.ClientSession, str, str, Any], Awaitable[Any]]


async def call(session: aiohttp.ClientSession, method: str, url: str, body: Any = None) -> Any:
    """Raises Refused."""
    async with session.request(method, url, json=body) as answer:
        text = await answer.text()
        if answer.status >= 400:
            raise Refused(f"{method} {url}: {answer.status} {text[:500]}", answer.status)
        return await answer.json() if answer.content_type == "application/json" and text else None


async def insist(session: aiohttp.ClientSession, method: str, url: str, body: Any = None) -> Any:
    """Call again while a node is locked (409) or all are busy (503), as clients of Ironic do.

    Raises:
        Refused: For another reason.
    """
    while True:
        try:
            return await call(session, method, url, body)
        except Refused as error:
            if error.status not in (409, 503):
                raise
        await asyncio.sleep(_AGAIN_S)


async def for_a_while(seconds: float, pause_s: float, once: Callable[[], Awaitable[float]]) -> list[float]:
    """Do ``once`` again and again; what it gave each time."""
    found, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        found.append(await once())
        await asyncio.sleep(pause_s)
    return found


async def list_nodes(world: World, session: aiohttp.ClientSession) -> float:
    """One page of a thousand; how long it took, in seconds."""
    began = time.monotonic()
    async with session.get(f"{world.url}/v1/nodes?limit=1000") as answer:
        await answer.read()
        if answer.status != 200:
            raise RuntimeError(f"listing: {answer.status}")
    return time.monotonic() - began


async def switch(world: World, session: aiohttp.ClientSession, numbers: range, ask: Ask = call) -> float:
    """Switch one of the machines on or off; seconds from the request until the node says it is there.

    Raises:
        TimeoutError: It did not in ``POWER_LIMIT_S``.
    """
    uuid = world.uuids[random.choice(numbers)]  # noqa: S311
    node = f"{world.url}/v1/nodes/{uuid}"
    fields = f"{node}?fields=power_state,target_power_state"
    found = await call(session, "GET", fields)
    if found["target_power_state"] is not None:
        return await switch(world, session, numbers, ask)
    target = "power off" if found["power_state"] == "power on" else "power on"
    began = time.monotonic()
    async with asyncio.timeout(POWER_LIMIT_S):
        await ask(session, "PUT", f"{node}/states/power", {"target": target})
        while (await call(session, "GET", fields))["power_state"] != target:  # noqa: ASYNC110
            await asyncio.sleep(_LOOK_S)
    return time.monotonic() - began


async def deploy(
    world: World, session: aiohttp.ClientSession, numbers: range, limit_s: float, ask: Ask = call
) -> float:
    """Deploy to all the machines at once; how long it took until the last was active, in seconds.

    Raises:
        RuntimeError: A deployment failed, or not all were done in time.
    """
    places = asyncio.Semaphore(_CALLERS)

    async def begin(number: int) -> None:
        node = f"{world.url}/v1/nodes/{world.uuids[number]}"
        async with places:
            patch = [{"op": "add", "path": "/instance_info", "value": world.image}]
            await ask(session, "PATCH", node, patch)
            await ask(session, "PUT", f"{node}/states/provision", {"target": "active"})

    began = time.monotonic()
    async with asyncio.TaskGroup() as group:
        for number in numbers:
            group.create_task(begin(number))
    while True:
        active = await _count(world, session, "active")
        failed = await _count(world, session, "deploy failed")
        if active >= len(numbers):
            return time.monotonic() - began
        if failed or time.monotonic() - began > limit_s:
            raise RuntimeError(f"{active} of {len(numbers)} are active, {failed} failed")
        await asyncio.sleep(1.0)


async def _count(world: World, session: aiohttp.ClientSession, state: str) -> int:
    count, address = 0, f"{world.url}/v1/nodes?provision_state={state}&fields=uuid&limit=1000"
    following = address.replace(" ", "%20")
    first = following
    while nodes := (await call(session, "GET", following))["nodes"]:
        count += len(nodes)
        following = f"{first}&marker={nodes[-1]['uuid']}"
    return count
