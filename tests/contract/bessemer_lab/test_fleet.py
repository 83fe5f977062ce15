"""A simulated fleet: many servers behind one port, faults by a seed, a record of every call."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bessemer_lab.fleet import Chance, Fleet, Pace, Record
from bessemer_lab.fleet.fault import Fate
from fakes.wait import until

ADMIN = {"Authorization": aiohttp.encode_basic_auth("admin", "password")}
STRANGER = {"Authorization": aiohttp.encode_basic_auth("admin", "wrong")}
SYSTEM = "/redfish/v1/Systems/1"
RESET = f"{SYSTEM}/Actions/ComputerSystem.Reset"
FAST = Pace(answer_s=0, power_s=0, boot_s=0, command_s=0)


@asynccontextmanager
async def fleet_and_client(
    size: int = 3, **options: Any
) -> AsyncIterator[tuple[Fleet, aiohttp.ClientSession]]:
    timeout = aiohttp.ClientTimeout(total=10)
    async with Fleet(size, **{"pace": FAST, **options}) as fleet:
        connector = aiohttp.TCPConnector(ssl=False)
        async with aiohttp.ClientSession(headers=ADMIN, timeout=timeout, connector=connector) as client:
            yield fleet, client


async def test_each_address_is_a_server_of_its_own() -> None:
    async with fleet_and_client() as (fleet, client):
        async with client.post(fleet.bmc_url(1) + RESET, json={"ResetType": "On"}) as answer:
            assert answer.status == 204
        await until(lambda: fleet.servers[1].power == "On")
        shown = []
        for number in range(3):
            async with client.get(fleet.bmc_url(number) + SYSTEM) as answer:
                shown.append((await answer.json())["PowerState"])
        assert shown == ["Off", "On", "Off"]


async def test_addresses_without_a_server_do_not_answer() -> None:
    async with fleet_and_client(size=1) as (fleet, client):
        with pytest.raises(aiohttp.ClientError):
            await client.get(fleet.bmc_url(0).replace("127.1.0.1", "127.1.0.2") + SYSTEM)


async def test_a_bmc_admits_nobody_without_credentials(tmp_path: Path) -> None:
    async with fleet_and_client(directory=tmp_path) as (fleet, client):
        url = fleet.bmc_url(0)
        async with client.get(url + SYSTEM, headers=STRANGER) as answer:
            assert answer.status == 401
        login = {"UserName": "admin", "Password": "password"}
        async with client.post(f"{url}/redfish/v1/SessionService/Sessions", json=login) as answer:
            headers = {"X-Auth-Token": answer.headers["X-Auth-Token"]}
        connector = aiohttp.TCPConnector(ssl=False)
        async with (
            aiohttp.ClientSession(connector=connector) as other,
            other.get(url + SYSTEM, headers=headers) as answer,
        ):
            assert answer.status == 200
        (call,) = fleet.record.changes()
        assert call.body == {"UserName": "admin"}


def test_the_same_seed_brings_the_same_faults() -> None:
    def fates(seed: int) -> list[Fate]:
        chance = Chance(error_share=0.02, hang_share=0.01, seed=seed)
        return [chance.fate(number, count) for number in range(100) for count in range(100)]

    first = fates(7)
    assert first == fates(7) != fates(8)
    hangs = sum(fate in (Fate.HANG_BEFORE, Fate.HANG_AFTER) for fate in first)
    errors = sum(fate is not Fate.FINE for fate in first) - hangs
    assert 0.015 < errors / len(first) < 0.025
    assert 0.006 < hangs / len(first) < 0.014
    assert set(first) == set(Fate)


def test_shares_that_are_none_are_refused() -> None:
    with pytest.raises(ValueError, match="shares"):
        Chance(error_share=0.9, hang_share=0.2)


async def test_a_call_may_be_done_although_its_answer_is_lost() -> None:
    async with fleet_and_client(size=200, chance=Chance(error_share=1.0)) as (fleet, client):
        for number in range(200):
            try:
                async with client.post(fleet.bmc_url(number) + RESET, json={"ResetType": "On"}) as answer:
                    assert answer.status in (500, 503)
            except aiohttp.ClientError:
                pass
        await until(lambda: not any(server._change for server in fleet.servers))
        calls = list(fleet.record.changes())
        done = {call.number for call in calls if call.is_done}
        assert {server.number for server in fleet.servers if server.power == "On"} == done
        assert 0 < len(done) < 200
        assert {call.status for call in calls} == {0, 500, 503}


async def test_calls_that_hang_end_with_the_fleet() -> None:
    async with fleet_and_client(size=1, chance=Chance(hang_share=1.0)) as (fleet, client):
        call = asyncio.create_task(client.get(fleet.bmc_url(0) + SYSTEM))
        await until(lambda: bool(fleet.record.counts))
        assert not call.done()
    with pytest.raises(aiohttp.ClientError):
        await call


async def test_other_processes_may_ask_and_change_what_goes_wrong(tmp_path: Path) -> None:
    record = Record(tmp_path / "calls.jsonl")
    async with fleet_and_client(record=record) as (fleet, client):
        async with client.post(fleet.bmc_url(2) + RESET, json={"ResetType": "On"}):
            pass
        await until(lambda: fleet.servers[2].power == "On")
        async with client.get(fleet.control_url) as answer:
            assert (await answer.json())["on"] == 1
        async with client.get(f"{fleet.control_url}/changes?number=2") as answer:
            (line,) = (await answer.text()).splitlines()
            assert json.loads(line)["path"] == RESET
        async with client.put(f"{fleet.control_url}/chance", json={"error_share": 2}) as answer:
            assert answer.status == 400
        async with client.put(f"{fleet.control_url}/chance", json={"error_share": 0.5, "seed": 3}) as answer:
            assert answer.status == 204
        assert fleet.chance == Chance(error_share=0.5, seed=3)
    assert len((tmp_path / "calls.jsonl").read_text().splitlines()) == 1
