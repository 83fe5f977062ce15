"""The processes of the service: everything in one, the API alone, a conductor alone. The one place where
their parts are put together."""

import asyncio
import gc
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog
from starlette.routing import BaseRoute

from bessemer.api.access import App
from bessemer.config.settings import Settings
from bessemer.engine.engine import Engine
from bessemer.hardware.redfish.pool import BmcPool
from bessemer.server.api import Api, answer, listen, open_api
from bessemer.server.conductor import Conductor, open_conductor
from bessemer.server.duty import Duty
from bessemer.server.foundation import Foundation, open_foundation
from bessemer.server.heap import keep_large_blocks_apart
from bessemer.server.life import Life
from bessemer.server.metric.listener import listen_for_metrics, show_metrics
from bessemer.server.reload import Reload
from bessemer.server.worker import Workers
from bessemer.service.allocator import Allocator
from bessemer.service.services import Services
from bessemer.store.shared_clock import follow_clock
from bessemer.workflow.catalogue import workflows

_log = structlog.get_logger()

#: Pause before a duty begins again that ended with a defect.
_AFTER_DEFECT_S = 10.0


@dataclass(frozen=True, slots=True)
class Process:
    """A process with everything in it: API and conductor over one database."""

    foundation: Foundation
    conductor: Conductor
    api: Api

    @property
    def app(self) -> App:
        return self.api.app

    @property
    def services(self) -> Services:
        return self.api.services

    @property
    def routes(self) -> Sequence[BaseRoute]:
        """The calls beside those of v1."""
        return self.api.routes

    @property
    def engine(self) -> Engine:
        return self.conductor.engine

    @property
    def pool(self) -> BmcPool:
        return self.foundation.pool

    @property
    def allocator(self) -> Allocator:
        return self.api.services.allocator


@asynccontextmanager
async def assembled(settings: Settings) -> AsyncIterator[Process]:
    """API and conductor, built and opened."""
    async with (
        open_foundation(settings) as foundation,
        open_conductor(foundation) as conductor,
        open_api(foundation) as api,
    ):
        yield Process(foundation, conductor, api)


async def run_all(settings: Settings, reload: Reload) -> None:
    """API and conductor in one process, until a signal ends it. They live and end together: the conductor
    first, so that its machines can fetch what they need until the last of their steps is over.

    Raises:
        BadSettings: The settings do not fit together.
        Unavailable: The database cannot be used.
        Superseded: Another process has started under the same host name.
        OSError: The address cannot be listened on.
    """
    with listen(settings.api) as listener:
        async with assembled(settings) as process:
            process.api.follow(reload)
            metrics = _metrics(process.foundation, settings.metrics.port)  # fails first, if it does
            life = Life()
            _settle_memory()
            with life.signals(reload):
                await life.run(
                    {
                        "conductor": conduct(process.conductor, settings, life),
                        "allocations": process.allocator.run(),
                        "audit trail": process.api.audit.run(),
                        "clock": follow_clock(process.foundation.database),
                        "boot cache": process.foundation.artefacts.run(),
                        "API": answer(process.app, settings, listener),
                        **metrics,
                    }
                )


async def run_conductor(settings: Settings, reload: Reload) -> None:
    """A conductor alone. Raises as ``run_all``, except for the address."""
    async with open_foundation(settings) as foundation, open_conductor(foundation) as conductor:
        metrics = _metrics(foundation, settings.metrics.port)  # fails first, if it does
        life = Life()
        _settle_memory()
        with life.signals(reload):
            await life.run(
                {
                    "conductor": conduct(conductor, settings, life),
                    "allocations": Allocator(foundation.database).run(),
                    "clock": follow_clock(foundation.database),
                    "boot cache": foundation.artefacts.run(),
                    **metrics,
                }
            )


async def run_api(settings: Settings, reload: Reload, config_file: Path | None) -> None:
    """The API alone, in ``[api]api_workers`` processes. Raises as ``run_all``."""
    count = settings.api.api_workers or min(4, os.cpu_count() or 1)
    with listen(settings.api) as listener:
        if count == 1:
            await run_api_worker(settings, reload, listener)
            return
        workers, life = Workers(count, listener, config_file), Life()
        with life.signals(workers.reload):
            await life.run({"API processes": workers.run()})


async def run_api_worker(
    settings: Settings,
    reload: Reload,
    listener: socket.socket,
    pipe: int | None = None,
    number: int = 0,
) -> None:
    """Process ``number`` of the API, counted from 0. ``pipe`` is the reading end of one whose other end the
    process has that shares its socket with it: see ``worker``. Raises as ``run_all``.
    """
    async with open_foundation(settings) as foundation, open_api(foundation) as api:
        foundation.gateway.register(workflows(settings, settings.default.host, foundation.gateway))
        api.follow(reload)
        metrics = _metrics(foundation, settings.metrics.api_port + number)  # fails first, if it does
        life = Life()
        if pipe is not None:
            life.follow(pipe, reload)
        _settle_memory()
        with life.signals(reload):
            await life.run(
                {
                    "allocations": api.services.allocator.run(),
                    "audit trail": api.audit.run(),
                    "clock": follow_clock(foundation.database),
                    "boot cache": foundation.artefacts.run(),
                    "API": answer(api.app, settings, listener),
                    **metrics,
                }
            )


def _metrics(foundation: Foundation, port: int) -> dict[str, Awaitable[None]]:
    """The job that shows this process's figures, if they are to be shown."""
    settings = foundation.settings.metrics
    if not settings.enabled:
        return {}
    listener = listen_for_metrics(settings, port)
    return {"metrics": show_metrics(foundation.database, foundation.pool, listener)}


async def conduct(conductor: Conductor, settings: Settings, life: Life) -> None:
    """The conductor's work and duties until cancelled; then running steps are given their time."""
    duties = [asyncio.create_task(keep_up(name, duty), name=name) for name, duty in conductor.duties.items()]
    working = asyncio.create_task(conductor.engine.run(), name="carry out operations")
    try:
        done, _ = await asyncio.wait([working, *duties], return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for duty in duties:
            duty.cancel()
        if life.is_draining:
            conductor.engine.graceful_stop_s = settings.default.drain_shutdown_timeout
        await _end(working)
        await asyncio.gather(*duties, return_exceptions=True)


async def keep_up(name: str, duty: Duty, *, pause_s: float = _AFTER_DEFECT_S) -> None:
    """Do the duty until cancelled. A defect in it is logged, and ends neither operations nor other duties."""
    while True:
        try:
            await duty()
        except Exception:  # noqa: BLE001  the top edge of a duty
            _log.exception("a duty failed unexpectedly; it begins again", duty=name, in_s=pause_s)
        else:
            return
        await asyncio.sleep(pause_s)


async def _end(task: asyncio.Task[None]) -> None:
    """Cancel a task and wait until it has ended; when cancelled oneself meanwhile, end it at once."""
    task.cancel()
    try:
        await asyncio.wait((task,))
    except asyncio.CancelledError:
        task.cancel()
        await asyncio.wait((task,))
        raise
    if not task.cancelled():
        task.result()


def _settle_memory() -> None:
    """Leave what was built at the start out of garbage collection: long lists are a fifth cheaper for it."""
    keep_large_blocks_apart()
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 10, 10)
