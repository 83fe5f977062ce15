"""The engine of one process: it takes part in carrying out operations for as long as ``run`` runs."""

import asyncio
from collections.abc import Iterable
from typing import Any

import structlog

from bessemer.domain.operation import NewOperation, Operation
from bessemer.engine.gateway import CANCEL, WORK, Gateway
from bessemer.engine.outcome import wait_finished
from bessemer.engine.ownership import Ownership
from bessemer.engine.runner import Runner
from bessemer.engine.settings import EngineSettings
from bessemer.engine.workflow import Workflow
from bessemer.kernel.clock import Clock
from bessemer.kernel.error import Unavailable
from bessemer.kernel.ident import new_uuid
from bessemer.kernel.lease import Lease
from bessemer.store.database import Database, Transaction

__all__ = ["Engine", "EngineSettings"]

_log = structlog.get_logger()


class Engine:
    """Carries out operations of ``workflows``; their steps get ``deps`` as ``context.deps``.

    ``gateway`` is given when workflows start operations themselves, and so need it before they exist; it gets
    to know them here.
    """

    def __init__(
        self,
        database: Database,
        workflows: Iterable[Workflow[Any]],
        deps: Any,
        settings: EngineSettings,
        clock: Clock,
        *,
        gateway: Gateway | None = None,
    ) -> None:
        self.gateway = gateway or Gateway()
        self.gateway.register(workflows)
        #: Names this run of this process; written into every operation it claims.
        self.incarnation = new_uuid()
        #: What running steps are given when ``run`` is cancelled; may be changed until then.
        self.graceful_stop_s = settings.graceful_stop_s
        self._database = database
        lease = Lease()
        self._runner = Runner(
            database,
            workflows=self.gateway.workflows,
            deps=deps,
            settings=settings,
            clock=clock,
            incarnation=self.incarnation,
            lease=lease,
        )
        self._ownership = Ownership(database, self._runner, settings, self.incarnation, lease)

    async def run(self) -> None:
        """Carry out operations until cancelled; then stop gracefully, and let go of everything.

        A second cancellation ends it at once: what was held then is free when the heartbeat has timed out, or
        when a process starts under the same name.

        Raises:
            Superseded: Another process has started under the same host name.
            Unavailable: The database could not be reached at the start.
        """
        await self._ownership.begin()
        async with (
            self._database.listen(WORK, self._runner.wake),
            self._database.listen(CANCEL, self._ownership.hurry),
        ):
            keeping = asyncio.create_task(self._ownership.keep(), name="signs of life")
            running = asyncio.create_task(self._runner.run(), name="claim operations")
            try:
                await asyncio.wait((keeping, running), return_when=asyncio.FIRST_COMPLETED)
            finally:
                try:
                    await _end(running)
                    await self._runner.stop(self.graceful_stop_s)
                finally:
                    await _end(keeping)
                await self._sign_off()
            for task in (keeping, running):
                if not task.cancelled():
                    task.result()

    async def enqueue(self, tx: Transaction, new: NewOperation) -> Operation:
        """As ``Gateway.enqueue``."""
        return await self.gateway.enqueue(tx, new)

    async def signal(self, tx: Transaction, node_uuid: str, signal: str) -> None:
        """As ``Gateway.signal``."""
        await self.gateway.signal(tx, node_uuid, signal)

    async def request_cancel(self, tx: Transaction, operation_uuid: str, reason: str) -> Operation:
        """As ``Gateway.cancel``."""
        return await self.gateway.cancel(tx, operation_uuid, reason)

    async def wait_finished(self, operation_uuid: str, timeout_s: float) -> Operation:
        """As ``outcome.wait_finished``."""
        return await wait_finished(self._database, operation_uuid, timeout_s)

    async def _sign_off(self) -> None:
        try:
            await self._runner.release()
            await self._ownership.end()
        except Unavailable as error:
            _log.warning("could not sign off; peers take over after the timeout", error=str(error))


async def _end(task: asyncio.Task[None]) -> None:
    """Cancel a task and wait until it has ended, however it does."""
    task.cancel()
    await asyncio.wait((task,))
