"""Ownership: the signs of life by which a process keeps what it claimed, and what it does when it lost some.

The database is the judge, by its own clock. Each sign of life renews a lease; a process that could not renew
it in time lets go of everything by itself: its peers may have taken it all.
"""

import asyncio
from contextlib import suppress

import structlog

from bessemer.engine.runner import Runner
from bessemer.engine.settings import EngineSettings
from bessemer.kernel.error import Conflict, Unavailable
from bessemer.kernel.lease import Lease
from bessemer.store.claim import list_fences, list_held, release_operations
from bessemer.store.conductor import (
    has_lease_ended,
    register_conductor,
    touch_conductor,
    unregister_conductor,
)
from bessemer.store.database import Database

_log = structlog.get_logger()

Holdings = dict[str, tuple[int, str | None]]


class Superseded(Conflict):
    """Another process has started under the same host name; this one must not go on."""

    code = "superseded"


class Ownership:
    """One incarnation of one conductor. ``lease`` is told of every renewal: what acts on machines asks it."""

    def __init__(
        self, database: Database, runner: Runner, settings: EngineSettings, incarnation: str, lease: Lease
    ) -> None:
        self._database = database
        self._runner = runner
        self._settings = settings
        self._incarnation = incarnation
        self._lease = lease
        self._hurry = asyncio.Event()
        self._lease_end: asyncio.TimerHandle | None = None

    async def begin(self) -> None:
        """Announce this process; an earlier one of the same name owns nothing from now on."""
        settings = self._settings
        asked_at = self._lease.now()
        async with self._database.write() as tx:
            await register_conductor(
                tx,
                settings.hostname,
                self._incarnation,
                settings.conductor_group,
                settings.interfaces,
                lease_s=settings.lease_s,
                version=settings.version,
                kinds=self._runner.kinds,
            )
        self._leased(asked_at)

    async def end(self) -> None:
        """Sign off."""
        async with self._database.write() as tx:
            await unregister_conductor(tx, self._settings.hostname, self._incarnation)

    def hurry(self, _payload: str = "") -> None:
        """Look at once at what is held: somebody may want one of these cancelled."""
        self._hurry.set()

    async def keep(self) -> None:
        """Give signs of life until cancelled.

        Raises:
            Superseded: Another process has taken this one's name.
        """
        is_failing = False
        try:
            while True:
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._settings.heartbeat_interval_s):
                        await self._hurry.wait()
                self._hurry.clear()
                try:
                    async with asyncio.timeout(self._settings.lease_s):
                        await self._give_sign()
                except (Unavailable, TimeoutError) as error:
                    if not is_failing:
                        _log.warning("no sign of life could be given", error=str(error))
                    is_failing = True
                    continue
                if is_failing:
                    _log.info("signs of life can be given again")
                is_failing = False
        finally:
            if self._lease_end is not None:
                self._lease_end.cancel()

    def _leased(self, asked_at: float) -> None:
        """The lease asked for at ``asked_at`` was granted, and ends no earlier than its length after that.

        A timer watches over it, whatever else hangs: a database that neither answers nor refuses, say. The
        timer goes by the loop's clock, which stands still while the host is suspended.
        """
        was_over = self._lease.is_over
        self._lease.grant(asked_at, self._settings.lease_s)
        if was_over:
            self._runner.wake()  # nothing was claimed without a lease
        if self._lease_end is not None:
            self._lease_end.cancel()
        self._lease_end = asyncio.get_running_loop().call_later(self._lease.left_s, self._lease_over)

    def _lease_over(self) -> None:
        if self._runner.held:
            _log.warning("the lease could not be renewed in time: letting go of all operations")
        self._let_go_of_all()

    async def _give_sign(self) -> None:
        await self._renew_lease()
        async with self._runner.claiming:
            async with self._database.read() as tx:
                owned = await list_held(tx, self._incarnation)
                is_peer_lost = await has_lease_ended(tx, within_s=2 * self._settings.lease_s)
            await self._reconcile(owned)
        if is_peer_lost:
            self._runner.wake()

    async def _renew_lease(self) -> None:
        """Before everything else that waits for the database: without the lease all work is lost."""
        settings = self._settings
        if self._lease.is_over:  # the host was suspended, and the timer with it
            self._lease_over()
        asked_at = self._lease.now()
        async with self._database.write(is_urgent=True) as tx:
            is_mine = await touch_conductor(
                tx, settings.hostname, self._incarnation, lease_s=settings.lease_s
            )
        if not is_mine:
            self._let_go_of_all()
            raise Superseded(f"Another process has started as conductor '{settings.hostname}'.")
        self._leased(asked_at)

    async def _reconcile(self, owned: Holdings) -> None:
        """Make what this process works on and what the database says it owns the same."""
        held = self._runner.held
        for (uuid, fence), one in held.items():
            if uuid in owned and owned[uuid][0] == fence:
                one.cancel_reason = owned[uuid][1]
        await self._drop_lost([key for key in held if key[0] not in owned or owned[key[0]][0] != key[1]])
        # What is worked on no more although it is still ours: a task that died of a defect.
        orphans = [uuid for uuid, (fence, _) in owned.items() if (uuid, fence) not in held]
        if orphans:
            async with self._database.write() as tx:
                released = await release_operations(tx, self._incarnation, orphans)
            if released:
                _log.warning("operations that nobody worked on were released", operations=orphans)
                self._runner.wake()

    async def _drop_lost(self, doubtful: list[tuple[str, int]]) -> None:
        """Of those not owned any more, some have just been put to rest by ourselves; the others are lost."""
        if not doubtful:
            return
        async with self._database.read() as tx:
            fences = await list_fences(tx, [uuid for uuid, _ in doubtful])
        lost = [(uuid, fence) for uuid, fence in doubtful if fences.get(uuid) != fence]
        if lost:
            _log.warning("operations were taken over by another process", operations=[key[0] for key in lost])
            self._runner.drop(lost)

    def _let_go_of_all(self) -> None:
        self._runner.drop(list(self._runner.held))
