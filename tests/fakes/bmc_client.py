"""A plain Redfish client for one machine of a lab."""

from dataclasses import dataclass
from typing import Any

import aiohttp

from bessemer_lab.machine import Machine


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Any
    body: Any

    @property
    def message_id(self) -> str:
        """The identifier of an error, without registry and version."""
        (info,) = self.body["error"]["@Message.ExtendedInfo"]
        assert self.body["error"]["code"] == info["MessageId"]
        assert info["Message"]
        return str(info["MessageId"]).rsplit(".", 1)[-1]


class Client:
    """Talks to one BMC, verifying its certificate, with basic authentication unless told otherwise."""

    def __init__(self, machine: Machine, session: aiohttp.ClientSession) -> None:
        self.machine = machine
        self.session = session
        self.authorization: dict[str, str] = {
            "Authorization": aiohttp.encode_basic_auth(machine.username, machine.password)
        }

    async def ask(self, method: str, path: str, body: Any = None, **options: Any) -> Answer:
        headers = {**self.authorization, **options.pop("headers", {})}
        url = self.machine.bmc_url + path
        async with self.session.request(method, url, json=body, headers=headers, **options) as response:
            is_json = response.content_type == "application/json"
            return Answer(response.status, response.headers, await response.json() if is_json else None)

    async def get(self, path: str = "") -> Any:
        """The body of a resource that must be there; the system when no path is given."""
        answer = await self.ask("GET", path or self.machine.system_path)
        assert answer.status == 200, (path, answer)
        return answer.body

    async def patch(self, body: Any, path: str = "") -> Answer:
        return await self.ask("PATCH", path or self.machine.system_path, body)

    async def reset(self, kind: str) -> Answer:
        path = f"{self.machine.system_path}/Actions/ComputerSystem.Reset"
        return await self.ask("POST", path, {"ResetType": kind})
