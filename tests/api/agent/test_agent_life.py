"""The whole agent program, as a child process, against a service that is a fake."""

import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from api.agent.agent_client import AgentClient
from api.agent.fake_service import NODE_UUID, FakeService, running_fake_service
from bessemer_agent.inventory.nic import list_macs
from bessemer_agent.version import AGENT_VERSION

pytestmark = [
    pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed"),
    pytest.mark.skipif(not list_macs(), reason="this machine has no network interface to be found by"),
]
_MAIN = "import pathlib, sys; from bessemer_agent.main import main; sys.exit(main(pathlib.Path(sys.argv[1])))"
Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def service() -> Iterator[FakeService]:
    with running_fake_service() as running:
        yield running


@pytest.fixture
def start(tmp_path: Path, service: FakeService) -> Iterator[Start]:
    """Start the agent with kernel parameters; the root of its file system is the test's."""
    started: list[subprocess.Popen[str]] = []

    def start(**parameters: Any) -> "subprocess.Popen[str]":
        given = {
            "ipa-api-url": f"http://127.0.0.1:{service.server_port}",
            "ipa-listen-host": "127.0.0.1",
            "ipa-listen-port": free_port(),
            "ipa-advertise-host": "127.0.0.1",
        } | {name.replace("_", "-"): value for name, value in parameters.items()}
        (tmp_path / "proc").mkdir(exist_ok=True)
        (tmp_path / "proc/cmdline").write_text(" ".join(f"{name}={value}" for name, value in given.items()))
        argv = [sys.executable, "-c", _MAIN, str(tmp_path)]
        child = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        started.append(child)
        return child

    yield start
    for child in started:
        child.kill()
        child.communicate()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def client_of(heartbeat: dict[str, Any], token: str | None) -> AgentClient:
    return AgentClient(heartbeat["callback_url"], token, heartbeat.get("agent_verify_ca"))


def test_an_agent_looks_itself_up_beats_and_serves_with_a_certificate_it_made(
    start: Start, service: FakeService
) -> None:
    start()
    heartbeat = service.heartbeats.get(timeout=60)
    assert heartbeat["callback_url"].startswith("https://127.0.0.1:")
    assert heartbeat["agent_version"] == AGENT_VERSION
    assert heartbeat["agent_token"] == service.token
    assert set(service.lookups[0]["addresses"].split(",")) == set(list_macs())
    client = client_of(heartbeat, service.token)
    client.wait_until_answering()
    assert client.command("standby.sync")["command_status"] == "SUCCEEDED"
    assert client_of(heartbeat, "wrong").call("GET", "/v1/commands/")[0] == 401


def test_an_agent_that_was_started_again_still_knows_its_token_and_node(
    start: Start, service: FakeService
) -> None:
    first = start()
    service.heartbeats.get(timeout=60)
    first.kill()
    first.wait()
    start()
    assert service.heartbeats.get(timeout=60)["agent_token"] == service.token
    assert service.lookups[1]["node_uuid"] == NODE_UUID


def test_a_token_given_at_boot_is_used(start: Start, service: FakeService) -> None:
    service.token = None
    start(ipa_agent_token="from-the-iso")
    heartbeat = service.heartbeats.get(timeout=60)
    assert heartbeat["agent_token"] == "from-the-iso"
    client = client_of(heartbeat, "from-the-iso")
    client.wait_until_answering()
    assert client.call("GET", "/v1/commands/")[0] == 200


def test_the_node_the_medium_names_is_asked_for(start: Start, service: FakeService) -> None:
    start(ipa_node_uuid="named-by-the-iso")
    service.heartbeats.get(timeout=60)
    assert service.lookups[0]["node_uuid"] == "named-by-the-iso"


def test_a_service_too_old_to_verify_certificates_is_served_plainly(
    start: Start, service: FakeService
) -> None:
    service.api_version = "1.62"
    start()
    heartbeat = service.heartbeats.get(timeout=60)
    assert heartbeat["callback_url"].startswith("http://")
    assert "agent_verify_ca" not in heartbeat


def test_the_end_of_a_command_is_told_by_a_heartbeat(start: Start, service: FakeService) -> None:
    service.config["heartbeat_timeout"] = 3600
    start()
    heartbeat = service.heartbeats.get(timeout=60)
    client = client_of(heartbeat, service.token)
    client.wait_until_answering()
    step = {"step": {"step": "no_such_step"}, "node": {}, "ports": []}
    assert client.command("clean.execute_clean_step", **step)["command_status"] == "FAILED"
    assert service.heartbeats.get(timeout=60)["callback_url"] == heartbeat["callback_url"]


def test_an_agent_whose_token_went_to_another_ends_and_says_what_to_do(
    start: Start, service: FakeService
) -> None:
    service.is_token_given = True
    child = start()
    output, _ = child.communicate(timeout=60)
    assert child.returncode == 1
    assert "power-cycle the machine" in output


def test_a_wrong_boot_parameter_ends_the_agent_with_its_name(start: Start) -> None:
    child = start(ipa_lookup_timeout="soon")
    output, _ = child.communicate(timeout=60)
    assert child.returncode == 1
    assert "lookup_timeout" in output


def test_an_agent_nobody_knows_gives_up_after_the_timeout(start: Start, service: FakeService) -> None:
    service.node = {}
    child = start(ipa_lookup_timeout=2)
    output, _ = child.communicate(timeout=60)
    assert child.returncode == 1
    assert "no success within 2 s" in output


def test_the_console_never_shows_the_token(start: Start, service: FakeService) -> None:
    child = start()
    heartbeat = service.heartbeats.get(timeout=60)
    client = client_of(heartbeat, service.token)
    client.wait_until_answering()
    client.command("log.collect_system_logs")
    child.terminate()
    output, _ = child.communicate(timeout=60)
    assert "serving commands" in output
    assert str(service.token) not in output


def test_an_agent_booted_for_inspection_reports_once_and_then_serves(
    start: Start, service: FakeService
) -> None:
    callback = f"http://127.0.0.1:{service.server_port}/v1/continue_inspection"
    first = start(ipa_inspection_callback_url=callback, BOOTIF="01-52-54-00-00-00-01")
    path, report = service.reports.get(timeout=60)
    assert path == "/v1/continue_inspection"
    macs = {interface["mac_address"] for interface in report["inventory"]["interfaces"]}
    assert (macs, report["error"]) == (set(list_macs()), None)
    assert report["boot_interface"] == "01-52-54-00-00-00-01"
    heartbeat = service.heartbeats.get(timeout=60)
    assert heartbeat["agent_token"] == service.token
    assert service.lookups[-1]["node_uuid"] == NODE_UUID
    first.kill()
    first.wait()
    start(ipa_inspection_callback_url=callback)
    assert service.heartbeats.get(timeout=60)["agent_token"] == service.token
    assert service.reports.empty()
