"""The serial console's log, and the door to its socket."""

import asyncio
from pathlib import Path

import pytest

from bessemer_lab.console import Console, ConsoleRelay
from bessemer_lab.error import ConsoleTimeout
from bessemer_lab.port import PortReservation


def make_console(tmp_path: Path) -> Console:
    return Console(tmp_path / "console.log", tmp_path / "console.sock")


async def test_a_text_that_is_there_already_is_found_with_its_line(tmp_path: Path) -> None:
    console = make_console(tmp_path)
    console.log_path.write_bytes(b"one\r\nBOOTED hostname=a uptime=1\r\nthree\r\n")
    line = await console.wait_for("hostname=a", timeout_s=30)
    assert line.text == "BOOTED hostname=a uptime=1"
    assert console.read(since=line.end) == "three\r\n"


async def test_what_was_written_before_the_offset_does_not_count(tmp_path: Path) -> None:
    console = make_console(tmp_path)
    console.log_path.write_bytes(b"BOOTED\n")
    with pytest.raises(ConsoleTimeout, match="no 'BOOTED'"):
        await console.wait_for("BOOTED", timeout_s=0.2, since=console.offset)


async def test_a_text_that_comes_in_pieces_is_found(tmp_path: Path) -> None:
    console = make_console(tmp_path)
    waiting = asyncio.create_task(console.wait_for("BOOTED", timeout_s=30))
    with console.log_path.open("ab", buffering=0) as log:
        for piece in (b"first\nBO", b"OT", b"ED", b" now\n"):
            log.write(piece)
            await asyncio.sleep(0.06)  # the pieces must reach the reader one by one
    assert (await waiting).text == "BOOTED now"


async def test_an_unfinished_line_is_found_when_the_guest_pauses(tmp_path: Path) -> None:
    console = make_console(tmp_path)
    console.log_path.write_bytes(b"\n/ # ")
    assert (await console.wait_for("/ #", timeout_s=30)).text == "/ # "


async def test_a_timeout_tells_what_the_machine_wrote(tmp_path: Path) -> None:
    console = make_console(tmp_path)
    console.log_path.write_bytes(b"Kernel panic - not syncing\n")
    with pytest.raises(ConsoleTimeout, match="Kernel panic"):
        await console.wait_for("BOOTED", timeout_s=0.1)


async def test_a_machine_that_never_ran_has_an_empty_console(tmp_path: Path) -> None:
    console = make_console(tmp_path)
    assert console.offset == 0
    assert console.read() == ""


async def test_sending_waits_for_the_echo(tmp_path: Path) -> None:
    console = make_console(tmp_path)
    received = bytearray()

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(100):
            received.extend(data)
            writer.write(data)
        writer.close()

    async with await asyncio.start_unix_server(echo, console.socket_path):
        await console.send("reboot\n", timeout_s=30)
    assert bytes(received) == b"reboot\n"


async def test_a_console_that_does_not_echo_is_reported(tmp_path: Path) -> None:
    console = make_console(tmp_path)

    async def swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with await asyncio.start_unix_server(swallow, console.socket_path):
        with pytest.raises(ConsoleTimeout, match="no echo of 'reboot"):
            await console.send("reboot\n", timeout_s=0.2)


async def test_the_tcp_door_passes_bytes_both_ways(tmp_path: Path) -> None:
    console = make_console(tmp_path)

    async def upper(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write((await reader.readexactly(3)).upper())
        await writer.drain()
        writer.close()

    reservation = PortReservation()
    relay = ConsoleRelay(console, reservation.port)
    async with await asyncio.start_unix_server(upper, console.socket_path), asyncio.timeout(30):
        await relay.open()
        reader, writer = await asyncio.open_connection("127.0.0.1", reservation.port)
        writer.write(b"abc")
        assert await reader.read() == b"ABC"
        writer.close()
        await writer.wait_closed()
    await relay.close()
    reservation.close()


async def test_the_tcp_door_says_when_the_machine_is_off(tmp_path: Path) -> None:
    reservation = PortReservation()
    relay = ConsoleRelay(make_console(tmp_path), reservation.port)
    await relay.open()
    reader, writer = await asyncio.open_connection("127.0.0.1", reservation.port)
    async with asyncio.timeout(30):
        assert b"off" in await reader.read()
    writer.close()
    await writer.wait_closed()
    await relay.close()
    reservation.close()
