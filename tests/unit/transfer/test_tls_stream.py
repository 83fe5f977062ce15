"""TLS over a socket of its own: whole both ways, verified, and closed in an orderly way."""

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from bessemer.transfer.tls import TlsRules, client_context
from bessemer.transfer.tls_stream import TlsStream, open_stream
from fakes.certificate import ServerCertificate, make_certificate

MUCH = bytes(range(256)) * 16 * 1024  # 4 MiB: more than any buffer on the way
#: struct linger: on, for no time at all.
RESET_AT_CLOSE = struct.pack("ii", 1, 0)
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Listener(asyncio.Protocol):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.read = bytearray()
        self.told: list[str] = []
        self.error: BaseException | None = None
        self.changed = asyncio.Condition()

    def _note(self, what: str) -> None:
        self.told.append(what)
        asyncio.get_running_loop().create_task(self._tell())

    async def _tell(self) -> None:
        async with self.changed:
            self.changed.notify_all()

    def data_received(self, data: bytes) -> None:
        self.read += data
        self._note("data")

    def eof_received(self) -> None:
        self._note("eof")

    def pause_writing(self) -> None:
        self._note("pause")

    def resume_writing(self) -> None:
        self._note("resume")

    def connection_lost(self, exc: BaseException | None) -> None:
        self.error = exc
        self._note("lost")

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(20), self.changed:
            await self.changed.wait_for(condition)


@pytest.fixture
def certificate(tmp_path: Path) -> ServerCertificate:
    return make_certificate(tmp_path, is_ca=True)


@asynccontextmanager
async def served(certificate: ServerCertificate, handler: Handler) -> AsyncIterator[int]:
    """A TLS server; gives its port."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            await handler(reader, writer)
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()

    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=certificate.context())
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def opened(
    port: int, certificate: ServerCertificate, *, name: str = "127.0.0.1", **rules: object
) -> tuple[TlsStream, Listener]:
    context = client_context(TlsRules(**{"verify": str(certificate.certificate), **rules}), "x")
    stream = await open_stream(socket.create_connection(("127.0.0.1", port)), context, name, Listener)
    listener = stream.get_protocol()
    assert isinstance(listener, Listener)
    return stream, listener


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_much_is_carried_whole_in_both_directions_at_once(certificate, version) -> None:
    certificate_context = certificate.context()
    certificate_context.maximum_version = version
    async with served(certificate, echo) as port:
        stream, listener = await opened(port, certificate)
        stream.writelines([MUCH[:1000], MUCH[1000:]])
        await listener.until(lambda: len(listener.read) == len(MUCH))
        stream.abort()
    assert bytes(listener.read) == MUCH
    assert listener.told.index("pause") < listener.told.index("resume")


async def test_a_server_that_is_not_trusted_is_refused(certificate, tmp_path) -> None:
    (tmp_path / "other").mkdir()
    other = make_certificate(tmp_path / "other", is_ca=True)
    async with served(certificate, echo) as port:
        with pytest.raises(ssl.SSLCertVerificationError):
            await opened(port, other)


async def test_a_server_of_another_name_is_refused(certificate) -> None:
    async with served(certificate, echo) as port:
        with pytest.raises(ssl.SSLCertVerificationError, match="IP address mismatch"):
            await opened(port, certificate, name="127.0.0.2")


async def test_the_servers_goodbye_is_an_end_without_an_error(certificate) -> None:
    async def say_little(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"little")

    async with served(certificate, say_little) as port:
        stream, listener = await opened(port, certificate)
        await listener.until(lambda: "lost" in listener.told)
    assert (bytes(listener.read), listener.error) == (b"little", None)
    assert listener.told[-2:] == ["eof", "lost"]
    assert stream.is_closing()


async def test_what_was_written_before_closing_arrives(certificate) -> None:
    arrived: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    async def read_all(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        arrived.set_result(await reader.read(-1))

    async with served(certificate, read_all) as port:
        stream, listener = await opened(port, certificate)
        stream.write(MUCH)
        stream.close()
        stream.close()
        stream.write(b"too late")
        assert await asyncio.wait_for(arrived, 60) == MUCH
        await listener.until(lambda: "lost" in listener.told)
    assert listener.told.count("lost") == 1


async def test_nothing_is_read_while_reading_is_paused(certificate) -> None:
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(MUCH)
        await writer.drain()
        await reader.read()

    async with served(certificate, greet) as port:
        stream, listener = await opened(port, certificate)
        stream.write(b"hello\n")
        await listener.until(lambda: bool(listener.read))
        stream.pause_reading()
        held = len(listener.read)
        # Another exchange goes on meanwhile: the loop has had every occasion to read.
        other, heard = await opened(port, certificate)
        other.write(b"hello\n")
        await heard.until(lambda: len(heard.read) == len(MUCH))
        assert len(listener.read) == held < len(MUCH)
        stream.resume_reading()
        await listener.until(lambda: len(listener.read) == len(MUCH))
        stream.abort()
        other.abort()


async def test_a_connection_that_breaks_ends_like_one_that_is_closed(certificate) -> None:
    """BMCs often close without a goodbye: whether an answer is whole, HTTP has to tell."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def cut() -> None:
            accepted, _ = listening.accept()
            accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_CLOSE)
            certificate.context().wrap_socket(accepted, server_side=True).close()

        cutting = asyncio.create_task(asyncio.to_thread(cut))
        _, listener = await opened(listening.getsockname()[1], certificate)
        await listener.until(lambda: "lost" in listener.told)
        await cutting
    assert listener.told == ["eof", "lost"]


async def test_a_handshake_that_is_given_up_leaves_no_socket_open() -> None:
    """Warnings are errors: a socket that were left open would be one."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        connected = socket.create_connection(silent.getsockname())
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await open_stream(connected, client_context(TlsRules(verify=False), "x"), None, Listener)
    assert connected.fileno() == -1
