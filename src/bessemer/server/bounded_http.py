"""HTTP with a bound on what brings a request no further: uvicorn takes in heads without end, and trailers
behind a body in chunks (RFC 9112, 7.1.2), and waits for the rest of a head for ever.

Bodies are bounded where they are read (``api.v1.body``), pauses between requests by uvicorn.
"""

from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

#: Of a head that is not complete, of trailers, between chunks; what comes along with what brings the request
#: further is not counted.
MOST_BYTES = 64 * 1024
#: A head that is not complete, or has not begun on a new connection, is waited for so long, or at most twice.
PATIENCE_S = 60.0


class BoundedHttp(HttpToolsProtocol):
    patience_s = PATIENCE_S

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._is_further = False
        self._bytes_in_vain = 0
        self._stuck_after: tuple[object] | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._stuck_after = (None,)
        self._looking = self.loop.call_later(self.patience_s, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        self._looking.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._is_further = False
        super().data_received(data)
        if self._is_further:
            self._bytes_in_vain = 0
            return
        self._bytes_in_vain += len(data)
        if self._bytes_in_vain > MOST_BYTES and not self.transport.is_closing():
            self.send_400_response("The head of the request, or what comes with its body, is too large.")

    def on_headers_complete(self) -> None:
        self._is_further = True
        super().on_headers_complete()
        self.headers = self.headers.copy()  # trailers go there, where nobody asks for them

    def on_body(self, body: bytes) -> None:
        self._is_further = True
        super().on_body(body)

    def _look(self) -> None:
        """Close a connection that got no further in a request since the last look."""
        is_idle = self.cycle is None or self.cycle.response_complete
        stuck_after = (self.cycle,) if is_idle and self.timeout_keep_alive_task is None else None
        if stuck_after is not None and stuck_after == self._stuck_after:
            self.transport.close()
            return
        self._stuck_after = stuck_after
        self._looking = self.loop.call_later(self.patience_s, self._look)
