"""Sends a blob, whole or in part, without holding it, and no longer than somebody listens."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from bessemer.api.boot.ranges import NotSatisfiable, is_known, parse_range
from bessemer.kernel.error import BessemerError
from bessemer.transfer.blob import Blob

log = structlog.get_logger()

#: A client that takes nothing for this long is given up.
STALL_TIMEOUT_S = 300.0


class BlobResponse(Response):
    """Answers GET and HEAD with ``blob``; understands Range, If-Range and If-None-Match.

    When the source fails before its first byte the answer is 503; later the connection is cut, which the
    client sees as a body that is too short.
    """

    media_type = "application/octet-stream"

    def __init__(self, blob: Blob, *, node_uuid: str, stall_timeout_s: float = STALL_TIMEOUT_S) -> None:
        self.blob = blob
        self.node_uuid = node_uuid
        self.stall_timeout_s = stall_timeout_s
        self.background = None
        self.status_code = 200
        # What is sent may hold a token: nobody on the way may keep it.
        self.init_headers({"cache-control": "private, no-transform"})
        if blob.etag:
            self.headers["etag"] = blob.etag
        if blob.is_ranged and blob.size is not None:
            self.headers["accept-ranges"] = "bytes"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        if is_known(request.headers.get("if-none-match", ""), self.blob.etag):
            await self._send_empty(send, 304)
            return
        try:
            offset, length = self._select(request)
        except NotSatisfiable:
            self.headers["content-range"] = f"bytes */{self.blob.size}"
            self.headers["content-length"] = "0"
            await self._send_empty(send, 416)
            return
        if length is not None:
            self.headers["content-length"] = str(length)
        if request.method == "HEAD":
            await self._send_empty(send, self.status_code)
            return
        await self._stream(offset, length, receive, send)

    def _select(self, request: Request) -> tuple[int, int | None]:
        """What to send, as (offset, length); sets status and headers to match."""
        size, asked = self.blob.size, request.headers.get("range")
        if asked is None or size is None or not self.blob.is_ranged:
            return 0, size
        if request.headers.get("if-range", self.blob.etag) != self.blob.etag:
            return 0, size
        part = parse_range(asked, size)
        if part is None:
            return 0, size
        offset, length = part
        self.status_code = 206
        self.headers["content-range"] = f"bytes {offset}-{offset + length - 1}/{size}"
        return offset, length

    async def _stream(self, offset: int, length: int | None, receive: Receive, send: Send) -> None:
        is_part = self.status_code == 206
        gone = asyncio.create_task(_wait_gone(receive))
        try:
            async with aclosing(self.blob.read(offset, length if is_part else None)) as pieces:
                await self._send_pieces(pieces, gone, send)
        finally:
            gone.cancel()

    async def _send_pieces(
        self, pieces: AsyncGenerator[bytes, None], gone: asyncio.Task[None], send: Send
    ) -> None:
        is_started = False
        try:
            while True:
                piece = await anext(pieces, b"")
                if not is_started:
                    await self._start(send, self.status_code)
                    is_started = True
                async with asyncio.timeout(self.stall_timeout_s):
                    await send({"type": "http.response.body", "body": piece, "more_body": bool(piece)})
                if not piece or gone.done():
                    return
        except BessemerError as error:
            log.warning("boot artefact not sent", node=self.node_uuid, code=error.code, error=error.message)
            if not is_started:
                await self._send_unavailable(send)
        except TimeoutError:
            log.warning("boot artefact not taken in time", node=self.node_uuid)

    async def _send_unavailable(self, send: Send) -> None:
        for name in ("content-range", "accept-ranges", "etag"):
            if name in self.headers:
                del self.headers[name]
        self.headers["content-length"] = "0"
        await self._send_empty(send, 503)

    async def _send_empty(self, send: Send, status: int) -> None:
        await self._start(send, status)
        await send({"type": "http.response.body", "body": b""})

    async def _start(self, send: Send, status: int) -> None:
        await send({"type": "http.response.start", "status": status, "headers": self.raw_headers})


async def _wait_gone(receive: Receive) -> None:
    """Return when the client has closed the connection."""
    while (await receive())["type"] != "http.disconnect":
        pass
