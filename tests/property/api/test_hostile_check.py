"""The check that every fuzzed answer goes through finds what it is there to find."""

import json
from dataclasses import replace
from typing import Any

import pytest

from fakes.api_client import Reply
from property.api.hostile_check import check
from property.api.hostile_request import Request

HEADERS = {
    "content-type": "application/json",
    "openstack-request-id": "req-1",
    "x-openstack-ironic-api-minimum-version": "1.1",
    "x-openstack-ironic-api-maximum-version": "1.115",
    "x-openstack-ironic-api-version": "1.115",
}
INNER = {"faultcode": "Client", "faultstring": "No.", "debuginfo": None}
REQUEST = Request("GET", "/v1/nodes")


def reply(status: int, document: Any, **headers: str) -> Reply:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return Reply(status, {**HEADERS, "content-length": str(len(body)), **headers}, body)


def refusal(inner: Any) -> dict[str, str]:
    return {"error_message": json.dumps(inner)}


GOOD = reply(200, {"nodes": []})


@pytest.mark.parametrize(
    "good",
    [
        GOOD, reply(404, refusal(INNER)), reply(413, {"faultcode": "Client", "faultstring": "No."}),
        reply(404, refusal({"code": 404, "title": "Not Found", "description": "No."})), reply(204, b""),
    ],
)  # fmt: skip
def test_answers_of_the_contract_pass(good: Reply) -> None:
    check(REQUEST, good, ["hush"])


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (reply(500, refusal(INNER)), "500"),
        (reply(200, {"a": "Traceback (most recent call last)"}), "traceback"),
        (reply(200, {"a": "hush"}), "secret"),
        (reply(200, {}, location="/hush"), "secret"),
        (reply(200, {}, location="/a\r\nb"), "split"),
        (reply(200, b"[NaN]"), "NaN"),
        (reply(200, {}, **{"content-type": "text/plain"}), "text/plain"),
        (reply(200, {}, **{"content-length": "7"}), "length"),
        (reply(200, {}, **{"x-openstack-ironic-api-maximum-version": "1.2"}), None),
        (
            replace(GOOD, headers={k: v for k, v in GOOD.headers.items() if "request-id" not in k}),
            "request id",
        ),
        (reply(404, refusal({**INNER, "faultcode": "Server"})), None),
        (reply(404, refusal({**INNER, "faultstring": ""})), None),
        (reply(404, refusal({"code": 400, "title": "t", "description": "d"})), None),
    ],
)
def test_a_defect_a_secret_or_another_form_does_not(bad: Reply, why: str | None) -> None:
    with pytest.raises(AssertionError, match=why):
        check(REQUEST, bad, ["hush"])
