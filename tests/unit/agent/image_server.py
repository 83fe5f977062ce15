"""An image server on loopback that can misbehave as real ones do."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class ImageServer(ThreadingHTTPServer):
    """Serves :attr:`files` by path.

    Attributes:
        files: Bodies by path.
        drops: Body bytes after which the connection is cut, one entry for each request in turn.
        has_ranges: Whether Range is honoured.
        refusals: Statuses by path answered instead of the body, used up one by one.
        requests: Path and headers of each request.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files: dict[str, bytes] = {}
        self.drops: list[int] = []
        self.refusals: dict[str, list[int]] = {}
        self.redirects: dict[str, str] = {}
        self.has_ranges = True
        self.requests: list[tuple[str, dict[str, str]]] = []

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_port}{path}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that leave early are part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: ImageServer

    def do_GET(self) -> None:
        server = self.server
        server.requests.append((self.path, dict(self.headers)))
        path = self.path if self.path.startswith("/") else "/" + self.path.split("/", 3)[3]
        if path in server.redirects:
            self.send_response(302)
            self.send_header("Location", server.redirects[path])
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        refusals = server.refusals.get(path)
        body = server.files.get(path)
        if refusals or body is None:
            self.send_error(refusals.pop(0) if refusals else 404)
            return
        start = self._start(body)
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        self.send_header("ETag", '"v1"')
        self.send_header("Content-Length", str(len(body) - start))
        self.end_headers()
        drop = server.drops.pop(0) if server.drops else None
        self.wfile.write(body[start:] if drop is None else body[start : start + drop])
        if drop is not None:
            self.close_connection = True

    def _start(self, body: bytes) -> int:
        wanted = self.headers.get("Range")
        if not wanted or not self.server.has_ranges:
            return 0
        return int(wanted.removeprefix("bytes=").rstrip("-"))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it
        """Quiet."""


@contextmanager
def running_image_server() -> Iterator[ImageServer]:
    server = ImageServer()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
