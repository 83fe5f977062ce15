"""The processes as they are started by an operator: apart, together, and how they end."""

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bessemer.config.settings import ApiSettings, DefaultSettings, Settings
from bessemer.server.reload import changed
from fakes.engine import eventually
from fakes.process_site import START_S, Site, verified


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Callable[..., Any]:
    @asynccontextmanager
    async def make() -> AsyncIterator[Site]:
        async with AsyncExitStack() as stack:
            yield Site(tmp_path, database_url, stack)

    return make


async def test_api_and_conductors_are_separate_processes_on_one_database(site: Callable[..., Any]) -> None:
    async with site() as s:
        api = await s.start("api")
        conductor = await s.start("conductor")
        await s.drivers_are_offered()
        await s.workers_are_there(2)
        await verified(s, "n1")
        assert (await s.get("/v1/nodes/n1"))["conductor"] == "first"
        # A second one joins; the first one stops in order, and all work is the second one's at once.
        await s.start("conductor", host="second")

        async def are_both_alive() -> bool:
            listed = (await s.get("/v1/conductors"))["conductors"]
            return {one["hostname"] for one in listed if one["alive"]} == {"first", "second"}

        await eventually(are_both_alive, START_S)
        conductor.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(conductor.wait(), START_S) == 0
        listed = {one["hostname"]: one["alive"] for one in (await s.get("/v1/conductors"))["conductors"]}
        assert listed == {"first": False, "second": True}
        await verified(s, "n2")

        async def is_seconds() -> bool:
            return bool((await s.get("/v1/nodes/n1"))["conductor"] == "second")

        await eventually(is_seconds)
        api.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(api.wait(), START_S) == 0
        assert s.workers() == []


async def test_a_worker_that_dies_is_replaced_and_none_outlives_its_parent(site: Callable[..., Any]) -> None:
    async with site() as s:
        api = await s.start("api")
        await s.start("conductor")
        await s.drivers_are_offered()
        await s.workers_are_there(2)
        before = set(s.workers())
        os.kill(min(before), signal.SIGKILL)

        async def is_replaced() -> bool:
            now = set(s.workers())
            return len(now) == 2 and now != before

        await eventually(is_replaced, START_S)
        assert (await s.get("/v1/drivers"))["drivers"]
        api.kill()
        await api.wait()

        async def are_gone() -> bool:
            return s.workers() == []

        await eventually(are_gone, START_S)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGUSR2])
async def test_serve_ends_in_order_by_a_signal(
    site: Callable[..., Any], family: str, number: signal.Signals
) -> None:
    if family == "postgresql":
        pytest.skip("the database makes no difference here")
    async with site() as s:
        serve = await s.start("serve")
        await s.drivers_are_offered()
        await verified(s, "n1")
        serve.send_signal(number)
        assert await asyncio.wait_for(serve.wait(), START_S) == 0
        assert "Traceback" not in s.log("serve").read_text()


async def test_settings_are_read_again_and_what_needs_a_restart_is_said(
    site: Callable[..., Any], family: str
) -> None:
    if family == "postgresql":
        pytest.skip("the database makes no difference here")
    async with site() as s:
        serve = await s.start("serve")
        await s.drivers_are_offered()

        def lines() -> list[dict[str, Any]]:
            return [json.loads(line) for line in s.log("serve").read_text().splitlines()]

        async def says(event: str) -> bool:
            return any(line["event"] == event for line in lines())

        s.write(more="debug = true\nmax_concurrent_nonsense = 1\ndefault_resource_class = x")
        serve.send_signal(signal.SIGHUP)
        await eventually(lambda: says("some changed settings need a restart"))
        [told] = [line for line in lines() if line["event"] == "some changed settings need a restart"]
        assert told["options"] == ["DEFAULT.default_resource_class"]
        s.settings.write_text("[DEFAULT\n")
        serve.send_signal(signal.SIGHUP)
        await eventually(lambda: says("settings could not be read again; the old ones stay"))
        assert (await s.get("/v1/drivers"))["drivers"]


async def test_each_worker_of_the_api_reads_the_settings_again(site: Callable[..., Any], family: str) -> None:
    if family == "postgresql":
        pytest.skip("the database makes no difference here")
    async with site() as s:
        api = await s.start("api")
        await s.workers_are_there(2)
        before = set(s.workers())
        api.send_signal(signal.SIGHUP)

        async def are_read_again() -> bool:
            return bool(s.log("api").read_text().count("settings read again") == 2)

        await eventually(are_read_again, START_S)
        assert set(s.workers()) == before


async def test_being_told_to_read_the_settings_again_during_the_start_waits_for_its_end(
    site: Callable[..., Any], family: str
) -> None:
    if family == "postgresql":
        pytest.skip("the database makes no difference here")
    async with site() as s:
        written = s.settings.with_suffix(".new")
        s.settings.rename(written)
        os.mkfifo(s.settings)
        serve = await s.start("serve")
        pipes: list[int] = []

        async def is_being_read() -> bool:
            with contextlib.suppress(OSError):  # nobody reads yet
                pipes.append(os.open(s.settings, os.O_WRONLY | os.O_NONBLOCK))
            return bool(pipes)

        await eventually(is_being_read, START_S)
        serve.send_signal(signal.SIGHUP)
        os.write(pipes[0], written.read_bytes())
        written.rename(s.settings)
        os.close(pipes[0])
        await s.drivers_are_offered()

        async def is_read_again() -> bool:
            return "settings read again" in s.log("serve").read_text()

        await eventually(is_read_again)
        serve.terminate()
        assert await asyncio.wait_for(serve.wait(), START_S) == 0


def test_changed_options_are_named_as_in_the_file() -> None:
    before = Settings()
    after = Settings(default=DefaultSettings(debug=True), api=ApiSettings(port=1))
    assert changed(before, after) == ["DEFAULT.debug", "api.port"]
