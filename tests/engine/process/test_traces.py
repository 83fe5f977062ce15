"""Traces of real processes, taken by a collector: one tree from a request to the calls it led to."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from bessemer_lab.fleet import Fleet, Pace
from fakes.canary import CANARY, WATCH
from fakes.engine import eventually
from fakes.process_site import HEADERS, START_S, Site, verified
from fakes.trace_collector import Collector, Told, collecting
from fakes.wait import until

SERVER, CLIENT = 2, 3
PACE = Pace(answer_s=0.01, power_s=0.1, boot_s=8.0, command_s=0.1)
#: A caller's own trace.
TRACE, CALLER = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
PATIENCE_S = 120.0


@pytest.fixture
def family() -> str:
    return "sqlite"


@pytest_asyncio.fixture
async def collector(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Collector]:
    async with collecting() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "100")
        yield collector


@pytest_asyncio.fixture
async def site(database_url: str, tmp_path: Path) -> AsyncIterator[Site]:
    async with AsyncExitStack() as stack:
        yield Site(tmp_path, database_url, stack)


async def asked(
    site: Site, method: str, path: str, body: Any = None, headers: Mapping[str, str] = {}
) -> Mapping[str, str]:
    """The headers of the answer, which must be a good one."""
    address = f"http://127.0.0.1:{site.port}{path}"
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, address, json=body, headers={**HEADERS, **headers}) as answer,
    ):
        assert answer.status < 300, await answer.text()
        return answer.headers


async def is_in(site: Site, name: str, state: str) -> None:
    async def is_there() -> bool:
        node = await site.get(f"/v1/nodes/{name}")
        assert node["provision_state"] != "deploy failed", node["last_error"]
        return bool(node["provision_state"] == state)

    await eventually(is_there, PATIENCE_S)


def write_for_fleet(site: Site, directory: Path) -> dict[str, str]:
    """Settings for machines that boot an agent; what is to be written to them."""
    for name in ("kernel", "ramdisk"):
        (directory / name).write_bytes(name.encode())
    image = directory / "image.raw"
    image.write_bytes(bytes(510) + b"\x55\xaa" + bytes(65024))
    site.write(
        more="enabled_hardware_types = redfish\n[tracing]\nenabled = true\n"
        "[conductor]\nautomated_clean = false\nsync_power_state_interval = 1\nlease_time = 3\n"
        f"file_url_allowed_paths = {directory}\n"
        f"deploy_kernel = file://{directory}/kernel\ndeploy_ramdisk = file://{directory}/ramdisk\n"
    )
    return {
        "image_source": f"file://{image}",
        "image_checksum": hashlib.sha256(image.read_bytes()).hexdigest(),
    }


async def make_available(site: Site, fleet: Fleet, image: Mapping[str, str]) -> None:
    info = fleet.driver_info(0)
    WATCH.learn(json.dumps(info).encode())
    await asked(site, "POST", "/v1/nodes", {"driver": "redfish", "name": "n1", "driver_info": info})
    for target, state in (("manage", "manageable"), ("provide", "available")):
        await asked(site, "PUT", "/v1/nodes/n1/states/provision", {"target": target})
        await is_in(site, "n1", state)
    secret = {**image, "fixed_password": CANARY}
    await asked(site, "PATCH", "/v1/nodes/n1", [{"op": "add", "path": "/instance_info", "value": secret}])


async def test_a_deployment_that_two_conductors_had_a_part_in_is_one_tree(
    site: Site, collector: Collector, tmp_path: Path
) -> None:
    image = write_for_fleet(site, tmp_path)
    async with Fleet(1, pace=PACE, directory=tmp_path) as fleet:
        await site.start("api")
        first = await site.start("conductor", host="first")
        await site.drivers_are_offered()
        await make_available(site, fleet, image)
        named = {"traceparent": f"00-{TRACE}-{CALLER}-01"}
        headers = await asked(site, "PUT", "/v1/nodes/n1/states/provision", {"target": "active"}, named)
        await is_in(site, "n1", "wait call-back")
        # All of the first conductor's part is told: it waits for the agent.
        await until(
            lambda: any(one.attributes.get("bessemer.outcome") == "waiting" for one in collector.of(TRACE))
        )
        first.kill()
        await first.wait()
        await site.start("conductor", host="second")
        await is_in(site, "n1", "active")
        await collector.has("deploy", timeout_s=PATIENCE_S)
        assert len(fleet.servers[0].writes) == 1

    spans = collector.of(TRACE)
    [request] = collector.named("PUT /v1/nodes/{node}/states/provision")[-1:]
    [deploy] = [one for one in spans if one.name == "deploy"]
    is_one_tree(spans, root=request)
    assert request.parent == CALLER
    assert request.kind == SERVER
    assert headers["traceparent"] == f"00-{TRACE}-{request.id}-01"
    assert request.attributes["bessemer.request"] == headers["OpenStack-Request-Id"]
    assert request.attributes["http.response.status_code"] == 202
    assert deploy.parent == request.id
    node = (await site.get("/v1/nodes/n1"))["uuid"]
    assert deploy.attributes["bessemer.node"] == node
    assert deploy.attributes["bessemer.state"] == "succeeded"
    assert deploy.attributes["bessemer.request"] == headers["OpenStack-Request-Id"]
    steps = [one for one in spans if one.parent == deploy.id]
    assert all(one.name == one.attributes["bessemer.step"] for one in steps)
    assert {one.attributes["bessemer.kind"] for one in steps} == {"deploy"}
    assert {one.attributes["bessemer.operation"] for one in steps} == {
        deploy.attributes["bessemer.operation"]
    }
    assert len({one.attributes["bessemer.conductor"] for one in steps}) == 2
    assert {one.resource["host.name"] for one in steps} == {"first", "second"}
    assert deploy.began_ns <= min(one.began_ns for one in steps)
    calls = [one for one in spans if one.kind == CLIENT]
    assert {one.parent for one in calls} <= {one.id for one in steps}
    assert "POST /redfish/v1/Systems/{id}/Actions/ComputerSystem.Reset" in {one.name for one in calls}
    told = {one.attributes.get("bessemer.agent.command") for one in calls}
    assert {"deploy.execute_deploy_step", "image.install_bootloader"} <= told
    nothing_shows(collector, fleet)
    assert not [one for one in spans if node in one.name or fleet.servers[0].uuid in one.name]


def outcomes(collector: Collector) -> set[str]:
    return {one.attributes.get("bessemer.outcome", "") for one in collector.of(TRACE)}


def is_one_tree(spans: list[Told], *, root: Told) -> None:
    """Every span is below ``root``, and was told once."""
    ids = {one.id for one in spans}
    assert len(ids) == len(spans)
    assert [one for one in spans if one.parent not in ids] == [root]


def nothing_shows(collector: Collector, fleet: Fleet) -> None:
    """No secret is in anything that was sent, and a sweep's looks are in no trace of their own."""
    password = fleet.driver_info(0)["redfish_password"]
    for body in collector.bodies:
        assert CANARY.encode() not in body
        assert password.encode() not in body
        WATCH.look("what the collector was sent", body)
    assert not [one for one in collector.spans if one.kind == CLIENT and not one.parent]


async def test_without_a_trace_of_the_callers_the_request_begins_one(
    site: Site, collector: Collector
) -> None:
    site.write(more="[tracing]\nenabled = true\n")
    await site.start("serve")
    await site.drivers_are_offered()
    await verified(site, "n1")
    [verify] = await collector.has("verify")
    spans = collector.of(verify.trace)
    [request] = [one for one in spans if one.kind == SERVER]
    assert (request.parent, request.name) == ("", "PUT /v1/nodes/{node}/states/provision")
    is_one_tree(spans, root=request)
    assert request.resource["service.name"] == "bessemer"


async def test_log_lines_name_the_trace(site: Site, collector: Collector) -> None:
    site.write(more="debug = true\n[tracing]\nenabled = true\n")
    await site.start("serve")
    await site.drivers_are_offered()
    await verified(site, "n1")
    [verify] = await collector.has("verify")
    lines = [json.loads(line) for line in site.log("serve").read_text().splitlines()]
    [ended] = [line for line in lines if line["event"] == "operation ended"]
    [asked_for] = [line for line in lines if line["event"] == "request" and line["method"] == "PUT"]
    assert ended["trace"] == asked_for["trace"] == verify.trace


async def test_what_is_queued_leaves_before_the_process_ends(
    site: Site, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "600000")
    site.write(more="[tracing]\nenabled = true\n")
    serve = await site.start("serve")
    await site.drivers_are_offered()
    await verified(site, "n1")
    assert not collector.spans
    serve.terminate()
    assert await asyncio.wait_for(serve.wait(), START_S) == 0
    assert len(collector.named("verify")) == 1


@pytest.mark.parametrize("trouble", ["refuses", "hangs"])
async def test_a_dead_collector_neither_slows_nor_stops_the_service(
    site: Site, collector: Collector, monkeypatch: pytest.MonkeyPatch, trouble: str
) -> None:
    collector.hangs, collector.answers = trouble == "hangs", 400
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "16")
    monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "8")
    site.write(more="[tracing]\nenabled = true\n")
    serve = await site.start("serve")
    await site.drivers_are_offered()
    for number in range(5):
        await verified(site, f"n{number}")
    await asyncio.gather(*(site.get("/v1/nodes") for _ in range(100)))
    said, recovered = "traces do not arrive at their collector", "traces arrive at their collector again"
    await until(lambda: site.log("serve").read_text().count(said) == 1)
    await until(lambda: collector.requests >= 3)
    collector.hangs, collector.answers = False, 200

    async def has_recovered() -> bool:
        await site.get("/v1/nodes")  # spans of their own: a slow collector may miss those of one request
        return recovered in site.log("serve").read_text()

    await eventually(has_recovered)
    collector.hangs = True
    await site.get("/v1/nodes")
    serve.terminate()
    assert await asyncio.wait_for(serve.wait(), START_S) == 0
    log = site.log("serve").read_text()
    assert log.count(said) <= log.count(recovered) + 1
    assert "opentelemetry" not in log


async def test_sampling_is_what_the_environment_says(
    site: Site, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "parentbased_always_off")
    site.write(more="[tracing]\nenabled = true\n")
    await site.start("serve")
    await site.drivers_are_offered()
    await verified(site, "n1")
    wanted = {"traceparent": f"00-{TRACE}-{CALLER}-01"}
    await asked(site, "GET", "/v1/nodes/n1", headers=wanted)
    await collector.has("GET /v1/nodes/{node}")
    assert {one.trace for one in collector.spans} == {TRACE}


async def test_traces_are_off_unless_asked_for(site: Site, collector: Collector) -> None:
    serve = await site.start("serve")
    await site.drivers_are_offered()
    await verified(site, "n1")
    headers = await asked(site, "GET", "/v1/nodes", headers={"traceparent": f"00-{TRACE}-{CALLER}-01"})
    assert "traceparent" not in headers
    serve.terminate()
    await asyncio.wait_for(serve.wait(), START_S)
    assert collector.requests == 0
