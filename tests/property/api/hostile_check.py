"""What every answer must be like, whatever was asked."""

import json
from collections.abc import Sequence
from typing import Any

from bessemer.api.v1.version import MAX, MIN
from fakes.api_client import Reply, exchange
from property.api.hostile_request import Request

_RANGE = {
    "x-openstack-ironic-api-minimum-version": f"1.{MIN}",
    "x-openstack-ironic-api-maximum-version": f"1.{MAX}",
}


async def send(app: Any, request: Request) -> Reply:
    headers = {"host": "api.test", **request.headers}
    return await exchange(
        app, request.method, request.path, request.body, headers, query=request.query, chunk=2**18
    )


def check(request: Request, reply: Reply, secrets: Sequence[str]) -> None:
    """Raises AssertionError when the answer shows a defect, tells a secret or has not the contract's form."""
    assert reply.status < 500, f"{reply.status}: {reply.body[:300]!r}"
    assert b"Traceback" not in reply.body, "a traceback"
    seen = reply.body + repr(sorted(reply.headers.items())).encode()
    assert not [secret for secret in secrets if secret.encode() in seen], "a secret"
    assert reply.headers.get("openstack-request-id", "").startswith("req-"), "no request id"
    assert int(reply.headers["content-length"]) == len(reply.body), "wrong length"
    for name, value in reply.headers.items():
        assert not {"\r", "\n"} & set(name + value), "a header was split"
    if request.path.startswith("/boot/"):
        return
    document = _document(reply)
    if request.path.startswith("/v2/"):
        assert reply.status < 400 or {"code", "fault", "message"} <= document["error"].keys(), document
        return
    _check_version(reply)
    if reply.status >= 400:
        _check_error(reply.status, document)


def _document(reply: Reply) -> Any:
    if not reply.body:
        return None
    assert reply.headers["content-type"] == "application/json", reply.headers["content-type"]
    return json.loads(reply.body, parse_constant=_not_json)


def _not_json(word: str) -> None:
    raise AssertionError(f"{word} is no JSON")


def _check_version(reply: Reply) -> None:
    """An unreadable version is refused without headers; every other answer names the range."""
    if reply.status == 406 and "x-openstack-ironic-api-minimum-version" not in reply.headers:
        return
    assert {name: reply.headers.get(name) for name in _RANGE} == _RANGE
    if reply.status != 406:
        assert "x-openstack-ironic-api-version" in reply.headers, "does not say its version"


def _check_error(status: int, document: Any) -> None:
    """JSON in JSON; refusals of the body's size and depth are not wrapped."""
    inner = json.loads(document["error_message"]) if "error_message" in document else document
    if "faultcode" in inner:
        assert inner["faultcode"] == "Client"
        assert isinstance(inner["faultstring"], str)
        assert inner["faultstring"]
    else:
        assert inner["code"] == status
        assert inner["title"]
        assert inner["description"]
