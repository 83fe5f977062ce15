"""The whole service in this process, put together as people run it: API, engine and allocations."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bessemer.api.app import v1_routes
from bessemer.api.v1.route import Route
from bessemer.config.settings import Settings
from bessemer.server.life import Life
from bessemer.server.process import Process, assembled, conduct
from bessemer.store.shared_clock import follow_clock
from fakes.api_client import ApiClient
from fakes.api_world import quick_settings

START_S = 60.0
PATIENCE_S = 60.0
#: Who will go on within so many seconds is busy; who will later waits for somebody.
SOON_S = 20.0


@dataclass(repr=False)
class LiveProcess:
    process: Process
    settings: Settings
    client: ApiClient
    duties: list["asyncio.Task[None]"]

    @property
    def v1_routes(self) -> list[Route]:
        return v1_routes(self.process.services, self.settings)

    async def operations(self, ident: str) -> list[dict[str, Any]]:
        """Those of a node, newest first."""
        found: list[dict[str, Any]] = (await self.client.get(f"/v2/nodes/{ident}/operations")).json[
            "operations"
        ]
        return found

    async def settled(self, ident: str) -> dict[str, Any]:
        """The node once no operation of it is queued or at work; those that wait for somebody are left to."""
        deadline = asyncio.get_running_loop().time() + PATIENCE_S
        while True:
            self.check_alive()
            operations = await self.operations(ident)
            node: dict[str, Any] = (await self.client.get(f"/v1/nodes/{ident}")).json
            if not any(map(_is_busy, operations)) and node["reservation"] is None:
                return node
            busy = [(one["kind"], one["state"], one["wake_at"]) for one in operations if _is_busy(one)]
            assert asyncio.get_running_loop().time() < deadline, f"{ident} stays busy: {busy}"
            await asyncio.sleep(0.002)

    def check_alive(self) -> None:
        """Raises what ended a duty of the process, if one has ended."""
        for duty in self.duties:
            assert not duty.done(), f"{duty.get_name()} ended: {duty.exception() or 'just so'}"


def _is_busy(operation: dict[str, Any]) -> bool:
    """Whether it will go on by itself soon: it has not begun, works, was told to stop, or has been woken."""
    if operation["state"] in ("queued", "running"):
        return True
    is_woken = operation["wake_at"] is not None and operation["wake_at"] < _soon()
    return operation["state"] == "waiting" and (is_woken or operation["cancel_reason"] is not None)


def _soon() -> str:
    return (datetime.now(UTC) + timedelta(seconds=SOON_S)).isoformat()


@asynccontextmanager
async def live_process(
    directory: Path, *, template: Path | None = None, **sections: Mapping[str, Any]
) -> AsyncIterator[LiveProcess]:
    """A service on a SQLite file below ``directory``, a copy of ``template`` if one is given.

    ``sections`` change single settings.
    """
    path = directory / "bessemer.sqlite"
    if template is not None:
        shutil.copy(template, path)
    default = {"host": "live", "state_path": str(directory)} | dict(sections.pop("default", {}))
    place = {"connection": f"sqlite:///{path}?synchronous=off", "key_file": str(directory / "seal.key")}
    settings = quick_settings(default=default, database=place, **sections)
    async with assembled(settings) as process:
        duties = [
            asyncio.create_task(conduct(process.conductor, settings, Life()), name="conductor"),
            asyncio.create_task(process.allocator.run(), name="allocations"),
            asyncio.create_task(follow_clock(process.foundation.database), name="clock"),
        ]
        live = LiveProcess(process, settings, ApiClient(process.app), duties)
        try:
            await _until_it_offers_drivers(live)
            yield live
        finally:
            for duty in duties:
                duty.cancel()
            await asyncio.wait(duties)


async def _until_it_offers_drivers(live: LiveProcess) -> None:
    async with asyncio.timeout(START_S):
        while not (await live.client.get("/v1/drivers")).json["drivers"]:
            live.check_alive()
            await asyncio.sleep(0.01)
