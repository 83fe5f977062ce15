"""The service as an agent sees it: discovery, lookup, heartbeat, inspection callback."""

import json
import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

NODE_UUID = "11111111-2222-4333-8444-555555555555"


class FakeService(ThreadingHTTPServer):
    """Knows one node, hands its token out once, and keeps the heartbeats.

    Attributes:
        node: What lookup shows.
        config: What lookup tells; the token is added once.
        token: Handed out at the first lookup; None hands out none.
        lookups: Queries of the lookups.
        heartbeats: Bodies of the heartbeats, in a queue.
        reports: Paths and bodies of the inspection reports, in a queue.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.node: dict[str, Any] = {"uuid": NODE_UUID, "properties": {}, "instance_info": {}}
        self.config: dict[str, Any] = {"heartbeat_timeout": 30, "agent_token_required": True}
        self.token: str | None = "t" * 43
        self.is_token_given = False
        self.api_version = "1.115"
        self.lookups: list[dict[str, str]] = []
        self.heartbeats: queue.Queue[dict[str, Any]] = queue.Queue()
        self.reports: queue.Queue[tuple[str, dict[str, Any]]] = queue.Queue()

    def answer_lookup(self, query: dict[str, str]) -> dict[str, Any]:
        self.lookups.append(query)
        config = dict(self.config)
        if self.token:
            config["agent_token"] = "******" if self.is_token_given else self.token
            self.is_token_given = True
        return {"node": self.node, "config": config}


class _Handler(BaseHTTPRequestHandler):
    server: FakeService

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        if parts.path == "/":
            self._answer(200, {"default_version": {"id": "v1", "version": self.server.api_version}})
        elif parts.path == "/v1/lookup":
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            self._answer(200, self.server.answer_lookup(query))
        else:
            self._answer(404, {})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path.startswith("/v1/continue_inspection"):
            self.server.reports.put((self.path, body))
            self._answer(202, {"uuid": NODE_UUID, **self.server.answer_lookup({})})
            return
        if self.path != f"/v1/heartbeat/{self.server.node['uuid']}":
            self._answer(404, {})
            return
        self.server.heartbeats.put(body)
        self._answer(202, {})

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it
        """Quiet."""

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@contextmanager
def running_fake_service() -> Iterator[FakeService]:
    server = FakeService()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
