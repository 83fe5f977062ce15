"""A server under measurement: the processes of one session, what they cost, how they end."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 20.0
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Server:
    """``leader`` is the process started; every process of its session belongs to the server.

    ``first_answer_s``: from the start of the process to its first whole answer.
    """

    leader: int
    port: int
    first_answer_s: float

    def cpu_s(self) -> float:
        """User and system time of all its threads and processes, those that have ended among them.

        Source: proc(5), /proc/pid/stat: utime, stime, cutime, cstime.
        """
        return sum(sum(map(int, fields[11:15])) for fields in self._stats()) / _TICKS_PER_S

    def resident_mib(self) -> float:
        """What its processes keep in memory; pages they share are counted once for each."""
        return sum(int(fields[21]) for fields in self._stats()) * _PAGE_BYTES / 2**20

    def _stats(self) -> Iterator[list[str]]:
        """The fields of /proc/pid/stat from the third on, for each process of the session."""
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:  # it has just ended
                continue
            if int(fields[3]) == self.leader and fields[0] != "Z":
                yield fields


@contextmanager
def started(
    command: Sequence[str], port: int, path: str, log: Path, environment: Mapping[str, str]
) -> Iterator[Server]:
    """Run ``command`` until the block ends; it answers GET ``path`` on ``port`` of 127.0.0.1.

    Raises:
        RuntimeError: It ended, or did not answer in a minute. The message has the end of its log.
    """
    with log.open("ab") as output:
        began = time.monotonic()
        process = subprocess.Popen(
            command, stdout=output, stderr=output, stdin=subprocess.DEVNULL, env=environment,
            start_new_session=True,
        )  # fmt: skip
    try:
        _wait_for_answer(process, port, path, log, began + START_TIMEOUT_S)
        yield Server(process.pid, port, time.monotonic() - began)
    finally:
        _stop(process)


def _wait_for_answer(
    process: subprocess.Popen[bytes], port: int, path: str, log: Path, deadline: float
) -> None:
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode()
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"{process.args!r} ended with status {process.returncode}: {_last_of(log)}")
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
                connection.sendall(request)
                if connection.recv(64).startswith(b"HTTP/1.1 200"):
                    return
        except OSError:
            pass
        time.sleep(0.005)
    raise RuntimeError(f"{process.args!r} did not answer in {START_TIMEOUT_S:g} s: {_last_of(log)}")


def _last_of(log: Path) -> str:
    return log.read_text(errors="replace")[-2000:]


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End the whole session; kill what does not end by itself."""
    for how in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, how)
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            continue
    process.wait(STOP_TIMEOUT_S)


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
