"""Errors as v1 clients know them."""

import json

import pytest

from bessemer.api.v1.error import document, headers_of, status_of
from bessemer.kernel import error as kernel


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (kernel.InvalidValue, 400),
        (kernel.Unsupported, 400),
        (kernel.NotFound, 404),
        (kernel.Conflict, 409),
        (kernel.Duplicate, 409),
        (kernel.NodeLocked, 409),
        (kernel.Forbidden, 403),
        (kernel.Unavailable, 503),
        (kernel.DeviceUnreachable, 502),
        (kernel.DeviceRefused, 502),
        (kernel.DeadlineExceeded, 504),
        (kernel.SourceError, 400),
        (kernel.InternalError, 500),
    ],
)
def test_every_kind_of_error_has_a_status(kind: type[kernel.BessemerError], status: int) -> None:
    assert status_of(kind("x")) == status


def test_a_service_that_is_not_available_says_when_to_come_back() -> None:
    assert dict(headers_of(503)) == {b"retry-after": b"5"}
    assert headers_of(404) == ()


def test_the_message_is_json_inside_json() -> None:
    inner = json.loads(json.loads(document(400, "no"))["error_message"])
    assert inner == {"faultcode": "Client", "faultstring": "no", "debuginfo": None}
    assert json.loads(json.loads(document(503, "no"))["error_message"])["faultcode"] == "Server"


def test_errors_of_routing_have_a_form_of_their_own() -> None:
    inner = json.loads(json.loads(document(404, "no", is_routing=True))["error_message"])
    assert inner == {"code": 404, "title": "Not Found", "description": "no"}


def test_refusals_of_the_body_are_not_wrapped() -> None:
    assert json.loads(document(413, "no", is_bare=True)) == {"faultcode": "Client", "faultstring": "no"}
