"""Several processes of the API behind one socket: they are started, watched, and started again.

Each holds the reading end of a pipe. A byte in it says that the settings are to be read again; it waits until
the process has started, where a signal would end it. The other end is held by nobody but us: it closes,
whatever we die of.
"""

import asyncio
import os
import socket
import sys
from pathlib import Path

import structlog

from bessemer.kernel.backoff import Backoff
from bessemer.kernel.error import BessemerError, Fault

log = structlog.get_logger(__name__)

#: Exit status of a process whose settings or database cannot be used: starting it again does not help.
UNUSABLE = 2
#: What workers are given to end, in seconds; then they are killed.
_STOP_S = 20.0
#: A worker that lived this long had started well.
_HEALTHY_S = 10.0


class WorkerFailed(BessemerError):
    """No worker can be started as things are; what it wrote to standard error says why."""

    code = "worker-failed"
    fault = Fault.OPERATOR


class Workers:
    """``count`` processes that accept connections from ``listener``."""

    def __init__(self, count: int, listener: socket.socket, config_file: Path | None) -> None:
        self._count = count
        self._listener = listener
        self._config_file = config_file
        self._pipes: set[int] = set()

    def reload(self) -> None:
        """Let every worker read its settings again."""
        for pipe in self._pipes:
            os.write(pipe, b"\n")

    async def run(self) -> None:
        """Keep all workers running until cancelled; then end them.

        Raises:
            WorkerFailed: Workers cannot be started with these settings.
        """
        try:
            async with asyncio.TaskGroup() as group:
                for number in range(self._count):
                    group.create_task(self._keep(number))
        except* WorkerFailed as failures:
            raise failures.exceptions[0] from None

    async def _keep(self, number: int) -> None:
        loop, backoff, failures = asyncio.get_running_loop(), Backoff(), 0
        while True:
            began = loop.time()
            status = await self._live(number)
            if status == UNUSABLE and loop.time() - began < _HEALTHY_S:
                raise WorkerFailed("A process of the API could not start.")
            failures = failures + 1 if loop.time() - began < _HEALTHY_S else 1
            log.error("a process of the API has ended; it is started again", status=status)
            await asyncio.sleep(backoff.delay_s(failures))

    async def _live(self, number: int) -> int:
        """One worker's life; its exit status."""
        reading, writing = os.pipe()
        self._pipes.add(writing)
        try:
            return await self._run(reading, number)
        finally:
            self._pipes.remove(writing)
            os.close(reading)
            os.close(writing)

    async def _run(self, pipe: int, number: int) -> int:
        listener = self._listener.fileno()
        command = [sys.executable, "-m", "bessemer_client.command", "api"]
        if self._config_file is not None:
            command += ["--config-file", str(self._config_file)]
        command += ["--worker", f"{listener},{pipe},{number}"]
        worker = await asyncio.create_subprocess_exec(*command, pass_fds=(listener, pipe))
        try:
            return await worker.wait()
        finally:
            await _end(worker)


async def _end(worker: asyncio.subprocess.Process) -> None:
    if worker.returncode is not None:
        return
    worker.terminate()
    try:
        async with asyncio.timeout(_STOP_S):
            await worker.wait()
    except TimeoutError:
        log.warning("a process of the API does not end and is killed", pid=worker.pid)
        worker.kill()
        await worker.wait()
