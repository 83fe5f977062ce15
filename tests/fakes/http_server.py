"""Real HTTP servers on loopback: one for ASGI applications, and an image server that can misbehave."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from aiohttp import web

from fakes.wait import until


@asynccontextmanager
async def serving(app: Any) -> AsyncIterator[str]:
    """Serve an ASGI application; gives its base URL."""
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off", access_log=False))
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        task = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            await until(lambda: server.started)
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            await task


@dataclass
class Resource:
    """``statuses`` answers with a status by method instead; ``hangs`` never answers."""

    data: bytes = b""
    etag: str = '"v1"'
    has_head: bool = True
    has_ranges: bool = True
    has_length: bool = True
    statuses: dict[str, int] = field(default_factory=dict)
    hangs: bool = False
    #: Bytes after which the connection breaks.
    breaks_after: int | None = None
    methods: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)


class ImageServer:
    def __init__(self) -> None:
        self.resources: dict[str, Resource] = {}
        self.base_url = ""

    def put(self, name: str, data: bytes = b"", **how: Any) -> str:
        """Serve ``data`` as ``/name``; gives its URL."""
        self.resources[name] = Resource(data, **how)
        return f"{self.base_url}/{name}"

    async def answer(self, request: web.Request) -> web.StreamResponse:
        resource = self.resources.get(request.path.lstrip("/"))
        if resource is None:
            return web.Response(status=404)
        resource.methods.append(request.method)
        resource.headers.append(dict(request.headers))
        if resource.hangs:
            await asyncio.Event().wait()
        if request.method == "HEAD" and not resource.has_head:
            return web.Response(status=405)
        if status := resource.statuses.get(request.method):
            return web.Response(status=status)
        return await self._send(request, resource)

    async def _send(self, request: web.Request, resource: Resource) -> web.StreamResponse:
        data, response = resource.data, web.StreamResponse()
        if resource.etag:
            response.headers["ETag"] = resource.etag
        if resource.has_ranges:
            response.headers["Accept-Ranges"] = "bytes"
            asked = request.http_range
            is_same = request.headers.get("If-Range", resource.etag) == resource.etag
            if asked.start is not None and is_same:
                part = data[asked.start : asked.stop]
                response.set_status(206)
                last = asked.start + len(part) - 1
                response.headers["Content-Range"] = f"bytes {asked.start}-{last}/{len(data)}"
                data = part
        if resource.has_length:
            response.content_length = len(data)
        else:
            response.enable_chunked_encoding()
        await response.prepare(request)
        if request.method != "HEAD":
            await response.write(data[: resource.breaks_after])
            if resource.breaks_after is not None:
                assert request.transport is not None
                request.transport.abort()
        return response


@asynccontextmanager
async def image_server() -> AsyncIterator[ImageServer]:
    server = ImageServer()
    app = web.Application()
    app.router.add_route("*", "/{name:.*}", server.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        server.base_url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield server
    finally:
        await runner.cleanup()
