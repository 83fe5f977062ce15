"""What image servers hold: look at it, fetch it, or read a range of it. Every wait has a deadline.

Two kinds of failure are kept apart. ``SourceError`` is a definite no (not found, forbidden, not a URL):
asking again will not help. ``Unavailable`` is no answer or a failing server: it may be different later, or
from another place of the network.
"""

import asyncio
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from bessemer.kernel.error import SourceError, Unavailable
from bessemer.transfer.blob import CHUNK_BYTES
from bessemer.transfer.url import shown

#: Refusals that are about this moment, not about the request. Source: RFC 9110, section 15.5; RFC 6585.
_PASSING = frozenset({408, 425, 429})
_TEXT_LIMIT_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class WebFacts:
    """What a server says of a resource. ``etag`` is '' when it has no strong one, ``modified`` when it does
    not say."""

    size: int | None
    etag: str
    modified: str
    is_ranged: bool


class Web:
    """Reads from image servers over one pooled session, which belongs to the caller."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        tls: ssl.SSLContext | bool = True,
        answer_timeout_s: float = 30.0,
        stall_timeout_s: float = 60.0,
    ) -> None:
        """``answer_timeout_s`` bounds a look or a small document, ``stall_timeout_s`` every pause between
        the pieces of a large one."""
        self._session = session
        self._tls = tls
        self._answer_timeout_s = answer_timeout_s
        self._stall_timeout_s = stall_timeout_s

    async def look(self, url: str, *, headers: Mapping[str, str] | None = None) -> WebFacts:
        """Ask for size and validator without the contents.

        HEAD first. A server that does not like HEAD (signed URLs are often good for GET alone) is asked for
        the first byte instead, and that answer counts.

        Raises:
            SourceError: A definite no, with the status.
            Unavailable: No answer in time, or a failing server.
        """
        async with self._answered(url), self._request("HEAD", url, headers) as response:
            is_ranged = response.headers.get("Accept-Ranges") == "bytes"
            if response.status == 200 and _content_length(response) is not None:
                return _facts(response, _content_length(response), is_ranged=is_ranged)
        first_byte = {**(headers or {}), "Range": "bytes=0-0"}
        async with self._answered(url), self._request("GET", url, first_byte) as response:
            if response.status == 206:
                return _facts(response, _complete_length(response), is_ranged=True)
            if response.status == 416 and response.headers.get("Content-Range") == "bytes */0":
                return _facts(response, 0, is_ranged=False)
            _judge(url, response.status)
            return _facts(response, _content_length(response), is_ranged=False)

    async def fetch_text(
        self, url: str, *, limit_bytes: int = _TEXT_LIMIT_BYTES, headers: Mapping[str, str] | None = None
    ) -> str:
        """Fetch a small document. Raises as ``look``, and SourceError when it is too long or not text."""
        async with self._answered(url), self._request("GET", url, headers) as response:
            _judge(url, response.status)
            data = bytearray()
            async for piece in response.content.iter_any():
                data += piece
                if len(data) > limit_bytes:
                    raise SourceError(f"{shown(url)} is longer than {limit_bytes} bytes.")
        try:
            return data.decode()
        except UnicodeDecodeError as error:
            raise SourceError(f"{shown(url)} is not text.") from error

    async def read(
        self,
        url: str,
        *,
        offset: int = 0,
        length: int | None = None,
        etag: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> AsyncGenerator[bytes, None]:
        """Give ``length`` bytes (None: all) from ``offset`` on, as fast as the caller takes them.

        ``etag`` asks for the resource as it was: a changed one is an error, not a mixture.

        Raises:
            SourceError: A definite no, an answer without the range asked for, or too short an answer.
            Unavailable: No answer, a stalled or a broken connection.
        """
        asked = dict(headers or {})
        is_range = offset > 0 or length is not None
        if is_range:
            asked["Range"] = f"bytes={offset}-" + (str(offset + length - 1) if length is not None else "")
            if etag:
                asked["If-Range"] = etag
        async with self._told(url), self._request("GET", url, asked) as response:
            _judge(url, response.status)
            if is_range and response.status != 206 and offset > 0:
                raise SourceError(f"{shown(url)} changed, or its server cannot send a part of it.")
            left = length
            async for piece in response.content.iter_chunked(CHUNK_BYTES):
                part = piece if left is None else piece[:left]
                yield part
                if left is not None:
                    left -= len(part)
                    if left == 0:
                        return
            if left:
                raise SourceError(f"{shown(url)} ended {left} bytes too early.")

    async def download(
        self, url: str, target: Path, *, limit_bytes: int, headers: Mapping[str, str] | None = None
    ) -> None:
        """Write the whole resource to ``target``. Raises as ``read``; may leave a partial file."""
        written = 0
        async with aclosing(self.read(url, headers=headers)) as pieces:
            with await asyncio.to_thread(target.open, "wb") as file:
                async for piece in pieces:
                    written += len(piece)
                    if written > limit_bytes:
                        raise SourceError(f"{shown(url)} is larger than {limit_bytes} bytes.")
                    await asyncio.to_thread(file.write, piece)

    async def call(
        self, url: str, *, headers: Mapping[str, str], proxy: str | None = None, timeout_s: float = 5.0
    ) -> int:
        """Send a GET whose answer nobody reads; its status. Raises SourceError for no URL, Unavailable."""
        async with (
            self._told(url),
            asyncio.timeout(timeout_s),
            self._session.get(url, headers=headers, proxy=proxy, ssl=self._tls) as response,
        ):
            return response.status

    @asynccontextmanager
    async def _request(
        self, method: str, url: str, headers: Mapping[str, str] | None
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        timeout = aiohttp.ClientTimeout(
            sock_connect=self._answer_timeout_s,
            connect=self._stall_timeout_s,
            sock_read=self._stall_timeout_s,
        )
        # Image bytes are passed on as they are stored: an encoding on the way would break sizes and hashes.
        asked = {**(headers or {}), "Accept-Encoding": "identity"}
        async with self._session.request(
            method,
            url,
            headers=asked,
            timeout=timeout,
            ssl=self._tls,
            allow_redirects=True,
            auto_decompress=False,
        ) as response:
            yield response

    @asynccontextmanager
    async def _answered(self, url: str) -> AsyncIterator[None]:
        """Bounds a short exchange as a whole, and tells its failures as ours."""
        async with self._told(url), asyncio.timeout(self._answer_timeout_s):
            yield

    @asynccontextmanager
    async def _told(self, url: str) -> AsyncIterator[None]:
        try:
            yield
        except aiohttp.InvalidURL as error:
            raise SourceError(f"{shown(url)} is not a usable URL.") from error
        except TimeoutError as error:
            raise Unavailable(f"{shown(url)} did not answer in time.") from error
        except aiohttp.ClientError as error:
            # Some of aiohttp's messages quote the whole URL; its class and reason are enough.
            reason = getattr(error, "strerror", None) or type(error).__name__
            raise Unavailable(f"{shown(url)} cannot be reached: {reason}.") from error


def _judge(url: str, status: int) -> None:
    if status in (200, 206):
        return
    message = f"{shown(url)} answered with HTTP status {status}."
    if 400 <= status < 500 and status not in _PASSING:
        raise SourceError(message)
    raise Unavailable(message)


def _facts(response: aiohttp.ClientResponse, size: int | None, *, is_ranged: bool) -> WebFacts:
    etag = response.headers.get("ETag", "")
    is_strong = etag.startswith('"') and etag.endswith('"')
    return WebFacts(size, etag if is_strong else "", response.headers.get("Last-Modified", ""), is_ranged)


def _content_length(response: aiohttp.ClientResponse) -> int | None:
    value = response.headers.get("Content-Length", "")
    return int(value) if value.isdecimal() else None


def _complete_length(response: aiohttp.ClientResponse) -> int | None:
    total = response.headers.get("Content-Range", "").rpartition("/")[2]
    return int(total) if total.isdecimal() else None
