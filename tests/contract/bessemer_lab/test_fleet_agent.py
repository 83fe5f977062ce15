"""The ramdisk agent of a simulated server, called by a service that knows nothing of the lab."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web

from bessemer_lab.fleet import Fleet, Pace
from fakes.wait import until

ADMIN = {"Authorization": aiohttp.encode_basic_auth("admin", "password")}
SYSTEM = "/redfish/v1/Systems/1"
CD = "/redfish/v1/Managers/BMC/VirtualMedia/Cd"
FAST = Pace(answer_s=0, power_s=0, boot_s=0, command_s=0)
MENU = "linux /vmlinuz nofb ipa-api-url={url} ipa-agent-token=abc boot_method=vmedia --\ninitrd /initrd\n"


@dataclass
class Service:
    """What agents ask of a service, with boot media that have kernel parameters only."""

    url: str = ""
    looked_up: list[dict[str, str]] = field(default_factory=list)
    beats: list[dict[str, Any]] = field(default_factory=list)

    async def medium(self, request: web.Request) -> web.Response:
        return web.Response(body=bytes(4096) + MENU.format(url=self.url).encode())

    async def look_up(self, request: web.Request) -> web.Response:
        self.looked_up.append(dict(request.query))
        return web.json_response({"node": {"uuid": "n"}, "config": {"heartbeat_timeout": 300}})

    async def beat(self, request: web.Request) -> web.Response:
        self.beats.append(await request.json())
        return web.Response(status=202)


@asynccontextmanager
async def service() -> AsyncIterator[Service]:
    one, application = Service(), web.Application()
    application.router.add_get("/boot.iso", one.medium)
    application.router.add_get("/v1/lookup", one.look_up)
    application.router.add_post("/v1/heartbeat/n", one.beat)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        one.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield one
    finally:
        await runner.cleanup()


async def boot(client: aiohttp.ClientSession, bmc: str, medium: str) -> None:
    once = {"Boot": {"BootSourceOverrideTarget": "Cd", "BootSourceOverrideEnabled": "Once"}}
    for method, path, body in (
        ("POST", f"{CD}/Actions/VirtualMedia.InsertMedia", {"Image": medium}),
        ("PATCH", SYSTEM, once),
        ("POST", f"{SYSTEM}/Actions/ComputerSystem.Reset", {"ResetType": "On"}),
    ):
        async with client.request(method, bmc + path, json=body, headers=ADMIN) as answer:
            assert answer.status == 204


async def test_an_agent_finds_its_service_by_the_parameters_of_its_kernel() -> None:
    async with service() as one, Fleet(1, pace=FAST) as fleet, aiohttp.ClientSession() as client:
        await boot(client, fleet.bmc_url(0), f"{one.url}/boot.iso")
        await until(lambda: bool(one.beats))
        assert one.looked_up == [{"addresses": fleet.servers[0].mac}]
        assert one.beats[0]["agent_token"] == "abc"


async def test_a_result_names_the_step_that_was_carried_out() -> None:
    async with service() as one, Fleet(1, pace=FAST) as fleet, aiohttp.ClientSession() as client:
        await boot(client, fleet.bmc_url(0), f"{one.url}/boot.iso")
        await until(lambda: bool(one.beats))
        commands, token = f"{one.beats[0]['callback_url']}/v1/commands/", {"agent_token": "abc"}
        step = {"interface": "deploy", "step": "erase_devices_metadata", "args": {}}
        body = {"name": "deploy.execute_deploy_step", "params": {"step": step}}
        async with client.post(commands, params=token, json=body) as answer:
            assert answer.status == 200
        # Its end is told at once, by a sign of life that comes before its time.
        await until(lambda: len(one.beats) > 1)
        async with client.get(commands, params=token) as answer:
            (command,) = (await answer.json())["commands"]
        assert command["command_status"] == "SUCCEEDED"
        assert command["command_result"] == {"deploy_result": None, "deploy_step": step}
