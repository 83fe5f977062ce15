"""What processes show to Prometheus, and what they write in their logs."""

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from prometheus_client.parser import text_string_to_metric_families

from fakes.engine import eventually
from fakes.port import free_port
from fakes.process_site import START_S, Site, verified


@pytest.fixture
def family() -> str:
    return "sqlite"


@pytest_asyncio.fixture
async def site(database_url: str, tmp_path: Path) -> AsyncIterator[Site]:
    async with AsyncExitStack() as stack:
        yield Site(tmp_path, database_url, stack)


Samples = dict[str, list[tuple[dict[str, str], float]]]


async def figures(port: int) -> Samples:
    """Every sample by its name."""
    found: Samples = {}
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}/metrics") as answer:
        assert answer.status == 200
        assert answer.headers["content-type"].startswith("text/plain")
        for family in text_string_to_metric_families(await answer.text()):
            for sample in family.samples:
                found.setdefault(sample.name, []).append((sample.labels, sample.value))
    return found


async def answers(port: int) -> bool:
    try:
        return bool(await figures(port))
    except aiohttp.ClientError:
        return False


def total(samples: Samples, name: str, **labels: str) -> float:
    return sum(value for has, value in samples.get(name, []) if labels.items() <= has.items())


def metrics_at(port: int, api_port: int = 0) -> str:
    return f"[metrics]\nenabled = true\nport = {port}\napi_port = {api_port}\n"


async def test_one_process_shows_its_api_its_operations_and_its_database(site: Site) -> None:
    port = free_port()
    site.write(more=metrics_at(port))
    await site.start("serve")
    await site.drivers_are_offered()
    await verified(site, "n1")
    assert await site.post("/v1/nodes", {}, method="PROPFIND") == 405

    async def is_counted() -> bool:
        return total(await figures(port), "bessemer_operations_total", kind="verify") == 1

    await eventually(is_counted)
    seen = await figures(port)
    count = "bessemer_api_request_duration_seconds_count"
    assert total(seen, count, method="PUT", route="/v1/nodes/{node}/states/provision", status="202") == 1
    assert total(seen, count, method="other", status="405") == 1
    assert total(seen, "bessemer_operations_total", kind="verify", state="succeeded") == 1
    assert total(seen, "bessemer_operation_duration_seconds_count", kind="verify") == 1
    assert total(seen, "bessemer_operation_queued_seconds_count", kind="verify") == 1
    assert total(seen, "bessemer_step_duration_seconds_count", kind="verify", event="done") >= 1
    assert total(seen, "bessemer_database_up") == 1
    assert total(seen, "bessemer_database_connections", pool="write", state="most") == 1
    assert total(seen, "bessemer_conductors_alive") == 1
    assert total(seen, "bessemer_event_loop_lag_seconds_count") > 0
    assert total(seen, "process_resident_memory_bytes") > 0


async def test_no_label_takes_what_there_may_be_many_of(site: Site) -> None:
    port = free_port()
    site.write(more=metrics_at(port))
    await site.start("serve")
    await site.drivers_are_offered()
    await verified(site, "a-certain-node")
    uuid = (await site.get("/v1/nodes/a-certain-node"))["uuid"]
    await site.get(f"/v1/nodes/{uuid}")
    await site.get("/v1/no/such/path/a-certain-node")
    seen = await figures(port)
    values = {value for samples in seen.values() for labels, _ in samples for value in labels.values()}
    assert not [value for value in values if "a-certain-node" in value or uuid in value]
    assert total(seen, "bessemer_api_request_duration_seconds_count", route="none", status="404") == 1


async def test_processes_of_the_api_and_the_conductor_have_ports_of_their_own(site: Site) -> None:
    port, api_port = free_port(), _two_ports()
    site.write(more=metrics_at(port, api_port))
    await site.start("api")
    await site.start("conductor")
    await site.drivers_are_offered()
    await verified(site, "n1")
    for one in (port, api_port, api_port + 1):
        await eventually(lambda one=one: answers(one), START_S)

    async def is_counted() -> bool:
        return total(await figures(port), "bessemer_operations_total", kind="verify") == 1

    await eventually(is_counted)
    conductor = await figures(port)
    workers = [await figures(api_port), await figures(api_port + 1)]
    assert "bessemer_api_request_duration_seconds_count" not in conductor
    posts = [total(one, "bessemer_api_request_duration_seconds_count", method="POST") for one in workers]
    assert sum(posts) == 1


async def test_metrics_are_off_unless_asked_for_and_elsewhere_than_the_api(site: Site) -> None:
    await site.start("serve")
    await site.drivers_are_offered()
    assert (await site.get("/metrics"))["error_message"]
    with pytest.raises(aiohttp.ClientError):
        await figures(9638)


async def test_a_port_that_is_taken_is_told_of_by_name(site: Site) -> None:
    site.write(more=metrics_at(site.port))
    serve = await site.start("serve")
    assert await serve.wait() == 2
    assert f"[metrics] cannot be served at 127.0.0.1 port {site.port}" in site.log("serve").read_text()


async def test_every_line_about_an_operation_names_it_its_node_and_its_request(site: Site) -> None:
    site.write(more="debug = true")  # what went well is told at debug level
    await site.start("serve")
    await site.drivers_are_offered()
    await verified(site, "n1")
    node = (await site.get("/v1/nodes/n1"))["uuid"]

    def lines() -> list[dict[str, Any]]:
        return [json.loads(line) for line in site.log("serve").read_text().splitlines()]

    async def is_told() -> bool:
        return any(line["event"] == "operation ended" for line in lines())

    await eventually(is_told, START_S)
    [ended] = [line for line in lines() if line["event"] == "operation ended"]
    [asked] = [line for line in lines() if line["event"] == "operation asked for"]
    assert (ended["kind"], ended["state"]) == ("verify", "succeeded")
    assert ended["node"] == asked["node"] == node
    assert ended["operation"] == asked["operation"]
    assert ended["request"] == asked["request"] != ""
    [request] = [one for one in lines() if one["event"] == "request" and one["method"] == "PUT"]
    assert request["request"] == asked["request"]


def _two_ports() -> int:
    """The first of two that are free in a row."""
    import socket

    while True:
        port = free_port()
        with socket.socket() as next_one:
            try:
                next_one.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
            return port
