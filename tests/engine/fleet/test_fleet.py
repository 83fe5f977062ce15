"""The real service looks after a simulated fleet: every machine is seen, every image is written once."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from bessemer_lab.fleet import Chance, Fleet, Pace
from bessemer_lab.power import PowerState
from fakes.service_process import service

#: All that there are; those that are deployed to.
SERVERS, DEPLOYED = 200, 10
PACE = Pace(answer_s=0.01, power_s=0.1, boot_s=0.2, command_s=0.1)
LIMIT_S = 120.0
HEADERS = {"X-OpenStack-Ironic-API-Version": "1.95"}


class World:
    def __init__(self, directory: Path, fleet: Fleet, url: str, session: aiohttp.ClientSession) -> None:
        self.directory, self.fleet, self.url, self._session = directory, fleet, url, session
        self.uuids: list[str] = []

    async def call(self, method: str, path: str, body: Any = None) -> Any:
        async with self._session.request(method, self.url + path, json=body) as answer:
            text = await answer.text()
            assert answer.status < 300, f"{method} {path}: {answer.status} {text}"
            return json.loads(text) if text else None

    async def node(self, number: int) -> Any:
        return await self.call("GET", f"/v1/nodes/{self.uuids[number]}")

    async def enrol(self) -> None:
        async def enrol(number: int) -> str:
            body = {"driver": "redfish", "driver_info": self.fleet.driver_info(number)}
            return str((await self.call("POST", "/v1/nodes", body))["uuid"])

        self.uuids = await asyncio.gather(*(enrol(number) for number in range(SERVERS)))

    async def provision(self, numbers: range, target: str, state: str) -> None:
        paths = [f"/v1/nodes/{self.uuids[number]}/states/provision" for number in numbers]
        await asyncio.gather(*(self.call("PUT", path, {"target": target}) for path in paths))
        await self.all_are("provision_state", state, numbers)

    async def all_are(self, field: str, wanted: Any, numbers: range) -> None:
        """Wait until these nodes are as wanted; those that are not are told when it takes too long."""
        late: dict[str, Any] = {}
        try:
            async with asyncio.timeout(LIMIT_S):
                while True:
                    path = f"/v1/nodes?limit=1000&fields=uuid,last_error,{field}"
                    nodes = {node["uuid"]: node for node in (await self.call("GET", path))["nodes"]}
                    ours = (nodes[self.uuids[number]] for number in numbers)
                    late = {node["uuid"]: node for node in ours if node[field] != wanted}
                    if not late:
                        return
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise AssertionError(f"{len(late)} nodes are not {wanted}: {list(late.values())[:3]}") from None


@asynccontextmanager
async def looked_after(directory: Path) -> AsyncIterator[World]:
    for name in ("kernel", "ramdisk"):
        (directory / name).write_bytes(name.encode())
    (directory / "image.raw").write_bytes(bytes(510) + b"\x55\xaa" + bytes(65024))
    more = (
        "[DEFAULT]\nenabled_hardware_types = redfish\n"
        "[conductor]\nautomated_clean = false\nsync_power_state_interval = 2\n"
        f"force_power_state_during_sync = false\nfile_url_allowed_paths = {directory}\n"
        f"deploy_kernel = file://{directory}/kernel\ndeploy_ramdisk = file://{directory}/ramdisk\n"
    )
    async with (
        Fleet(SERVERS, pace=PACE, directory=directory) as fleet,
        service(directory, more=more) as url,
        aiohttp.ClientSession(headers=HEADERS) as session,
    ):
        yield World(directory, fleet, url, session)


async def test_a_fleet_is_looked_after_and_deployed_to_while_bmcs_fail(tmp_path: Path) -> None:
    async with looked_after(tmp_path) as world:
        fleet, every = world.fleet, range(SERVERS)
        await world.enrol()
        await world.provision(every, "manage", "manageable")
        assert all(len(server.tokens) == 1 for server in fleet.servers), "one session for each BMC"

        await _what_changes_is_seen(world)
        fleet.chance = Chance(error_share=0.02, seed=11)
        await _each_image_is_written_once(world)


async def _what_changes_is_seen(world: World) -> None:
    """Somebody presses a power button: the record follows."""
    pressed = range(DEPLOYED, SERVERS, 7)
    for number in pressed:
        world.fleet.servers[number].power = PowerState.ON
    await world.all_are("power_state", "power on", pressed)


async def _each_image_is_written_once(world: World) -> None:
    image = world.directory / "image.raw"
    checksum = hashlib.sha256(image.read_bytes()).hexdigest()
    info = {"image_source": f"file://{image}", "image_checksum": checksum}
    chosen = range(DEPLOYED)
    await world.provision(chosen, "provide", "available")
    for number in chosen:
        patch = [{"op": "add", "path": "/instance_info", "value": info}]
        await world.call("PATCH", f"/v1/nodes/{world.uuids[number]}", patch)
    await world.provision(chosen, "active", "active")
    for server in world.fleet.servers:
        written = [write for write in server.writes if write.finished_at is not None]
        assert len(server.writes) == len(written) == (server.number in chosen)
        assert all(write.checksum == checksum for write in written)
        assert server.has_instance == (server.number in chosen)
