"""What is done to the processes of a site while it works, by a seed: each has its own sequence of mishaps."""

import asyncio
import random
import signal
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from engine.chaos.cluster import START_S, Cluster, Program


@dataclass(frozen=True, slots=True)
class Mishaps:
    """Times are pairs of seconds: a random one between them is taken.

    ``database_at`` are the shares of all images that are written when PostgreSQL is restarted.
    """

    conductor_pause_s: tuple[float, float] = (8.0, 18.0)
    #: Seldom enough that firmware, which tries for a minute, can read a boot medium between two of them.
    api_pause_s: tuple[float, float] = (30.0, 60.0)
    away_s: tuple[float, float] = (0.2, 4.0)
    #: Shorter and longer than a lease.
    frozen_s: tuple[float, float] = (1.0, 20.0)
    database_at: tuple[float, ...] = (0.15, 0.6)


@dataclass
class Mischief:
    """``done`` counts what was done, by kind."""

    site: Cluster
    mishaps: Mishaps
    seed: int
    done: Counter[str] = field(default_factory=Counter)

    @asynccontextmanager
    async def going_on(self, deployments: int) -> AsyncIterator[None]:
        """Mischief for as long as the block runs; then every process is there and runs."""
        tasks = [
            asyncio.create_task(
                self._plague(program, self._conductor_fates(), self.mishaps.conductor_pause_s)
            )
            for program in self.site.conductors()
        ] + [
            asyncio.create_task(self._plague(program, (self._kill,), self.mishaps.api_pause_s))
            for program in self.site.apis()
        ]
        tasks.append(asyncio.create_task(self._restart_database(deployments)))
        try:
            yield
            for task in tasks:
                if task.done():
                    task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for program in (*self.site.conductors(), *self.site.apis()):
                program.send(signal.SIGCONT)
                if not program.is_running:
                    await program.start()

    def _conductor_fates(self) -> tuple["Fate", ...]:
        return (self._kill, self._kill, self._freeze, self._freeze, self._restart)

    async def _plague(
        self, program: Program, fates: tuple["Fate", ...], pause_s: tuple[float, float]
    ) -> None:
        chance = random.Random(f"{self.seed} {program.name}")
        while True:
            await asyncio.sleep(chance.uniform(*pause_s))
            if not program.is_running:
                # Nothing but mischief may end a process.
                raise AssertionError(f"{program.name} has ended by itself; see {program.log}")
            await chance.choice(fates)(program, chance)

    async def _kill(self, program: Program, chance: random.Random) -> None:
        self.done["killed"] += 1
        await program.end(signal.SIGKILL)
        await asyncio.sleep(chance.uniform(*self.mishaps.away_s))
        await self._bring_back(program)

    async def _freeze(self, program: Program, chance: random.Random) -> None:
        self.done["frozen"] += 1
        program.send(signal.SIGSTOP)
        await asyncio.sleep(chance.uniform(*self.mishaps.frozen_s))
        program.send(signal.SIGCONT)

    async def _restart(self, program: Program, chance: random.Random) -> None:
        self.done["restarted"] += 1
        await program.end(signal.SIGTERM)
        await self._bring_back(program)

    async def _bring_back(self, program: Program) -> None:
        """Start it, and let it come up, however slow the machine is that all of this runs on."""
        before = await self.site.incarnation(program.name)
        await program.start()
        async with asyncio.timeout(START_S):
            while not await self._is_back(program, before):  # noqa: ASYNC110  another process
                await asyncio.sleep(0.2)

    async def _is_back(self, program: Program, before: str | None) -> bool:
        assert program.is_running, f"{program.name} ended at its start; see {program.log}"
        if program in self.site.apis():
            return await self.site.answers(program.name)
        return await self.site.incarnation(program.name) not in (None, before)

    async def _restart_database(self, deployments: int) -> None:
        modes = ["fast", "immediate"]
        for number, share in enumerate(self.mishaps.database_at):
            while (await self.site.ask_fleet())["writes"] < share * deployments:  # noqa: ASYNC110  as it is
                await asyncio.sleep(0.5)
            await self.site.restart_database(modes[number % 2])
            self.done["database restarted"] += 1


Fate = Callable[[Program, random.Random], Awaitable[None]]
