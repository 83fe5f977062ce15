"""Downloading an image: several URLs in order, taken up again where the connection broke.

A broken connection is resumed with ``Range`` (and ``If-Range`` where the server gave a validator); a server
that answers with the whole image instead is read again up to where we were. Either way the bytes come out
once and in order, and the checksum has the last word.
"""

import re
import time
from collections.abc import Callable, Generator
from http.client import HTTPResponse
from typing import NamedTuple

from bessemer_agent.error import ImageDownloadFailed
from bessemer_agent.http_client import TRANSPORT_ERRORS, HttpClient, HttpStatusError, Route, without_query
from bessemer_agent.image.pipeline import CHUNK_BYTES
from bessemer_agent.journal import say

#: Statuses worth another try at the same URL.
_TEMPORARY = (408, 425, 429, 500, 502, 503, 504)
_CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")


class Patience(NamedTuple):
    """How long to keep trying."""

    #: Tries after the first without a byte in between.
    retries: int = 9
    #: Seconds between two.
    pause_s: float = 10.0
    #: Seconds for the whole download; 0 is unlimited.
    max_duration_s: float = 0.0


class Download:
    """One image on its way. :attr:`total_bytes` is known with the first chunk, if the server says it."""

    def __init__(
        self,
        urls: list[str],
        client: HttpClient,
        *,
        route: Route | None = None,
        patience: Patience | None = None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self.total_bytes: int | None = None
        self.received_bytes = 0
        self._urls = urls
        self._client = client
        self._route = route
        self._patience = patience or Patience()
        self._pause = pause
        self._validator: tuple[str, str] | None = None

    def chunks(self) -> Generator[bytes, None, None]:
        """The image's bytes.

        Raises:
            ImageDownloadFailed: No URL delivered it whole; says what each answered.
            InvalidRequest: A URL is not http(s).
        """
        started = time.monotonic()
        told = []
        for url in self._urls:
            failures = 0
            while failures <= self._patience.retries:
                before = self.received_bytes
                try:
                    yield from self._receive(url, started)
                except HttpStatusError as error:
                    reason, is_final = error.details, error.status not in _TEMPORARY
                except TRANSPORT_ERRORS as error:
                    reason, is_final = f"{type(error).__name__}: {error}", False
                else:
                    return
                failures = failures + 1 if self.received_bytes == before else 1
                say(
                    "download interrupted",
                    url=without_query(url),
                    received=self.received_bytes,
                    why=reason,
                    again=failures,
                )
                if is_final:
                    break
                if failures <= self._patience.retries:
                    self._pause(self._patience.pause_s)
            told.append(f"{without_query(url)}: {reason}")
        raise ImageDownloadFailed("; ".join(told))

    def _receive(self, url: str, started: float) -> Generator[bytes, None, None]:
        with self._client.open(url, headers=self._range_headers(url), route=self._route) as response:
            skip = self._begin(url, response)
            while chunk := response.read(CHUNK_BYTES):
                if (
                    self._patience.max_duration_s
                    and time.monotonic() - started > self._patience.max_duration_s
                ):
                    limit = self._patience.max_duration_s
                    raise ImageDownloadFailed(f"it took longer than {limit:.0f} s")
                if skip >= len(chunk):
                    skip -= len(chunk)
                    continue
                chunk, skip = chunk[skip:], 0
                self.received_bytes += len(chunk)
                yield chunk
        if self.total_bytes is not None and self.received_bytes < self.total_bytes:
            raise ConnectionError(
                f"the connection ended after {self.received_bytes} of {self.total_bytes} bytes"
            )

    def _range_headers(self, url: str) -> dict[str, str]:
        headers = {"Accept-Encoding": "identity"}
        if self.received_bytes:
            headers["Range"] = f"bytes={self.received_bytes}-"
            if self._validator and self._validator[0] == url:
                headers["If-Range"] = self._validator[1]
        return headers

    def _begin(self, url: str, response: HTTPResponse) -> int:
        """Learn from the headers; the number of bytes that were received before and come again."""
        etag, modified = response.headers.get("ETag"), response.headers.get("Last-Modified")
        validator = etag if etag and not etag.startswith("W/") else modified
        self._validator = (url, validator) if validator else None
        if response.status == 206:
            found = _CONTENT_RANGE.match(response.headers.get("Content-Range") or "")
            if not found or int(found[1]) != self.received_bytes:
                raise ImageDownloadFailed(
                    f"{without_query(url)}: the server sent another range than was asked for"
                )
            self._learn_total(url, None if found[2] == "*" else int(found[2]))
            return 0
        length = response.headers.get("Content-Length")
        self._learn_total(url, int(length) if length and length.isdigit() else None)
        return self.received_bytes

    def _learn_total(self, url: str, total: int | None) -> None:
        if self.received_bytes and total is not None and self.total_bytes not in (None, total):
            sizes = f"{total} bytes, before {self.total_bytes}"
            raise ImageDownloadFailed(f"{without_query(url)}: it changed while it was downloaded: {sizes}")
        if total is not None:
            self.total_bytes = total
