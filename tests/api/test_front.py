"""What is beside v1 is found by its routes; whatever else is asked gets an answer in JSON."""

from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bessemer.api.front import Front
from fakes.api_client import exchange


async def v1(scope: Any, receive: Any, send: Any) -> None:
    await Response("v1", 200)(scope, receive, send)


async def beside(request: Request) -> Response:
    return Response(f"beside {request.path_params['name']}")


FRONT = Front([Route("/v2/things/{name}", beside, methods=["GET"]), Route("/boot/{name}", beside)], v1)


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/v2/things/a", b"beside a"), ("/boot/b", b"beside b"), ("/v1/nodes", b"v1"), ("/nodes", b"v1"),
        ("/", b"v1"), ("/v1/nodes/a%0D%0Ab", b"v1"), ("//evil.test/", b"v1"), ("/boot/b/", b"v1"),
    ],
)  # fmt: skip
async def test_everything_that_has_no_route_is_for_v1(path: str, answer: bytes) -> None:
    reply = await exchange(FRONT, "GET", path, b"", {"host": "api.test"})
    assert (reply.status, reply.body) == (200, answer)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v2/things/", 404), ("GET", "/v2/things/a/", 404), ("GET", "/v2/things/a%0Ab/c", 404),
        ("PUT", "/v2/things/a", 405), ("OPTIONS", "/v2/things/a", 405),
    ],
)  # fmt: skip
async def test_below_v2_refusals_have_its_form_and_nobody_is_sent_elsewhere(
    method: str, path: str, status: int
) -> None:
    reply = await exchange(FRONT, method, path, b"", {"host": "evil.test"})
    assert (reply.status, reply.headers["content-type"]) == (status, "application/json")
    assert reply.json["error"]["fault"] == "user"
    assert "location" not in reply.headers
