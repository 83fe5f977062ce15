"""A terminal on the serial console of a machine."""

import asyncio
import contextlib
import os
import sys
import termios
import tty
from collections.abc import Iterator
from pathlib import Path

from bessemer_lab.console import join_streams

#: Ctrl-] leaves.
ESCAPE = b"\x1d"


async def attach(socket_path: Path) -> None:
    """Join standard input and output with the console until Ctrl-], end of input, or the machine's end.

    Raises:
        OSError: The machine is off.
    """
    reader, writer = await asyncio.open_unix_connection(str(socket_path))
    try:
        with _raw_terminal(sys.stdin.fileno()):
            keyboard = await _open_keyboard()
            await join_streams((keyboard, writer.write), (reader, _show))
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


def _show(data: bytes) -> None:
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


async def _open_keyboard() -> asyncio.StreamReader:
    """Standard input as a stream that ends at the escape key."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    descriptor = sys.stdin.fileno()

    def take() -> None:
        data = os.read(descriptor, 4096)
        before, escape, _ = data.partition(ESCAPE)
        if before:
            reader.feed_data(before)
        if escape or not data:
            loop.remove_reader(descriptor)
            reader.feed_eof()

    loop.add_reader(descriptor, take)
    return reader


@contextlib.contextmanager
def _raw_terminal(descriptor: int) -> Iterator[None]:
    """Every key goes to the machine; the terminal is as before at the end. Nothing to do for a pipe."""
    if not os.isatty(descriptor):
        yield
        return
    before = termios.tcgetattr(descriptor)
    try:
        tty.setraw(descriptor)
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
