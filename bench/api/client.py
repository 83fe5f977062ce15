"""One client on one kept connection, the same for every server measured."""

import http.client
import json
import time
from typing import Any

VERSION = "1.115"
_HEADERS = {"X-OpenStack-Ironic-API-Version": VERSION, "Content-Type": "application/json"}
_TIMEOUT_S = 120.0


class Client:
    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT_S)
        #: Seconds that each call took since ``forget``, as seen from here.
        self.latencies_s: list[float] = []

    def close(self) -> None:
        self._connection.close()

    def call(self, method: str, path: str, body: Any = None) -> bytes:
        """The body of the answer. Raises RuntimeError when the server refuses."""
        content = None if body is None else json.dumps(body).encode()
        began = time.perf_counter()
        self._connection.request(method, path, content, _HEADERS)
        answer = self._connection.getresponse()
        held = answer.read()
        self.latencies_s.append(time.perf_counter() - began)
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path}: HTTP {answer.status} {held[:300]!r}")
        return held

    def get(self, path: str) -> Any:
        return json.loads(self.call("GET", path))
