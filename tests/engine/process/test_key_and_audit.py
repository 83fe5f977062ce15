"""``bessemer key`` and ``bessemer audit`` as operators use them, beside a running service."""

import asyncio
import json
import os
import pwd
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest_asyncio

from fakes import program
from fakes.canary import CANARY
from fakes.service_process import service

NODE = {"driver": "fake-hardware", "name": "n1", "driver_info": {"redfish_password": CANARY}}
VERSION = {"X-OpenStack-Ironic-API-Version": "1.115"}


@dataclass
class Place:
    """A service with its directory."""

    directory: Path
    endpoint: str

    async def command(self, *words: str) -> tuple[int, str]:
        settings = str(self.directory / "bessemer.ini")
        return await program.run("bessemer", *words, "--config-file", settings, environment=dict(os.environ))

    async def post(self, path: str, body: Any) -> int:
        async with (
            aiohttp.ClientSession(headers=VERSION) as session,
            session.post(f"{self.endpoint}/v1/{path}", json=body) as answer,
        ):
            return answer.status

    @property
    def database(self) -> Path:
        return self.directory / "state" / "bessemer.sqlite"

    @property
    def key_file(self) -> Path:
        return self.directory / "state" / "key"


@pytest_asyncio.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    async with service(tmp_path) as endpoint:
        yield Place(tmp_path, endpoint)


async def chained(place: Place) -> str:
    """What ``audit verify`` prints once everything is chained."""
    async with asyncio.timeout(90):
        while True:
            status, output = await place.command("audit", "verify")
            assert status == 0, output
            if ", 0 not chained yet" in output and "sound: 0 " not in output:
                return output


async def listed(place: Place, *filters: str) -> list[dict[str, Any]]:
    status, output = await place.command("audit", "list", *filters)
    assert status == 0, output
    return [json.loads(line) for line in output.splitlines()]


async def test_a_key_is_changed_while_the_service_runs(place: Place) -> None:
    assert place.key_file.stat().st_mode & 0o777 == 0o600
    assert await place.post("nodes", NODE) == 201
    status, before = await place.command("key", "show-ids")
    assert (status, before.split()[1:]) == (0, ["seals", "in", "use"])
    status, output = await place.command("key", "rotate")
    assert (status, "1 rows sealed anew" in output) == (0, True), output
    status, after = await place.command("key", "show-ids")
    assert [line.split()[1:] for line in after.splitlines()] == [
        ["seals", "in", "use"],
        ["opens", "not", "in", "use"],
    ]
    # The service has the new key by itself: it reads what the command sealed.
    async with (
        aiohttp.ClientSession(headers=VERSION) as session,
        session.get(f"{place.endpoint}/v1/nodes/n1") as answer,
    ):
        assert (answer.status, (await answer.json())["driver_info"]) == (200, {"redfish_password": "******"})
    status, output = await place.command("key", "prune")
    assert (status, output) == (0, f"key {before.split()[0]} removed\n")
    events = await listed(place, "--user", pwd.getpwuid(os.getuid()).pw_name)
    old, new = before.split()[0], after.split()[0]
    assert [(event["route"], event["resource"], event["detail"]) for event in events] == [
        ("bessemer key rotate", new, "seals from now on"),
        ("bessemer key rotate", new, "1 rows sealed anew"),
        ("bessemer key prune", old, ""),
    ]
    assert CANARY.encode() not in place.database.read_bytes()


async def test_a_service_whose_key_file_is_gone_says_what_is_missing(place: Place) -> None:
    name = (await place.command("key", "show-ids"))[1].split()[0]
    place.key_file.rename(place.key_file.with_name("elsewhere"))
    status, output = await place.command("key", "show-ids")
    assert status == 2
    assert f"'{place.key_file}' does not exist" in output
    assert name in output
    assert not place.key_file.exists()


async def test_the_audit_trail_of_a_running_service_is_listed_verified_and_found_out_when_it_is_changed(
    place: Place,
) -> None:
    assert await place.post("nodes", NODE) == 201
    assert await place.post("chassis", {}) == 201
    head = (await chained(place)).split("head: ")[1].strip()
    status, output = await place.command("audit", "list")
    events = [json.loads(line) for line in output.splitlines()]
    assert [(event["position"], event["route"]) for event in events] == [(1, "/nodes"), (2, "/chassis")]
    assert CANARY not in output
    assert (await place.command("audit", "list", "--resource", events[0]["resource"]))[1].count("\n") == 1
    assert (await place.command("audit", "verify", "--head", head))[0] == 0
    change_one_byte(place.database)
    status, output = await place.command("audit", "verify")
    assert status == 1
    assert "NOT SOUND: position 1 was changed" in output


def change_one_byte(path: Path) -> None:
    connection = sqlite3.connect(path)
    try:
        connection.execute("DROP TRIGGER audit_events_no_update")
        connection.execute(
            "UPDATE audit_events SET event = replace(event, 'POST', 'POTT') WHERE position = 1"
        )
        connection.commit()
    finally:
        connection.close()


async def test_a_head_that_is_none_is_refused(place: Place) -> None:
    status, output = await place.command("audit", "verify", "--head", "nonsense")
    assert status == 2
    assert "POSITION:HASH" in output


async def test_pruning_leaves_the_newest_event_and_a_sound_chain(place: Place) -> None:
    for _ in range(3):
        assert await place.post("chassis", {}) == 201
    await chained(place)
    status, output = await place.command("audit", "prune", "--keep-days", "0")
    assert (status, output.startswith("2 events deleted; anchor: 2:")) == (0, True), output
    assert "anchor: 2:" in await chained(place)
    *_, event = await listed(place)
    assert (event["route"], event["detail"]) == (
        "bessemer audit prune",
        "2 events deleted that were older than 0 days",
    )


async def test_a_key_that_is_added_leaves_an_event(place: Place) -> None:
    status, output = await place.command("key", "add")
    assert status == 0, output
    [event] = await listed(place, "--outcome", "done")
    assert (event["route"], event["resource_type"]) == ("bessemer key add", "key")
    assert event["resource"] in output
