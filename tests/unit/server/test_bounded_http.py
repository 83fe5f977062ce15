"""Heads of requests are bounded in size and time."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
import uvicorn

from bessemer.server.api import Server
from bessemer.server.bounded_http import BoundedHttp
from fakes.engine import eventually

REQUEST = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n"


class Impatient(BoundedHttp):
    patience_s = 0.05


async def echo(scope, receive, send) -> None:
    size, more = 0, True
    while more:
        message = await receive()
        size, more = size + len(message.get("body", b"")), message.get("more_body", False)
    body = str(size).encode()
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@pytest_asyncio.fixture(params=[BoundedHttp])
async def port(request: pytest.FixtureRequest) -> AsyncIterator[int]:
    config = uvicorn.Config(echo, port=0, http=request.param, log_config=None, lifespan="off")
    server = Server(config)
    serving = asyncio.create_task(server.serve())

    async def is_up() -> bool:
        return server.started

    await eventually(is_up)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await serving


async def test_large_bodies_pass_and_connections_are_kept(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    async with asyncio.timeout(60):
        for size in (0, 1_000_000, 100_000):
            head = REQUEST % size
            writer.write(head[:20])
            await writer.drain()
            writer.write(head[20:] + b"x" * size)
            answer = await reader.readuntil(b"\r\n\r\n")
            assert answer.startswith(b"HTTP/1.1 200")
            assert await reader.readexactly(len(str(size))) == str(size).encode()
        writer.close()


@pytest.mark.parametrize("header", [b"a" * 100, b"a: b\r\n" * 20])
async def test_a_head_without_end_is_refused(port: int, header: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET / HTTP/1.1\r\nx: ")

    async def send() -> None:
        while True:
            writer.write(header * 100)
            await writer.drain()

    sending = asyncio.create_task(send())
    try:
        async with asyncio.timeout(60):
            assert (await reader.readline()).startswith(b"HTTP/1.1 400")
    finally:
        sending.cancel()
        await asyncio.wait((sending,))
        writer.close()


@pytest.mark.parametrize("port", [Impatient], indirect=True)
@pytest.mark.parametrize("begun", [b"", b"GET / HT", REQUEST % 0 + b"GET / HTTP/1.1\r\nx: "])
async def test_a_connection_that_gets_no_further_is_closed(port: int, begun: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(begun)
    async with asyncio.timeout(60):
        assert (b"200" in await reader.read()) == (b"POST" in begun)
    writer.close()
