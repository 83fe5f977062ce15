"""The bessemer-lab command, as a process of its own."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bessemer_lab.command import main

COMMAND = [sys.executable, "-W", "error", "-m", "bessemer_lab.command"]


@asynccontextmanager
async def running(*arguments: str | Path) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *COMMAND,
        *map(str, arguments),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(60):
            yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def read_machines(process: asyncio.subprocess.Process) -> list[dict[str, Any]]:
    assert process.stdout is not None
    machines: list[dict[str, Any]] = json.loads(await process.stdout.readline())["machines"]
    return machines


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
async def test_run_keeps_machines_until_it_is_told_to_stop(tmp_path: Path, end: signal.Signals) -> None:
    async with running("run", "--simulated", "--json", "--machines", "2", "--directory", tmp_path) as process:
        machines = await read_machines(process)
        assert [machine["name"] for machine in machines] == ["node-0", "node-1"]
        port = int(machines[0]["bmc_url"].rsplit(":", 1)[1])
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.close()
        await writer.wait_closed()
        process.send_signal(end)
        output, complaint = await process.communicate()
    assert (process.returncode, output, complaint) == (0, b"", b"")


async def test_a_second_run_in_the_same_directory_is_refused(tmp_path: Path) -> None:
    arguments = ("run", "--simulated", "--json", "--directory", tmp_path)
    async with running(*arguments) as first:
        await read_machines(first)
        async with running(*arguments) as second:
            _, complaint = await second.communicate()
            assert second.returncode == 1
            assert b"bessemer-lab: another lab is running" in complaint


async def test_what_people_read_has_everything_needed_to_reach_a_machine(tmp_path: Path) -> None:
    async with running("run", "--simulated", "--directory", tmp_path) as lab:
        assert lab.stdout is not None
        output = (await lab.stdout.readuntil(b"Ctrl-C ends the lab.")).decode()
    for word in ("bmc_url", "https://127.0.0.1:", "password", "console_socket", "agent_port", "52:54:00:"):
        assert word in output


def test_a_console_of_no_lab_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["console", "node-0", "--directory", str(tmp_path)]) == 1
    assert "is not the directory of a lab" in capsys.readouterr().err


async def test_a_console_of_no_machine_names_those_there_are(tmp_path: Path) -> None:
    async with running("run", "--simulated", "--json", "--directory", tmp_path) as lab:
        await read_machines(lab)
        async with running("console", "node-7", "--directory", tmp_path) as console:
            _, complaint = await console.communicate()
            assert console.returncode == 1
            assert b"it has: node-0" in complaint
        async with running("console", "node-0", "--directory", tmp_path) as console:
            _, complaint = await console.communicate()
            assert console.returncode == 1
            assert b"the machine or the lab is off" in complaint


def test_a_machine_that_cannot_be_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--simulated", "--memory-mib", "1", "--directory", str(tmp_path)]) == 1
    assert "memory of 1 MiB" in capsys.readouterr().err


def test_the_command_wants_a_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main([])
    assert "COMMAND" in capsys.readouterr().err


@pytest.mark.lab
async def test_machines_end_with_a_lab_that_is_killed(tmp_path: Path) -> None:
    async with running(
        "run", "--json", "--memory-mib", "128", "--firmware", "bios", "--directory", tmp_path
    ) as lab:
        (machine,) = await read_machines(lab)
        await power_on(machine)
        (qemu,) = list_children(lab.pid)
        lab.kill()
        await lab.wait()
        await wait_for_end(qemu)


@pytest.mark.lab
async def test_the_console_command_joins_a_terminal_with_the_machine(tmp_path: Path) -> None:
    async with running("run", "--json", "--memory-mib", "256", "--directory", tmp_path) as lab:
        (machine,) = await read_machines(lab)
        await power_on(machine)
        async with running("console", "node-0", "--directory", tmp_path) as console:
            assert console.stdout is not None
            assert console.stdin is not None
            await console.stdout.readuntil(b"BdsDxe")
            console.stdin.write(b"\x1d")
            assert await console.wait() == 0


async def power_on(machine: dict[str, Any]) -> None:
    """Through the BMC, with another process as client; returns when the console's socket is there."""
    url = f"{machine['bmc_url']}{machine['system_path']}/Actions/ComputerSystem.Reset"
    process = await asyncio.create_subprocess_exec(
        *("curl", "-sS", "-f", "--cacert", machine["certificate"], "-u", f"admin:{machine['password']}"),
        *("--json", '{"ResetType": "On"}', url),
    )
    assert await process.wait() == 0
    while not Path(machine["console_socket"]).exists():  # noqa: ASYNC110, ASYNC240  another process makes it
        await asyncio.sleep(0.02)


def list_children(parent: int) -> list[int]:
    text = Path(f"/proc/{parent}/task/{parent}/children").read_text()
    return [int(word) for word in text.split()]


async def wait_for_end(pid: int) -> None:
    """Wait until a process that is not our child has ended; the caller has a deadline."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    ended = asyncio.Event()
    asyncio.get_running_loop().add_reader(descriptor, ended.set)
    await ended.wait()
    asyncio.get_running_loop().remove_reader(descriptor)
    os.close(descriptor)
