"""The command API through a real TLS socket."""

import http.client
import shutil
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api.agent.agent_client import AgentClient
from bessemer_agent.certificate import Certificate, make_certificate
from bessemer_agent.context import Context, Machine
from bessemer_agent.error import InvalidRequest
from bessemer_agent.inventory.block_device import BlockDevice
from bessemer_agent.power import Power
from bessemer_agent.registry import Registry
from bessemer_agent.secret import Secret
from bessemer_agent.server import AgentServer, build_tls
from bessemer_agent.settings import Settings
from bessemer_agent.step import current_versions
from bessemer_agent.version import AGENT_VERSION

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
TOKEN = "s3cret-token"
ERASE = {"step": {"step": "erase_devices"}, "node": {}, "ports": []}


class World:
    """An agent whose disks are none, and whose look for disks can be held up."""

    def __init__(self, certificate: Certificate) -> None:
        self.certificate = certificate
        self.may_list = threading.Event()
        self.may_list.set()
        self.ended = threading.Event()
        self.powered: list[float] = []
        power = Power(later=lambda delay_s, action: self.powered.append(delay_s))
        self.context = Context(Settings(), Machine(self.list_devices, power=power))
        self.context.token = Secret(TOKEN)
        self.context.config = {"agent_token_required": True}
        self.registry = Registry(self.context, on_done=self.ended.set)
        tls = build_tls(certificate.cert_path, certificate.key_path, "1.2", None)
        self.server = AgentServer(("127.0.0.1", 0), self.context, self.registry, tls)

    def list_devices(self) -> list[BlockDevice]:
        assert self.may_list.wait(20)
        return []

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.server.server_port}"

    def client(self, token: str | None = TOKEN) -> AgentClient:
        return AgentClient(self.url, token, self.certificate.pem)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("tls"), ["127.0.0.1"])


@pytest.fixture
def world(certificate: Certificate) -> Iterator[World]:
    it = World(certificate)
    thread = threading.Thread(target=it.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield it
    it.may_list.set()
    it.server.shutdown()
    thread.join()
    it.server.server_close()


def test_the_root_and_the_version_describe_themselves_without_token(world: World) -> None:
    client = world.client(token=None)
    status, root = client.call("GET", "/")
    assert status == 200
    assert set(root) == {"name", "description", "versions", "default_version"}
    status, version = client.call("GET", "/v1/")
    assert (status, version["id"]) == (200, "v1")
    assert version["commands"][0]["href"] == f"{world.url}/v1/commands/"


@pytest.mark.parametrize("path", ["/v1/status", "/v1/status/", "/status"])
def test_the_status_needs_no_token(world: World, path: str) -> None:
    status, answer = world.client(token=None).call("GET", path)
    assert status == 200
    assert answer == {"started_at": world.server.started_at, "version": AGENT_VERSION}


@pytest.mark.parametrize("token", [None, "", "wrong", TOKEN + "x"])
def test_commands_need_the_token(world: World, token: str | None) -> None:
    client = world.client(token)
    body = {"name": "standby.sync", "params": {}}
    for method, path, sent in (
        ("GET", "/v1/commands/", None),
        ("GET", "/v1/commands/x", None),
        ("POST", "/v1/commands/", body),
        ("POST", "/commands/", body),
    ):
        status, answer = client.call(method, path, sent)
        assert status == 401
        assert answer["faultcode"] == "Client"
    assert world.registry.list_results() == []


def test_a_stranger_is_refused_before_anything_of_a_body_is_read(world: World) -> None:
    tls = ssl.create_default_context(cadata=world.certificate.pem)
    with tls.wrap_socket(
        socket.create_connection(("127.0.0.1", world.server.server_port), timeout=20),
        server_hostname="127.0.0.1",
    ) as stranger:
        stranger.sendall(b"POST /v1/commands/ HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n")
        answer = stranger.recv(4096)
    assert answer.startswith(b"HTTP/1.1 401 ")
    assert b"Connection: close\r\n" in answer


def test_a_sender_who_is_refused_hears_why_after_a_long_body(world: World) -> None:
    body = {"name": "standby.sync", "params": {"much": "x" * 20_000_000}}
    for token, code in (("wrong", 401), (TOKEN, 400)):
        assert world.client(token).call("POST", "/v1/commands/", body)[0] == code


def test_an_agent_without_token_refuses_where_one_is_required_and_works_where_not(world: World) -> None:
    world.context.token = None
    assert world.client(token=None).call("GET", "/v1/commands/")[0] == 401
    world.context.config = {}
    assert world.client(token=None).call("GET", "/v1/commands/")[0] == 200


def test_a_synchronous_command_answers_with_its_result(world: World) -> None:
    result = world.client().command("standby.sync", is_waited=False)
    assert result["command_status"] == "SUCCEEDED"
    assert result["command_name"] == "sync"
    assert result["command_error"] is None
    assert "command_progress" not in result
    info = world.client().command("poll.get_hardware_info")
    assert {"interfaces", "cpu", "disks"} <= set(info["command_result"])


def test_an_asynchronous_command_is_asked_for_until_it_ends(world: World) -> None:
    world.may_list.clear()
    client = world.client()
    started = client.command("clean.execute_clean_step", is_waited=False, **ERASE)
    assert started["command_status"] == "RUNNING"
    assert started["command_result"] is None
    assert set(started["command_progress"]) == {"percent", "phase", "bytes_done", "bytes_total"}
    status, shown = client.call("GET", f"/v1/commands/{started['id']}")
    assert (status, shown["command_status"]) == (200, "RUNNING")
    world.may_list.set()
    status, ended = client.call("GET", f"/v1/commands/{started['id']}", wait="true")
    assert ended["command_status"] == "SUCCEEDED"
    assert ended["command_result"] == {"clean_result": {}, "clean_step": {"step": "erase_devices"}}
    assert "command_progress" not in ended
    assert world.ended.wait(10)  # which forces a heartbeat


def test_only_one_command_runs_at_a_time(world: World) -> None:
    world.may_list.clear()
    client = world.client()
    running = client.command("clean.execute_clean_step", is_waited=False, **ERASE)
    for name in ("clean.execute_clean_step", "standby.sync"):
        params = ERASE if name.startswith("clean") else {}
        status, answer = client.call("POST", "/v1/commands/", {"name": name, "params": params})
        assert status == 409
        assert running["id"] in answer["faultstring"]
    world.may_list.set()
    client.call("GET", f"/v1/commands/{running['id']}", wait="true")
    assert client.command("standby.sync")["command_status"] == "SUCCEEDED"


def test_results_are_listed_oldest_first(world: World) -> None:
    client = world.client()
    names = ["standby.sync", "standby.get_partition_uuids", "log.collect_system_logs"]
    ids = [client.command(name)["id"] for name in names]
    _, answer = client.call("GET", "/v1/commands/")
    assert [result["id"] for result in answer["commands"]] == ids


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/commands/00000000-0000-4000-8000-000000000000"),
        ("GET", "/v1/nothing"),
        ("GET", "/v2/"),
        ("POST", "/v1/status"),
        ("POST", "/v1/commands/some-id"),
    ],
)
def test_what_is_not_there_is_404(world: World, method: str, path: str) -> None:
    status, answer = world.client().call(method, path, {} if method == "POST" else None)
    assert (status, answer["faultcode"]) == (404, "Client")


@pytest.mark.parametrize("name", ["standby.fly", "fly.sync", "sync", "standby.check_prepare_image"])
def test_an_unknown_command_is_404(world: World, name: str) -> None:
    status, answer = world.client().call("POST", "/v1/commands/", {"name": name, "params": {}})
    assert status == 404
    assert name in answer["faultstring"]


@pytest.mark.parametrize(
    "body",
    [
        b"not json",
        b"[]",
        {"name": "standby.sync"},
        {"params": {}},
        {"name": 1, "params": {}},
        {"name": "standby.sync", "params": []},
        {"name": "clean.execute_clean_step", "params": {"step": {}}},
        {"name": "standby.prepare_image", "params": {"image_info": {"id": "x", "urls": []}}},
    ],
)
def test_a_malformed_command_is_400_and_leaves_no_result(world: World, body: Any) -> None:
    status, answer = world.client().call("POST", "/v1/commands/", body)
    assert (status, answer["faultcode"]) == (400, "Client")
    assert world.registry.list_results() == []


def test_an_unknown_parameter_is_refused_in_the_words_services_retry_on(world: World) -> None:
    body = {"name": "standby.sync", "params": {"colour": "red"}}
    status, answer = world.client().call("POST", "/v1/commands/", body)
    assert status == 400
    assert "TypeError" in answer["faultstring"]
    assert "unexpected keyword argument 'colour'" in answer["faultstring"]


def test_a_failing_command_tells_what_kind_of_failure_it_was(world: World) -> None:
    params = ERASE | {"step": {"step": "write_image", "args": {"image_info": {"id": "x"}}}}
    result = world.client().command("deploy.execute_deploy_step", **params)
    assert result["command_status"] == "FAILED"
    assert result["command_result"] is None
    error = result["command_error"]
    assert (error["type"], error["code"]) == ("InvalidImage", 400)
    assert "urls" in error["details"]
    assert "urls" in error["message"]


def test_steps_listed_by_another_version_are_a_mismatch_not_a_failure(world: World) -> None:
    client = world.client()
    listed = client.command("clean.get_clean_steps", node={}, ports=[])["command_result"]
    assert listed["hardware_manager_version"] == current_versions()
    stale = {"generic_hardware_manager": "0"}
    result = client.command("clean.execute_clean_step", clean_version=stale, **ERASE)
    assert result["command_status"] == "CLEAN_VERSION_MISMATCH"
    fresh = client.command("clean.execute_clean_step", clean_version=current_versions(), **ERASE)
    assert fresh["command_status"] == "SUCCEEDED"


def test_power_off_is_answered_before_it_happens(world: World) -> None:
    assert world.client().command("standby.power_off")["command_status"] == "SUCCEEDED"
    assert world.client().command("standby.run_image")["command_status"] == "SUCCEEDED"
    assert world.powered == [1.0, 1.0]


def test_the_node_of_an_agent_without_lookup_can_be_told(world: World) -> None:
    world.client().command("poll.set_node_info", node_info={"node": {"uuid": "n"}, "config": {"a": 1}})
    assert world.context.node == {"uuid": "n"}
    assert world.context.config == {"a": 1}


def test_a_connection_is_kept_for_the_next_request(world: World) -> None:
    tls = ssl.create_default_context(cadata=world.certificate.pem)
    connection = http.client.HTTPSConnection("127.0.0.1", world.server.server_port, timeout=20, context=tls)
    try:
        for path in ("/v1/status", f"/v1/commands/?agent_token={TOKEN}", "/v1/nothing", "/"):
            connection.request("GET", path)
            connection.getresponse().read()
            assert connection.sock is not None
    finally:
        connection.close()


def test_a_certificate_the_service_does_not_know_is_not_trusted(world: World, tmp_path: Path) -> None:
    other = make_certificate(tmp_path / "other", ["127.0.0.1"])
    with pytest.raises(ssl.SSLCertVerificationError):
        AgentClient(world.url, TOKEN, other.pem).call("GET", "/")


def test_a_client_that_never_finishes_its_handshake_does_not_hold_up_others(world: World) -> None:
    with socket.create_connection(("127.0.0.1", world.server.server_port), timeout=20):
        assert world.client().call("GET", "/")[0] == 200


def test_old_tls_and_requests_without_length_are_refused(world: World) -> None:
    tls = ssl.create_default_context(cadata=world.certificate.pem)
    with (
        socket.create_connection(("127.0.0.1", world.server.server_port), timeout=20) as raw,
        tls.wrap_socket(raw, server_hostname="127.0.0.1") as connection,
    ):
        assert connection.version() in ("TLSv1.2", "TLSv1.3")
        connection.sendall(f"POST /v1/commands/?agent_token={TOKEN} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 400 ")


def test_the_least_tls_version_and_ciphers_are_the_services_choice(certificate: Certificate) -> None:
    files = (certificate.cert_path, certificate.key_path)
    assert build_tls(*files, "1.3", None).minimum_version == ssl.TLSVersion.TLSv1_3
    names = {cipher["name"] for cipher in build_tls(*files, "1.2", "ECDHE+AESGCM").get_ciphers()}
    assert "ECDHE-ECDSA-AES256-GCM-SHA384" in names
    with pytest.raises(InvalidRequest, match=r"1\.1"):
        build_tls(*files, "1.1", None)
    with pytest.raises(InvalidRequest, match="cipher"):
        build_tls(*files, "1.2", "NO-SUCH")


def test_neither_console_nor_logs_show_the_token(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    client = world.client()
    client.command("standby.sync")
    client.call("GET", "/v1/nothing")
    assert TOKEN not in capsys.readouterr().out
