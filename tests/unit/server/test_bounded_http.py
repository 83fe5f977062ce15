"""Heads of requests are bounded in size and time, and so is what comes behind a body in chunks."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
import uvicorn

from bessemer.server.api import Server
from bessemer.server.bounded_http import BoundedHttp
from fakes.engine import eventually

REQUEST = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n"
CHUNKED = b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"


class Impatient(BoundedHttp):
    patience_s = 0.05


async def echo(scope, receive, send) -> None:
    size, more = 0, True
    while more:
        message = await receive()
        size, more = size + len(message.get("body", b"")), message.get("more_body", False)
    assert b"sum" not in dict(scope["headers"])
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


async def test_many_small_chunks_pass_and_trailers_are_nobodys_headers(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    async with asyncio.timeout(60):
        for _ in range(2):
            writer.write(CHUNKED)
            for _ in range(100):
                writer.write(b"1\r\nx\r\n" * 1000)
                await writer.drain()
            writer.write(b"0\r\nsum: 1\r\n\r\n")
            answer = await reader.readuntil(b"\r\n\r\n")
            assert answer.startswith(b"HTTP/1.1 200")
            assert await reader.readexactly(6) == b"100000"
        writer.close()


@pytest.mark.parametrize(
    ("begun", "more"),
    [
        (b"GET / HTTP/1.1\r\nx: ", b"a" * 100),
        (b"GET / HTTP/1.1\r\nx: ", b"a: b\r\n" * 20),
        (CHUNKED + b"0\r\n", b"a: b\r\n" * 20),
        (CHUNKED + b"0\r\nx: ", b"a" * 100),
        (CHUNKED + b"1;x=", b"a" * 100),
        (b"", b"\r\n" * 50),
    ],
    ids=["header", "headers", "trailers", "trailer", "extension of a chunk", "empty lines"],
)
async def test_what_brings_a_request_no_further_without_end_is_refused(
    port: int, begun: bytes, more: bytes
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(begun)

    async def send() -> None:
        while True:
            writer.write(more * 100)
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
