"""The capability URLs: ``/boot/<node>/<key>/boot.iso`` for BMCs, ``/boot/<node>/<key>/image`` for agents.

Whatever does not fit is a plain 404, so that nobody learns which nodes exist. The key is never logged; the
server's access log must leave these paths out.
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bessemer.api.boot.response import BlobResponse
from bessemer.boot.artefact import BootArtefacts
from bessemer.boot.capability import READ_AT, is_boot_key
from bessemer.domain.node import Node
from bessemer.image.relay import ImageRelay
from bessemer.kernel.clock import seconds_between, timestamp
from bessemer.kernel.error import BessemerError, InvalidValue, NotFound, Unavailable
from bessemer.kernel.ident import is_uuid
from bessemer.store.database import Database
from bessemer.store.node import find_node, merge_node
from bessemer.transfer.blob import Blob

log = structlog.get_logger()

#: Between two notes of a medium that is read on and on.
_SELDOM_S = 10.0
_NOT_FOUND = Response("Not found\n", status_code=404, media_type="text/plain")

Open = Callable[[Node], Awaitable[Blob]]


def routes(artefacts: BootArtefacts, images: ImageRelay, database: Database) -> list[Route]:
    """The routes, to be mounted at the root of the API. They need no authentication: the key is it."""

    async def find(node_uuid: str) -> Node | None:
        async with database.read() as tx:
            return await find_node(tx, node_uuid)

    async def open_iso(node: Node) -> Blob:
        blob = await artefacts.open_iso(node)
        await note_reading(database, node)
        return blob

    async def serve_iso(request: Request) -> Response:
        # Some BMCs ask whether the medium is there (HEAD) when it is inserted: nothing is read of it.
        return await _serve(request, find, artefacts.open_iso if request.method == "HEAD" else open_iso)

    def endpoint(open_blob: Open) -> Callable[[Request], Awaitable[Response]]:
        async def serve(request: Request) -> Response:
            return await _serve(request, find, open_blob)

        return serve

    return [
        Route("/boot/{node_uuid}/{key}/boot.iso", serve_iso, methods=["GET"]),
        Route("/boot/{node_uuid}/{key}/image", endpoint(images.open), methods=["GET"]),
    ]


async def note_reading(database: Database, node: Node) -> None:
    """A medium that is read is a sign of life of the machine that boots from it. Noted seldom: firmware reads
    in thousands of pieces. Nobody waits for a medium because this could not be written."""
    noted = node.driver_internal_info.get(READ_AT)
    if isinstance(noted, str) and seconds_between(noted, timestamp(database.clock)) < _SELDOM_S:
        return
    with suppress(Unavailable, NotFound):
        async with database.write() as tx:
            await merge_node(tx, node.uuid, "driver_internal_info", {READ_AT: tx.now()})


async def _serve(
    request: Request, find: Callable[[str], Awaitable[Node | None]], open_blob: Open
) -> Response:
    node_uuid, key = request.path_params["node_uuid"], request.path_params["key"]
    try:
        node = await find(node_uuid) if is_uuid(node_uuid) else None
    except Unavailable as error:
        log.warning("boot artefact not available", code=error.code, error=error.message)
        return Response(status_code=503, media_type="text/plain")
    if node is None or node.uuid != node_uuid.lower() or not is_boot_key(node, key):
        return _NOT_FOUND
    try:
        blob = await open_blob(node)
    except BessemerError as error:
        log.warning("boot artefact not available", node=node.uuid, code=error.code, error=error.message)
        status = 404 if isinstance(error, InvalidValue) else 503
        return Response(status_code=status, media_type="text/plain")
    return BlobResponse(blob, node_uuid=node.uuid)
