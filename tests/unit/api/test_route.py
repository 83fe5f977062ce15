"""Finding the row for a request."""

import pytest

from bessemer.api.v1.call import Answer, Call, empty
from bessemer.api.v1.error import Refusal
from bessemer.api.v1.route import Route, Router
from bessemer.api.v1.version import parse


async def handler(call: Call) -> Answer:
    return empty()


LATEST = parse("latest")
ROUTER = Router([
    Route("GET", "/", handler),
    Route("GET", "/v1", handler),
    Route("GET", "/nodes", handler),
    Route("GET", "/nodes/detail", handler),
    Route("GET", "/nodes/{node}", handler),
    Route("GET", "/nodes/{node}/traits", handler, since=37, gate=406),
    Route("PUT", "/nodes/{node}/traits", handler, since=37, gate=405),
    Route("DELETE", "/nodes/{node}/traits/{trait}", handler, since=37),
])  # fmt: skip


@pytest.mark.parametrize(
    ("path", "found", "params"),
    [
        ("/", "/", {}),
        ("/v1", "/v1", {}),
        ("/v1/", "/v1", {}),
        ("/v1/nodes", "/nodes", {}),
        ("/v1/nodes/", "/nodes", {}),
        ("/nodes", "/nodes", {}),
        ("/v1/nodes/detail", "/nodes/detail", {}),
        ("/v1/nodes/x.1", "/nodes/{node}", {"node": "x.1"}),
        ("/v1/nodes/n/traits/", "/nodes/{node}/traits", {"node": "n"}),
    ],
)
def test_a_path_leads_to_its_row(path: str, found: str, params: dict[str, str]) -> None:
    route, given = ROUTER.find("GET", path, LATEST)
    assert route is not None
    assert (route.path, given) == (found, params)


@pytest.mark.parametrize(
    "path", ["/zork", "/v1/zork", "/v2", "/v1/v1/nodes", "/v1/nodes/n/zork", "/v1/nodes/detail/x"]
)
def test_an_unknown_path_is_not_found(path: str) -> None:
    with pytest.raises(Refusal) as caught:
        ROUTER.find("GET", path, LATEST)
    assert (caught.value.status, caught.value.is_routing) == (404, True)


def test_a_path_between_two_routes_is_not_found() -> None:
    with pytest.raises(Refusal) as caught:
        Router([Route("GET", "/a/b/c", handler)]).find("GET", "/a/b", LATEST)
    assert caught.value.status == 404


@pytest.mark.parametrize("method", ["POST", "HEAD", "TRACE"])
def test_another_method_is_not_allowed_and_told_which_are(method: str) -> None:
    with pytest.raises(Refusal) as caught:
        ROUTER.find(method, "/v1/nodes", LATEST)
    assert caught.value.status == 405
    assert caught.value.headers == ((b"allow", b"GET"),)


def test_options_needs_no_row() -> None:
    assert ROUTER.find("OPTIONS", "/v1/nodes", LATEST)[0] is None


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nodes/n/traits", 406), ("PUT", "/nodes/n/traits", 405), ("DELETE", "/nodes/n/traits/t", 404)],
)
def test_an_older_request_gets_the_status_of_the_row(method: str, path: str, status: int) -> None:
    assert ROUTER.find(method, path, parse("1.37"))[0] is not None
    with pytest.raises(Refusal) as caught:
        ROUTER.find(method, path, parse("1.36"))
    assert caught.value.status == status


def test_two_rows_for_one_call_are_a_mistake() -> None:
    with pytest.raises(ValueError, match="two routes"):
        Router([Route("GET", "/a", handler), Route("GET", "/a", handler)])
