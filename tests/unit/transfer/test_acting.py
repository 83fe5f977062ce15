"""Requests that change something ask at the last moment whether they may still be sent; reads do not ask."""

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web

from bessemer.kernel.error import LeaseEnded
from bessemer.kernel.lease import Lease, act_under
from bessemer.transfer.acting import ActingRequest


class Machine:
    """Remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.url = ""

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(request.method)
        return web.Response(text=await request.text())


@pytest_asyncio.fixture
async def machine() -> AsyncIterator[Machine]:
    machine = Machine()
    app = web.Application()
    app.router.add_route("*", "/", machine.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    machine.url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    yield machine
    await runner.cleanup()


@pytest_asyncio.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    timeout = aiohttp.ClientTimeout(total=10)
    async with aiohttp.ClientSession(request_class=ActingRequest, timeout=timeout) as session:
        yield session


class Hand:
    at = 0.0

    def __call__(self) -> float:
        return self.at


def leased(now: Hand) -> None:
    """This task works under a lease of ten seconds."""
    lease = Lease(now)
    lease.grant(now(), 10)
    act_under(lease.tenure)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("body", [b"", b"{}"])
async def test_nothing_that_changes_something_is_sent_when_the_lease_is_over(
    machine: Machine, session: aiohttp.ClientSession, method: str, body: bytes
) -> None:
    now = Hand()
    leased(now)
    async with session.request(method, machine.url, data=body) as answer:
        assert answer.status == 200
    now.at = 10
    with pytest.raises(LeaseEnded):
        await session.request(method, machine.url, data=body)
    assert machine.asked == [method]
    now.at = 0
    async with session.request(method, machine.url, data=body) as answer:
        assert answer.status == 200


async def test_a_lease_that_ends_between_headers_and_body_sends_neither(
    machine: Machine, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = Hand()
    leased(now)
    send = aiohttp.ClientRequest.send

    async def slow(request: aiohttp.ClientRequest, connection: object) -> aiohttp.ClientResponse:
        response = await send(request, connection)  # type: ignore[arg-type]
        now.at = 10
        return response

    monkeypatch.setattr(aiohttp.ClientRequest, "send", slow)
    with pytest.raises(LeaseEnded):
        await session.post(machine.url, data=b"{}")
    await asyncio.sleep(0)
    assert machine.asked == []


async def test_reading_needs_no_lease(machine: Machine, session: aiohttp.ClientSession) -> None:
    now = Hand()
    leased(now)
    now.at = 10
    async with session.get(machine.url) as answer:
        assert answer.status == 200
    assert machine.asked == ["GET"]
