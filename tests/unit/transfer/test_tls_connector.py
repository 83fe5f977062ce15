"""HTTP connections of ``TlsConnector``: what becomes of those that cannot be made."""

import asyncio
import os
import resource
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp
import pytest

from bessemer.transfer.tls import TlsRules, client_context
from bessemer.transfer.tls_connector import TlsConnector

PATIENCE_S = 60


@contextmanager
def one_descriptor_left() -> Iterator[None]:
    free = os.dup(0)
    os.close(free)
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (free + 1, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


async def test_a_process_out_of_descriptors_keeps_no_half_made_connection() -> None:
    context = client_context(TlsRules(verify=False), "x")
    with socket.create_server(("127.0.0.1", 0)) as server:
        async with aiohttp.ClientSession(connector=TlsConnector()) as session:
            url = f"https://127.0.0.1:{server.getsockname()[1]}/"
            with one_descriptor_left(), pytest.raises(aiohttp.ClientConnectorError, match="Too many open"):
                await session.get(url, ssl=context)
            accepted, _ = await asyncio.to_thread(server.accept)
            with accepted:
                accepted.setblocking(False)
                async with asyncio.timeout(PATIENCE_S):
                    assert await asyncio.get_running_loop().sock_recv(accepted, 1) == b""
