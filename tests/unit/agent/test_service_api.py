import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from bessemer_agent.http_client import HttpClient, HttpStatusError
from bessemer_agent.secret import Secret
from bessemer_agent.service_api import BadAnswer, ServiceApi, parse_version


class Service(ThreadingHTTPServer):
    """Answers by path what it is told to, and keeps what it was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: dict[str, tuple[int, object]] = {}
        self.asked: list[tuple[str, dict[str, str], object]] = []


class _Handler(BaseHTTPRequestHandler):
    server: Service

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else None
        self.server.asked.append((self.path, dict(self.headers), body))
        status, answer = self.server.answers.get(self.path.partition("?")[0], (404, {"error": "no"}))
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(answer if isinstance(answer, bytes) else json.dumps(answer).encode())

    do_POST = do_GET  # noqa: N815 - the base class names it

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it
        """Quiet."""


@pytest.fixture
def service() -> Iterator[Service]:
    server = Service()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def api(server: Service, version: str | None = None) -> ServiceApi:
    return ServiceApi(f"http://127.0.0.1:{server.server_port}", HttpClient(5.0), version, "req-1")


def has_version(server: Service, version: str) -> None:
    server.answers["/"] = (200, {"default_version": {"id": "v1", "version": version}})


def test_lookup_names_the_macs_and_no_newer_version_than_both_know(service: Service) -> None:
    has_version(service, "1.115")
    service.answers["/v1/lookup"] = (200, {"node": {"uuid": "n1"}, "config": {"agent_token": "secret"}})
    found = api(service).lookup(["aa:bb", "cc:dd"], None)
    path, headers, _ = service.asked[-1]
    assert path == "/v1/lookup?addresses=aa%3Abb%2Ccc%3Add"
    assert headers["X-Openstack-Ironic-Api-Version"] == "1.62"
    assert headers["X-Openstack-Request-Id"] == "req-1"
    assert found.token == Secret("secret")
    assert "secret" not in repr(found.token)


def test_an_older_service_is_asked_in_its_own_version(service: Service) -> None:
    has_version(service, "1.31")
    service.answers["/v1/lookup"] = (200, {"node": {"uuid": "n1"}, "config": {}})
    assert api(service).lookup(["aa"], "n1").token is None
    path, headers, _ = service.asked[-1]
    assert headers["X-Openstack-Ironic-Api-Version"] == "1.31"
    assert "node_uuid=n1" in path


def test_a_service_that_does_not_tell_its_version_is_taken_for_an_old_one(service: Service) -> None:
    service.answers["/"] = (200, {"hello": "world"})
    assert api(service).version == (1, 31)


def test_a_token_given_away_before_is_known_as_such(service: Service) -> None:
    service.answers["/v1/lookup"] = (200, {"node": {"uuid": "n1"}, "config": {"agent_token": "******"}})
    found = api(service, "1.70").lookup(["aa"], None)
    assert found.token is None
    assert found.is_token_given_away


@pytest.mark.parametrize("answer", [{}, {"node": {}, "config": {}}, {"node": {"uuid": "x"}}, [], b"<html>"])
def test_an_answer_without_node_makes_no_sense(service: Service, answer: object) -> None:
    service.answers["/v1/lookup"] = (200, answer)
    with pytest.raises(BadAnswer):
        api(service, "1.70").lookup(["aa"], None)


@pytest.mark.parametrize(
    ("version", "fields"),
    [
        ("1.22", {"callback_url"}),
        ("1.36", {"callback_url", "agent_version"}),
        ("1.62", {"callback_url", "agent_version", "agent_token"}),
        ("1.68", {"callback_url", "agent_version", "agent_token", "agent_verify_ca"}),
        ("1.115", {"callback_url", "agent_version", "agent_token", "agent_verify_ca"}),
    ],
)
def test_a_heartbeat_says_only_what_the_service_understands(
    service: Service, version: str, fields: set[str]
) -> None:
    service.answers["/v1/heartbeat/n1"] = (202, {})
    api(service, version).heartbeat("n1", "https://10.0.0.1:9999", Secret("t"), "PEM")
    _, headers, body = service.asked[-1]
    assert isinstance(body, dict)
    assert set(body) == fields
    assert headers["X-Openstack-Ironic-Api-Version"] == min(version, "1.68", key=parse_version)


def test_a_refused_heartbeat_is_an_error_with_its_status(service: Service) -> None:
    service.answers["/v1/heartbeat/n1"] = (409, {"error_message": "node is locked"})
    with pytest.raises(HttpStatusError, match="node is locked") as caught:
        api(service, "1.68").heartbeat("n1", "https://a", None, None)
    assert caught.value.status == 409


REPORTED = "/v1/continue_inspection"


def test_a_report_names_the_node_and_the_answer_may_hold_a_token(service: Service) -> None:
    has_version(service, "1.115")
    service.answers[REPORTED] = (202, {"uuid": "n1", "config": {"agent_token": "secret"}})
    url = f"http://127.0.0.1:{service.server_port}{REPORTED}"
    found = api(service).report_inspection(url, {"inventory": {}}, "n1")
    path, headers, body = service.asked[-1]
    assert (path, headers["X-Openstack-Ironic-Api-Version"]) == (f"{REPORTED}?node_uuid=n1", "1.84")
    assert (body, found.node_uuid, found.token) == ({"inventory": {}}, "n1", Secret("secret"))


def test_a_service_older_than_the_callback_is_called_in_the_oldest_version(service: Service) -> None:
    service.answers[REPORTED] = (202, {"uuid": "n1"})
    url = f"http://127.0.0.1:{service.server_port}{REPORTED}"
    found = api(service, "1.83").report_inspection(url, {}, "n1")
    path, headers, _ = service.asked[-1]
    assert (path, headers["X-Openstack-Ironic-Api-Version"]) == (REPORTED, "1.1")
    assert (found.node_uuid, found.token) == ("n1", None)
