"""The life of a process: what it does until a signal ends it, and how it ends.

SIGTERM, SIGINT: let go within ``[conductor]graceful_shutdown_timeout``; a second one: at once. SIGUSR2: the
same with ``[DEFAULT]drain_shutdown_timeout``, for planned work on the host. SIGHUP: read the settings again.

Signals within a second are one: init systems and terminals signal all of our processes, and those who started
others pass it on.
"""

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager

import structlog

log = structlog.get_logger(__name__)

#: Who is asked to stop again within this time was asked once, in two ways.
_SAME_S = 1.0


class Life:
    """Runs jobs side by side until one of them ends or ``stop`` is called, and ends them in their order."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._asked_at = 0.0
        self._stopped = asyncio.Event()
        self._hurried = asyncio.Event()
        self.is_draining = False

    def stop(self) -> None:
        """End gracefully; when asked again a while later, at once. Idempotent after that."""
        now = self._monotonic()
        if not self._stopped.is_set():
            self._asked_at = now
        elif now - self._asked_at > _SAME_S:
            self._hurried.set()
        self._stopped.set()

    def drain(self) -> None:
        """End, but with all the time that running steps may need."""
        self.is_draining = True
        if not self._stopped.is_set():
            self._asked_at = self._monotonic()
        self._stopped.set()

    def follow(self, pipe: int, reload: Callable[[], None]) -> None:
        """``reload`` when something is written to ``pipe``, ``stop`` when its other end is closed."""
        loop = asyncio.get_running_loop()

        def heard() -> None:
            if os.read(pipe, 4096):
                reload()
            else:
                loop.remove_reader(pipe)
                self.stop()

        loop.add_reader(pipe, heard)

    @contextmanager
    def signals(self, reload: Callable[[], None]) -> Iterator[None]:
        """While the block runs, signals of the operating system are heard."""
        loop = asyncio.get_running_loop()
        heard: dict[signal.Signals, Callable[[], None]] = {
            signal.SIGTERM: self.stop,
            signal.SIGINT: self.stop,
            signal.SIGUSR2: self.drain,
            signal.SIGHUP: reload,
        }
        for number, callback in heard.items():
            loop.add_signal_handler(number, callback)
        # One that came during the start comes now, and none when nobody hears it any more.
        before = signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})
        try:
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            for number in heard:
                loop.remove_signal_handler(number)

    async def run(self, jobs: Mapping[str, Awaitable[None]]) -> None:
        """Run ``jobs`` (by what they are called in logs) until the end of one is the end of all.

        They are cancelled one after the other, each when those before it have ended: what others depend on
        comes last.

        Raises:
            Exception: What a job failed with.
        """
        tasks = [asyncio.create_task(_awaited(job), name=name) for name, job in jobs.items()]
        stopped = asyncio.create_task(self._stopped.wait(), name="wait for a signal")
        try:
            done, _ = await asyncio.wait([*tasks, stopped], return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopped.cancel()
            ended = await self._end(tasks)
        for task in tasks:
            if task in done or task in ended:
                task.result()

    async def _end(self, tasks: list[asyncio.Task[None]]) -> list[asyncio.Task[None]]:
        """Those that ended with an error of their own."""
        for task in tasks:
            task.cancel()
            hurried = asyncio.create_task(self._hurried.wait(), name="wait for a second signal")
            await asyncio.wait((task, hurried), return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                log.warning("ending at once", job=task.get_name())
                task.cancel()
                await asyncio.wait((task,))
            hurried.cancel()
        return [task for task in tasks if not task.cancelled() and task.exception() is not None]


async def _awaited(job: Awaitable[None]) -> None:
    await job
