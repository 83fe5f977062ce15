"""The runner: claims operations that need work, carries on a bounded number of them at once, sleeps between.

It is woken when something is committed that may be work, and by one alarm clock set to the next sleeper; it
looks by itself every few seconds only in case a hint was lost.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from contextvars import copy_context
from typing import Any

import structlog

from bessemer.domain.limit import Limit
from bessemer.domain.operation import Operation
from bessemer.engine.execution import Execution
from bessemer.engine.figure import count_claimed
from bessemer.engine.held import Held
from bessemer.engine.settings import EngineSettings
from bessemer.engine.workflow import Workflow
from bessemer.kernel.clock import Clock, Timestamp, seconds_between, timestamp
from bessemer.kernel.error import Conflict, Unavailable
from bessemer.kernel.lease import Lease, Tenure, act_under
from bessemer.store.admission import find_slots
from bessemer.store.claim import claim_operations, next_wake, release_operations
from bessemer.store.database import Database, Transaction
from bessemer.store.mixed_group import leave_turns

_log = structlog.get_logger()

#: How soon after the start a second look for work is taken, in seconds; then ever more seldom.
_FIRST_LOOK_S = 0.05
#: From one claim to the next, in seconds, while there is work in hand: what comes close behind a claim shares
#: the next one. A claim costs as much as a step or two.
_GATHER_S = 0.02
#: What a conductor that is just beginning operations under a limit is given to be done with it, in seconds.
_BEFORE_US_S = 0.02
#: What peers that drive other hardware are given to take the slots that are theirs by turn, in seconds.
_HEAD_START_S = 0.25


class Runner:
    """One per process. ``held`` is what it works on right now, by operation and fence; ``kinds`` are the
    kinds and versions of operations that it takes."""

    def __init__(
        self,
        database: Database,
        *,
        workflows: Mapping[tuple[str, int], Workflow[Any]],
        deps: Any,
        settings: EngineSettings,
        clock: Clock,
        incarnation: str,
        lease: Lease,
    ) -> None:
        self._database = database
        self._workflows = workflows
        self.kinds = sorted(workflows)
        self._limits = {
            workflow.pool: settings.limits.get(workflow.pool, Limit())
            for workflow in workflows.values()
            if workflow.pool
        }
        self._claims = 0
        #: Since when slots are left to peers, if they are.
        self._left_at: float | None = None
        self._shared_kinds = [kind for kind in self.kinds if workflows[kind].is_shared]
        self._deps = deps
        self._settings = settings
        self._clock = clock
        self._incarnation = incarnation
        self._lease = lease
        self._wake = asyncio.Event()
        self._alarm: asyncio.TimerHandle | None = None
        self._alarm_at: Timestamp | None = None
        self._tasks: dict[tuple[str, int], tuple[asyncio.Task[None], Held]] = {}
        self._is_stopping = False
        self._is_failing = False
        #: Held while operations are being claimed: what is claimed but not yet worked on is nobody's orphan.
        self.claiming = asyncio.Lock()

    @property
    def held(self) -> dict[tuple[str, int], Held]:
        return {key: held for key, (_, held) in self._tasks.items()}

    def wake(self, _payload: str = "") -> None:
        """There may be work."""
        self._wake.set()

    def drop(self, keys: list[tuple[str, int]]) -> None:
        """Stop working on operations that are no longer ours."""
        for key in keys:
            if key in self._tasks:
                self._tasks[key][0].cancel()

    async def run(self) -> None:
        """Claim and start operations until cancelled."""
        # The database may take a moment to let go of the rows that a process killed before us had locked.
        look_again_s, loop = _FIRST_LOOK_S, asyncio.get_running_loop()
        while True:
            looked_at = loop.time()
            self._wake.clear()
            room, kinds = self._room()
            claimed = await self._claim(room, kinds) if room > 0 else 0
            if claimed and claimed == room:
                continue
            with suppress(TimeoutError):
                async with asyncio.timeout(look_again_s):
                    await self._wake.wait()
            if self._tasks:
                await asyncio.sleep(max(0.0, looked_at + _GATHER_S - loop.time()))
            look_again_s = min(look_again_s * 2, self._settings.poll_s)

    async def stop(self, within_s: float) -> None:
        """Begin nothing more, give what runs ``within_s`` seconds to come to a boundary, then let go of all.

        What is let go keeps its state, and can be claimed by anybody at once.
        """
        self._is_stopping = True
        if self._alarm is not None:
            self._alarm.cancel()
        tasks = [task for task, _ in self._tasks.values()]
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=within_s)
            for task in late:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def release(self) -> None:
        """Let go of whatever this process still holds. Its heartbeat's timeout does it when this fails."""
        async with self._database.write() as tx:
            await release_operations(tx, self._incarnation)

    def _room(self) -> tuple[int, list[tuple[str, int]]]:
        """How many operations can be taken on, and of which kinds."""
        free, kinds = self._settings.workers - len(self._tasks), self.kinds
        if free <= 0 and self._shared_kinds:
            free, kinds = free + self._settings.call_reserve, self._shared_kinds
        return min(free, self._settings.claim_batch), kinds

    async def _claim(self, room: int, kinds: list[tuple[str, int]]) -> int:
        try:
            async with self.claiming:
                tenure = self._lease.tenure
                if tenure.has_ended:  # what is begun under it can do nothing; the next one wakes us
                    return 0
                async with self._database.write() as tx:
                    slots = await self._find_slots(tx, room)
                    operations = await claim_operations(
                        tx,
                        owner=self._incarnation,
                        group=self._settings.conductor_group,
                        kinds=kinds,
                        limit=room,
                        slots=slots,
                        lead=self._claims,
                        most_deaths=self._settings.most_deaths,
                        is_suspect_welcome=not any(map(self._is_suspect, self._tasks)),
                        drivers=self._settings.drivers,
                    )
                if tenure.has_ended:  # the next sign of life lets go of what nobody works on
                    return 0
                now = timestamp(self._clock)
                for operation in operations:
                    count_claimed(operation, now)
                    self._start(operation, tenure)
            if len(operations) < room:
                await self._set_alarm_for_next()
        except Conflict:
            self._wake.set()
            return 0
        except Unavailable as error:
            if not self._is_failing:
                _log.warning("operations cannot be claimed", error=str(error))
            self._is_failing = True
            return 0
        if self._is_failing:
            _log.info("operations can be claimed again")
        self._is_failing = False
        return len(operations)

    async def _find_slots(self, tx: Transaction, room: int) -> Mapping[str, int]:
        """How many operations of each pool may be begun now."""
        self._claims += 1
        if not self._limits:
            return {}
        slots = await find_slots(tx, self._settings.conductor_group, self._limits, room)
        if slots is None:
            asyncio.get_running_loop().call_later(_BEFORE_US_S, self.wake)
            return dict.fromkeys(self._limits, 0)
        return await self._leave_turns(tx, slots, room)

    async def _leave_turns(self, tx: Transaction, slots: dict[str, int], room: int) -> Mapping[str, int]:
        """Peers of this group that drive other hardware get a moment to take the slots that are theirs by
        turn. What they do not take then, because they are busy say, is anybody's."""
        now, drivers = asyncio.get_running_loop().time(), self._settings.drivers
        if drivers is None:
            return slots
        if self._left_at is not None and now >= self._left_at + _HEAD_START_S:
            self._left_at = None
            return slots
        left = await leave_turns(tx, self._settings.conductor_group, slots, drivers, room)
        if left == slots:
            self._left_at = None
        elif self._left_at is None:
            self._left_at = now
            asyncio.get_running_loop().call_later(_HEAD_START_S, self.wake)
        return left

    def _start(self, operation: Operation, tenure: Tenure) -> None:
        workflow = self._workflows[operation.kind, operation.version]
        held = Held(self._database, operation, workflow.on_change, has_journal=not workflow.is_shared)
        execution = Execution(
            held, workflow, self._deps, self._clock, self._settings.most_deaths, lambda: self._is_stopping
        )
        context = copy_context()
        context.run(act_under, tenure)
        task = asyncio.create_task(execution.run(), name=f"operation {operation.uuid}", context=context)
        key = (operation.uuid, operation.fence)
        self._tasks[key] = (task, held)
        task.add_done_callback(lambda done: self._finished(key, done))

    def _is_suspect(self, key: tuple[str, int]) -> bool:
        """Whether the operation may be what its former processes died of."""
        return self._tasks[key][1].operation.deaths >= self._settings.most_deaths - 1

    def _finished(self, key: tuple[str, int], task: asyncio.Task[None]) -> None:
        was_full = len(self._tasks) >= self._settings.workers
        _, held = self._tasks.pop(key)
        if not task.cancelled() and (error := task.exception()) is not None:
            whose = {"node": held.operation.node_uuid, "request": held.operation.request_id}
            _log.error("an operation was left where it was", operation=key[0], **whose, exc_info=error)
        wake_at = held.operation.wake_at
        if held.is_at_rest and wake_at is not None:
            self._set_alarm(wake_at)
        if was_full:
            self._wake.set()

    async def _set_alarm_for_next(self) -> None:
        """Anybody's sleepers: also those that were put to sleep before this process began."""
        now = timestamp(self._clock)
        async with self._database.read() as tx:
            group, drivers = self._settings.conductor_group, self._settings.drivers
            wake_at = await next_wake(tx, group, self.kinds, now, drivers=drivers)
        if wake_at is not None:
            self._set_alarm(wake_at)

    def _set_alarm(self, at: Timestamp) -> None:
        if self._is_stopping or (self._alarm_at is not None and self._alarm_at <= at):
            return
        if self._alarm is not None:
            self._alarm.cancel()
        pause_s = max(0.0, seconds_between(timestamp(self._clock), at))
        self._alarm_at = at
        self._alarm = asyncio.get_running_loop().call_later(pause_s, self._ring)

    def _ring(self) -> None:
        self._alarm = self._alarm_at = None
        self._wake.set()
