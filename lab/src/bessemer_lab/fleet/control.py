"""Asking after a fleet from another process, by HTTP at the fleet's own address (127.0.0.1):

GET /fleet             how many servers are on, run an instance, and were asked what
GET /fleet/servers     every server (``machine.SimulatedServer.describe``)
GET /fleet/changes     every call but reads, as JSON lines, oldest first; ?number=N for one server
PUT /fleet/chance      what goes wrong from now on: {"error_share": 0.02, "hang_share": 0.01, "seed": 7}
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict

from aiohttp import web

from bessemer_lab.fleet.fault import Chance
from bessemer_lab.fleet.machine import SimulatedServer
from bessemer_lab.fleet.record import Record
from bessemer_lab.power import PowerState


class Control:
    """``set_chance`` is told what goes wrong from now on."""

    def __init__(
        self, servers: Sequence[SimulatedServer], record: Record, set_chance: Callable[[Chance], None]
    ) -> None:
        self._servers = servers
        self._record = record
        self._change_chance = set_chance

    async def answer(self, request: web.BaseRequest) -> web.Response:
        called = (request.method, request.path.rstrip("/"))
        if called == ("GET", "/fleet"):
            return web.json_response(self._summary())
        if called == ("GET", "/fleet/servers"):
            return web.json_response([server.describe() for server in self._servers])
        if called == ("GET", "/fleet/changes"):
            return self._changes(request.query.get("number"))
        if called == ("PUT", "/fleet/chance"):
            return self._set_chance(await request.read())
        return web.Response(status=404)

    def _summary(self) -> dict[str, object]:
        servers = self._servers
        counts = self._record.counts
        return {
            "servers": len(servers),
            "on": sum(server.power is PowerState.ON for server in servers),
            "with_instance": sum(server.has_instance for server in servers),
            "writes": sum(len(server.writes) for server in servers),
            "calls": {f"{asked} {method} {status}": n for (asked, method, status), n in counts.items()},
        }

    def _changes(self, number: str | None) -> web.Response:
        if number is not None and not number.isdigit():
            return web.Response(status=400, text="number is the number of a server")
        calls = self._record.changes(number=None if number is None else int(number))
        return web.Response(text="".join(json.dumps(asdict(call)) + "\n" for call in calls))

    def _set_chance(self, data: bytes) -> web.Response:
        try:
            self._change_chance(Chance(**json.loads(data)))
        except (ValueError, TypeError) as error:
            return web.Response(status=400, text=str(error))
        return web.Response(status=204)
