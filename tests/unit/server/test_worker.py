"""Processes of the API that are told to read their settings again."""

import asyncio
import socket
import sys
from pathlib import Path

import pytest

from bessemer.server.worker import Workers
from fakes.engine import eventually

#: What a worker is before it hears any signal: here it says who it is, and then what it is told.
CHILD = """
import os, sys
pipe = int(sys.argv[sys.argv.index("--worker") + 1].split(",")[1])
with open({told!r}, "a", buffering=1) as told:
    print("began", file=told)
    while os.read(pipe, 100):
        print("again", file=told)
"""


async def test_a_worker_that_hears_no_signals_yet_is_told_and_lives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told, program = tmp_path / "told", tmp_path / "python"
    program.write_text(f"#!{sys.executable}\n" + CHILD.format(told=str(told)))
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))

    def has_said(lines: list[str]) -> bool:
        return told.exists() and told.read_text().split() == lines

    async def has_begun() -> bool:
        return has_said(["began"] * 2)

    async def has_heard() -> bool:
        return has_said(["began"] * 2 + ["again"] * 2)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        workers = Workers(2, listener, None)
        running = asyncio.create_task(workers.run())
        try:
            await eventually(has_begun)
            workers.reload()
            await eventually(has_heard)
        finally:
            running.cancel()
            await asyncio.wait((running,))
