"""The operator's script: enrol machines, deploy all of them, try again where a deployment failed."""

import asyncio
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from engine.chaos.cluster import HEADERS, Cluster

_AT_ONCE = 20
_MOST_RETRIES = 3


@dataclass
class Failure:
    node: str
    error: str


@dataclass
class Operator:
    """``nodes`` are UUIDs in the order of the fleet's servers; ``failures`` are deployments that failed."""

    site: Cluster
    session: aiohttp.ClientSession
    nodes: list[str] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._turns = itertools.cycle(self.site.endpoints())
        self._gate = asyncio.Semaphore(_AT_ONCE)

    async def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """One call, made again by turns at each API process until one of them answers it."""
        while True:
            url, limit = next(self._turns) + path, aiohttp.ClientTimeout(total=30)
            try:
                async with self.session.request(
                    method, url, json=body, headers=HEADERS, timeout=limit
                ) as answer:
                    if answer.status < 500:
                        has_body = answer.content_type == "application/json"
                        return answer.status, await answer.json() if has_body else None
            except (aiohttp.ClientError, TimeoutError):
                pass
            await asyncio.sleep(0.5)

    async def get(self, path: str) -> Any:
        status, body = await self.call("GET", path)
        assert status == 200, (path, status, body)
        return body

    async def enrol(self, count: int) -> None:
        """``count`` machines, all ``available``."""
        self.nodes = list(await asyncio.gather(*(self._enrol(number) for number in range(count))))
        for verb, state in (("manage", "manageable"), ("provide", "available")):
            await asyncio.gather(*(self._ask(node, verb) for node in self.nodes))
            await self._until(self.nodes, {state})

    async def deploy(self, nodes: Sequence[str]) -> None:
        """These machines to ``active``, all at once.

        Raises:
            AssertionError: A node failed too often, or went somewhere else.
        """
        info = self.site.instance_info()
        await asyncio.gather(*(self._deploy(node, info) for node in nodes))
        pending, tries = set(nodes), dict.fromkeys(nodes, 0)
        while pending:
            states = await self._states()
            pending -= {node for node in pending if states[node]["provision_state"] == "active"}
            failed = [node for node in pending if states[node]["provision_state"] == "deploy failed"]
            for node in failed:
                tries[node] += 1
                self.failures.append(Failure(node, str(states[node]["last_error"])))
                assert tries[node] <= _MOST_RETRIES, f"{node} failed again: {states[node]['last_error']}"
            await asyncio.gather(*(self._ask(node, "active") for node in failed))
            await asyncio.sleep(1.0)

    async def _enrol(self, number: int) -> str:
        machine = self.site.machines[number]
        body = {"driver": "redfish", "name": f"n{number}", "driver_info": self.site.driver_info(number)}
        async with self._gate:
            status, node = await self.call("POST", "/v1/nodes", body)
            assert status == 201, node
            port = {"node_uuid": node["uuid"], "address": machine["mac"]}
            status, answer = await self.call("POST", "/v1/ports", port)
            assert status == 201, answer
        return str(node["uuid"])

    async def _deploy(self, node: str, info: dict[str, str]) -> None:
        async with self._gate:
            patch = [{"op": "add", "path": "/instance_info", "value": info}]
            status, answer = await self.call("PATCH", f"/v1/nodes/{node}", patch)
            assert status == 200, answer
        await self._ask(node, "active")

    async def _ask(self, node: str, verb: str) -> None:
        """Ask for ``verb``. An answer that was lost may have been a yes: the state tells then."""
        async with self._gate:
            before = (await self.get(f"/v1/nodes/{node}"))["provision_state"]
            while True:
                body = {"target": verb}
                status, answer = await self.call("PUT", f"/v1/nodes/{node}/states/provision", body)
                if status == 202:
                    return
                now = (await self.get(f"/v1/nodes/{node}"))["provision_state"]
                if now != before:
                    return
                assert status == 409, (verb, before, answer)
                await asyncio.sleep(0.5)

    async def _states(self) -> dict[str, dict[str, Any]]:
        query = "/v1/nodes?limit=1000&fields=uuid,provision_state,last_error,maintenance"
        return {one["uuid"]: one for one in (await self.get(query))["nodes"]}

    async def _until(self, nodes: Iterable[str], wanted: set[str]) -> None:
        while True:
            states = await self._states()
            if all(states[node]["provision_state"] in wanted for node in nodes):
                return
            await asyncio.sleep(0.3)
