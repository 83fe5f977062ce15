"""A TLS connection that costs little while nothing is said on it: one to each of ten thousand BMCs is kept.

The event loop's own TLS reads into a buffer of 256 KiB for each connection and passes everything through two
more. Here OpenSSL reads and writes the socket itself, and gives its buffers back after each record: an idle
connection is what OpenSSL must remember of it, some 20 KiB, and little else. Source: OpenSSL,
SSL_CTX_set_mode(3): SSL_MODE_RELEASE_BUFFERS, which Python sets.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

#: The most that one TLS record holds. Source: RFC 8446, section 5.1.
_RECORD_BYTES = 16 * 1024
#: Unsent bytes above which the protocol is asked to pause.
_MOST_UNSENT_BYTES = 64 * 1024
#: Longest wait, when closed, until the other side has taken what was written before.
_CLOSE_S = 10.0

Buffer = bytes | bytearray | memoryview


class TlsStream(asyncio.Transport):
    """The transport of ``protocol``. Made by ``open_stream``."""

    __slots__ = (
        "_is_closing",
        "_is_paused",
        "_is_throttled",
        "_limit",
        "_loop",
        "_protocol",
        "_socket",
        "_unsent",
    )

    def __init__(
        self, loop: asyncio.AbstractEventLoop, secure: ssl.SSLSocket, protocol: asyncio.Protocol
    ) -> None:
        self._loop = loop
        self._socket = secure
        self._protocol = protocol
        #: None while there is nothing to be sent: an empty buffer for each connection is memory too.
        self._unsent: bytearray | None = None
        self._is_closing = self._is_paused = self._is_throttled = False
        self._limit: asyncio.TimerHandle | None = None
        protocol.connection_made(self)
        loop.add_reader(secure.fileno(), self._read)

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """What asyncio's TLS transports tell, by the same names."""
        secure = self._socket
        if name in ("socket", "ssl_object"):
            return secure
        if name == "sslcontext":
            return secure.context
        told: dict[str, Callable[[], Any]] = {
            "peername": secure.getpeername,
            "sockname": secure.getsockname,
            "peercert": secure.getpeercert,
            "cipher": secure.cipher,
        }
        try:
            return told[name]() if name in told else default
        except (OSError, ValueError):  # it is closed
            return default

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        if not isinstance(protocol, asyncio.Protocol):
            raise TypeError("the protocol must take what is read as bytes")
        self._protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self._protocol

    # ------------------------------------------------------------------ reading

    def is_reading(self) -> bool:
        return not self._is_paused and not self._is_closing

    def pause_reading(self) -> None:
        if self.is_reading():
            self._is_paused = True
            self._loop.remove_reader(self._socket.fileno())

    def resume_reading(self) -> None:
        if self._is_paused and not self._is_closing:
            self._is_paused = False
            self._loop.add_reader(self._socket.fileno(), self._read)
            # What OpenSSL has read already does not make the socket readable.
            self._loop.call_soon(self._read)

    def _read(self) -> None:
        if self._unsent:
            self._flush()  # it may have waited for something to be read
        try:
            while self.is_reading():
                data = self._socket.recv(_RECORD_BYTES)
                if not data:  # with or without a goodbye: BMCs often do without
                    self._protocol.eof_received()
                    self._end(None)
                    return
                self._protocol.data_received(data)
                if self._is_closing or not self._socket.pending():
                    return
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return
        except OSError as error:
            self._end(error)

    # ------------------------------------------------------------------ writing

    def write(self, data: Buffer) -> None:
        if self._is_closing or not data:
            return
        if self._unsent is None:
            self._unsent = bytearray()
        self._unsent += data
        if len(self._unsent) == len(data):
            self._flush()
        if self.get_write_buffer_size() > _MOST_UNSENT_BYTES and not self._is_throttled:
            self._is_throttled = True
            self._protocol.pause_writing()

    def writelines(self, list_of_data: Iterable[Buffer]) -> None:
        self.write(b"".join(list_of_data))

    def get_write_buffer_size(self) -> int:
        return len(self._unsent) if self._unsent else 0

    def get_write_buffer_limits(self) -> tuple[int, int]:
        return 0, _MOST_UNSENT_BYTES

    def can_write_eof(self) -> bool:
        return False

    def _flush(self) -> None:
        """Send what can be sent now, and see to it that the rest follows."""
        file = self._socket.fileno()
        try:
            while self._unsent:
                del self._unsent[: self._socket.send(self._unsent)]
        except ssl.SSLWantWriteError:
            self._loop.add_writer(file, self._flush)
            return
        except ssl.SSLWantReadError:
            self._loop.remove_writer(file)
            return
        except OSError as error:
            self._end(error)
            return
        self._unsent = None
        self._loop.remove_writer(file)
        if self._is_throttled:
            self._is_throttled = False
            self._protocol.resume_writing()
        if self._is_closing:
            self._end(None)

    # ------------------------------------------------------------------ the end

    def is_closing(self) -> bool:
        return self._is_closing

    def close(self) -> None:
        """Send what was written, say goodbye, and close. Idempotent."""
        if self._is_closing:
            return
        if not self._unsent:
            self._end(None)
            return
        self._is_closing = True
        self._loop.remove_reader(self._socket.fileno())
        self._limit = self._loop.call_later(_CLOSE_S, self.abort)

    def abort(self) -> None:
        """Close at once. Idempotent."""
        self._unsent = None
        self._end(None, says_goodbye=False)

    def _end(self, error: Exception | None, *, says_goodbye: bool = True) -> None:
        file = self._socket.fileno()
        if file < 0:
            return
        self._is_closing = True
        self._loop.remove_reader(file)
        self._loop.remove_writer(file)
        if self._limit is not None:
            self._limit.cancel()
        if says_goodbye and error is None:
            # The other side's goodbye is not waited for: it says nothing that matters any more.
            with suppress(OSError, ValueError):
                self._socket.unwrap()
        self._socket.close()
        self._loop.call_soon(self._protocol.connection_lost, error)


async def open_stream(
    connected: socket.socket,
    context: ssl.SSLContext,
    server_hostname: str | None,
    protocol: Callable[[], asyncio.Protocol],
) -> TlsStream:
    """Shake hands over ``connected``, which is the stream's own from now on, and closed if that fails.

    No deadline of its own: the caller's ends it.

    Raises:
        ssl.SSLCertVerificationError: The other side is not who it should be, by the rules of ``context``.
        ssl.SSLError: The two cannot agree.
        OSError: The connection broke.
    """
    loop = asyncio.get_running_loop()
    connected.setblocking(False)
    try:
        secure = context.wrap_socket(
            connected, server_hostname=server_hostname, do_handshake_on_connect=False
        )
    except BaseException:
        connected.close()
        raise
    try:
        await _shake_hands(loop, secure)
        return TlsStream(loop, secure, protocol())
    except BaseException:
        secure.close()
        raise


async def _shake_hands(loop: asyncio.AbstractEventLoop, secure: ssl.SSLSocket) -> None:
    file = secure.fileno()
    while True:
        ready: asyncio.Future[None] = loop.create_future()
        try:
            secure.do_handshake()
        except ssl.SSLWantReadError:
            loop.add_reader(file, _tell, ready)
        except ssl.SSLWantWriteError:
            loop.add_writer(file, _tell, ready)
        else:
            return
        try:
            await ready
        finally:
            loop.remove_reader(file)
            loop.remove_writer(file)


def _tell(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)
