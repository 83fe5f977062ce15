"""The ramdisk agent of a simulated server: finds its node, gives signs of life, carries out commands.

It lives from one boot to the loss of power. Source: agent API: lookup, heartbeat, routes, commands.
"""

import asyncio
import logging
import random
import secrets
from dataclasses import dataclass
from typing import Any

import aiohttp

from bessemer_lab.bmc.resource import Answer, Json
from bessemer_lab.fleet.machine import SimulatedServer
from bessemer_lab.fleet.medium import BootSettings, MediumReader, UnreadableMedium

_log = logging.getLogger(__name__)

VERSION = "11.4.0"
#: Between tries of a call that the service did not take.
_AGAIN_S = 2.0
#: How long firmware tries to read a medium before it gives up.
_READ_S = 60.0
_LOOKUP_VERSION, _HEARTBEAT_VERSION = "1.62", "1.68"
_MANAGER = {"hardware_manager_version": {"generic_hardware_manager": "1.2"}}
_CLEAN_STEPS = [
    {"step": "erase_devices_metadata", "priority": 99, "interface": "deploy"},
    {"step": "erase_devices", "priority": 0, "interface": "deploy"},
]
#: None runs by itself. Ironic asks again and again for a list that is empty.
_DEPLOY_STEPS = [
    {"step": step, "priority": 0, "interface": "deploy"}
    for step in ("erase_devices_metadata", "write_image", "inject_files")
]
#: Commands that are done at once, and their results.
_QUICK: dict[str, Any] = {
    "clean.get_clean_steps": {"clean_steps": {"GenericHardwareManager": _CLEAN_STEPS}, **_MANAGER},
    "deploy.get_deploy_steps": {"deploy_steps": {"GenericHardwareManager": _DEPLOY_STEPS}, **_MANAGER},
    "service.get_service_steps": {"service_steps": {}, **_MANAGER},
    "standby.get_partition_uuids": {"root uuid": "r", "efi system partition uuid": "e"},
    "standby.sync": None,
    "standby.power_off": None,
    "system.lockdown": None,
    "rescue.finalize_rescue": None,
}
#: Commands that take their time; for those that carry out a step, of what kind it is.
_LONG: dict[str, str | None] = {
    "clean.execute_clean_step": "clean",
    "deploy.execute_deploy_step": "deploy",
    "service.execute_service_step": "service",
    "image.install_bootloader": None,
}


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What agents share. ``port`` and ``certificate`` (PEM; None without TLS) are those they answer with."""

    session: aiohttp.ClientSession
    media: MediumReader
    port: int
    certificate: str | None


class SimulatedAgent:
    def __init__(self, server: SimulatedServer, around: Surroundings) -> None:
        self._server = server
        self._around = around
        self._token = ""
        self._commands: list[dict[str, Any]] = []
        self._wake = asyncio.Event()
        self._work: set[asyncio.Task[None]] = set()
        self._farewell: asyncio.TimerHandle | None = None
        scheme = "https" if around.certificate else "http"
        self._url = f"{scheme}://{server.address}:{around.port}"

    async def live(self) -> None:
        """From power to the end of it: run until cancelled."""
        try:
            await asyncio.sleep(self._server.pace.boot_s)
            settings = await self._read_medium()
            if settings is not None:
                await self._serve(settings)
        finally:
            for task in self._work:
                task.cancel()
            if self._farewell is not None:
                self._farewell.cancel()

    async def _read_medium(self) -> BootSettings | None:
        """None when the machine does not come up from its medium."""
        url = self._server.medium
        try:
            async with asyncio.timeout(_READ_S):
                while url is not None:
                    try:
                        return await self._around.media.read(url)
                    except UnreadableMedium as error:
                        _log.info("server %s does not boot yet: %s", self._server.number, error)
                    await asyncio.sleep(_AGAIN_S)
        except TimeoutError:
            pass
        return None

    async def _serve(self, settings: BootSettings) -> None:
        if settings.inspection_url is not None:
            await self._inspect(settings, settings.inspection_url)
        found = await self._look_up(settings)
        config = found["config"]
        token = config.get("agent_token")
        # A token on the medium is the one that counts; lookup does not repeat it.
        self._token = settings.token or (token if isinstance(token, str) else "")
        interval_s = float(config["heartbeat_timeout"])
        while True:
            self._wake.clear()
            await self._beat(settings, found["node"]["uuid"])
            try:
                async with asyncio.timeout(interval_s * random.uniform(0.3, 0.6)):  # noqa: S311
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def _look_up(self, settings: BootSettings) -> Json:
        query = {"addresses": self._server.mac}
        if settings.node_uuid:
            query["node_uuid"] = settings.node_uuid
        return await self._insist("GET", f"{settings.api_url}/v1/lookup", _LOOKUP_VERSION, query, None)

    async def _beat(self, settings: BootSettings, node_uuid: str) -> None:
        body = {"callback_url": self._url, "agent_version": VERSION, "agent_token": self._token}
        if self._around.certificate:
            body["agent_verify_ca"] = self._around.certificate
        url = f"{settings.api_url}/v1/heartbeat/{node_uuid}"
        await self._insist("POST", url, _HEARTBEAT_VERSION, {}, body)

    async def _inspect(self, settings: BootSettings, url: str) -> None:
        card = {"name": "eth0", "mac_address": self._server.mac, "ipv4_address": None, "has_carrier": True}
        report = {
            "inventory": {
                "interfaces": [card],
                "cpu": {"count": 4, "architecture": "x86_64"},
                "memory": {"physical_mb": 8192},
                "disks": [{"name": "/dev/sda", "size": 100 * 2**30}],
                "boot": {"current_boot_mode": "uefi", "pxe_interface": None},
            },
            "root_disk": {"name": "/dev/sda", "size": 100 * 2**30},
            "boot_interface": None,
        }
        query = {"node_uuid": settings.node_uuid} if settings.node_uuid else {}
        await self._insist("POST", url, "1.84", query, report)

    async def _insist(
        self, method: str, url: str, version: str, query: dict[str, str], body: Json | None
    ) -> Json:
        """Call the service until it takes the call: agents have nothing else to do."""
        headers = {"X-OpenStack-Ironic-API-Version": version, "Accept": "application/json"}
        while True:
            try:
                async with self._around.session.request(
                    method, url, params=query, json=body, headers=headers
                ) as response:
                    if response.status < 300:
                        return dict(await response.json()) if response.status != 202 else {}
                    _log.info("server %s: %s %s: %s", self._server.number, method, url, response.status)
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                _log.info("server %s: %s %s: %s", self._server.number, method, url, error)
            await asyncio.sleep(_AGAIN_S * random.uniform(0.5, 1.5))  # noqa: S311

    # ------------------------------------------------------------------ commands

    def answer(self, method: str, path: str, query: dict[str, str], body: Json) -> Answer:
        """Answer a call of the service. ``path`` is below ``/v1/commands``."""
        if not self._token or query.get("agent_token") != self._token:
            return _fault(401, "Token invalid.")
        if method == "GET":
            if not path:
                return Answer({"commands": self._commands})
            known = next((command for command in self._commands if command["id"] == path), None)
            return Answer(known) if known else _fault(404, "No such command.")
        name = body.get("name")
        if name not in _QUICK and name not in _LONG:
            return _fault(404, f"Unknown command {name}.")
        if any(command["command_status"] == "RUNNING" for command in self._commands):
            return _fault(409, "Agent is busy.")
        return Answer(self._begin(str(name), body.get("params") or {}))

    def _begin(self, name: str, params: Json) -> Json:
        command = {
            "id": secrets.token_hex(8),
            "command_name": name.partition(".")[2],
            "command_status": "RUNNING" if name in _LONG else "SUCCEEDED",
            "command_error": None,
            "command_result": _QUICK.get(name),
        }
        self._commands.append(command)
        if name in _LONG:
            task = asyncio.get_running_loop().create_task(self._carry_out(command, name, params))
            self._work.add(task)
            task.add_done_callback(self._work.discard)
        elif name == "standby.power_off":
            pause_s = self._server.pace.power_s
            self._farewell = asyncio.get_running_loop().call_later(pause_s, self._server.go_down)
        return command

    async def _carry_out(self, command: Json, name: str, params: Json) -> None:
        step = params.get("step") or {}
        write = None
        if step.get("step") == "write_image":
            image = (step.get("args") or {}).get("image_info") or {}
            urls = image.get("urls") or [""]
            checksum = image.get("os_hash_value") or image.get("checksum") or ""
            write = self._server.begin_write(str(command["id"]), str(urls[0]), str(checksum))
        await asyncio.sleep(self._server.pace.command_s)
        if write is not None:
            write.finish()
        kind = _LONG[name]
        # The step is told with its result: services know by it what has been done.
        result = None if kind is None else {f"{kind}_result": None, f"{kind}_step": step}
        command.update(command_status="SUCCEEDED", command_result=result)
        self._wake.set()


def _fault(status: int, text: str) -> Answer:
    return Answer({"faultcode": "Client", "faultstring": text}, status)
