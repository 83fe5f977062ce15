"""What a strategy's verdict does to a request: who is let through, as whom, how others are answered."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from bessemer.api.access import Access
from bessemer.api.authentication.noauth import NoAuthentication
from bessemer.api.authentication.proof import Authentication, Denial, Proof
from bessemer.kernel.secret import Secret
from bessemer.service.caller import Caller
from fakes.api_client import Reply, exchange

ALICE = Caller(user="alice", roles=frozenset({"reader"}), token=Secret("good"))


class OneToken:
    """Knows one token, and none when it is down."""

    def __init__(self) -> None:
        self.is_down = False
        self.proofs: list[Proof] = []

    async def identify(self, proof: Proof) -> Caller:
        self.proofs.append(proof)
        if self.is_down:
            raise Denial(503, "nobody can tell", ((b"retry-after", b"7"),))
        if proof.token != "good":
            raise Denial(401, "who are you?", ((b"www-authenticate", b"Keystone"),))
        return ALICE

    async def close(self) -> None:
        return None


class Seen:
    """An application that remembers who called it."""

    def __init__(self) -> None:
        self.callers: list[Caller] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.callers.append(scope["state"]["caller"])
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"{}"})


async def ask(
    app: Seen, strategy: Authentication, path: str, headers: Mapping[str, str] | None = None
) -> Reply:
    return await exchange(Access(app, strategy), "GET", path, b"", headers or {})


async def test_the_caller_is_the_one_the_strategy_names_with_the_request_s_own_facts() -> None:
    app, strategy = Seen(), OneToken()
    wider = "req-00000000-0000-4000-8000-000000000000"
    headers = {"X-Auth-Token": " good ", "X-Service-Token": "s", "X-OpenStack-Request-Id": wider}
    reply = await ask(app, strategy, "/v1/nodes", headers)
    (caller,) = app.callers
    assert (caller.user, caller.roles, caller.is_trusted) == ("alice", {"reader"}, False)
    assert (caller.address, caller.global_request_id) == ("192.0.2.9", wider)
    assert caller.request_id == reply.headers["openstack-request-id"]
    (proof,) = strategy.proofs
    assert (proof.token, proof.service_token, proof.path, proof.address) == (
        "good", "s", "/v1/nodes", "192.0.2.9"
    )  # fmt: skip


async def test_a_denied_request_goes_no_further_and_is_answered_in_the_form_of_v1() -> None:
    app = Seen()
    reply = await ask(app, OneToken(), "/v1/nodes", {"X-Auth-Token": "bad"})
    assert (reply.status, app.callers) == (401, [])
    assert reply.headers["www-authenticate"] == "Keystone"
    assert reply.headers["openstack-request-id"].startswith("req-")
    assert reply.error == {"faultcode": "Client", "faultstring": "who are you?", "debuginfo": None}


async def test_a_denied_request_to_v2_is_answered_in_its_form() -> None:
    reply = await ask(Seen(), OneToken(), "/v2/operations/x")
    assert reply.status == 401
    error = json.loads(reply.body)["error"]
    assert (error["code"], error["fault"], error["message"]) == ("unauthenticated", "user", "who are you?")


async def test_while_nobody_can_tell_the_answer_says_when_to_come_back() -> None:
    strategy = OneToken()
    strategy.is_down = True
    reply = await ask(Seen(), strategy, "/v1/nodes", {"X-Auth-Token": "good"})
    assert (reply.status, reply.headers["retry-after"]) == (503, "7")
    assert reply.error["faultcode"] == "Server"


@pytest.mark.parametrize("path", ["/v1/nodes", "/v2/operations/x"])
async def test_a_defect_of_a_strategy_lets_nobody_in(path: str) -> None:
    class Broken(OneToken):
        async def identify(self, proof: Proof) -> Caller:
            raise ZeroDivisionError

    app = Seen()
    reply = await ask(app, Broken(), path, {"X-Auth-Token": "good"})
    assert (reply.status, app.callers) == (500, [])
    assert "internal error" in reply.body.decode()


@pytest.mark.parametrize(
    "path",
    [
        "/", "/v1", "/v1/", "/healthcheck", "/v1/lookup", "/lookup/", "/v1/continue_inspection",
        "/v1/heartbeat/019b1c00-0000-7000-8000-000000000000", "/heartbeat/rack1.u7",
        "/boot/node/key/boot.iso", "/redfish/events/0195cafe",
    ],
)  # fmt: skip
async def test_public_calls_are_made_by_nobody_unless_somebody_says_who_they_are(path: str) -> None:
    app, strategy = Seen(), OneToken()
    assert (await ask(app, strategy, path)).status == 200
    assert (await ask(app, strategy, path, {"X-Auth-Token": "bad"})).status == 200
    assert (await ask(app, strategy, path, {"X-Auth-Token": "good"})).status == 200
    strategy.is_down = True
    assert (await ask(app, strategy, path)).status == 200
    assert [caller.user for caller in app.callers] == [None, None, "alice", None]
    assert not any(caller.is_trusted or caller.roles for caller in app.callers if caller.user is None)


@pytest.mark.parametrize(
    "path",
    [
        "/v1/nodes", "/v2/x", "/v11", "/v1/lookup/x", "/v1/heartbeat", "/v1/heartbeat/a/b",
        "/v1/heartbeat/a/../../nodes", "/v1/lookup.json", "/v1/nodes/lookup", "/healthcheck/x", "/bootx",
        "/v1/boot/x", "//", "/v1//lookup", "/V1/lookup", "", "/redfish/events/", "/redfish/events/a/b",
        "/redfish/v1", "/v1/redfish/events/a",
    ],
)  # fmt: skip
async def test_nothing_else_is_public(path: str) -> None:
    app = Seen()
    assert (await ask(app, OneToken(), path)).status == 401
    assert app.callers == []


async def test_identities_that_a_client_claims_are_not_believed() -> None:
    app = Seen()
    claims = {
        "X-Identity-Status": "Confirmed",
        "X-User-Id": "root",
        "X-User-Name": "root",
        "X-Roles": "admin",
        "X-Project-Id": "p",
        "OpenStack-System-Scope": "all",
        "X-Service-Roles": "service",
        "X-Is-Admin-Project": "True",
    }
    assert (await ask(app, OneToken(), "/v1/nodes", claims)).status == 401
    await ask(app, OneToken(), "/v1/nodes", {**claims, "X-Auth-Token": "good"})
    await ask(app, NoAuthentication(), "/v1/nodes", claims)
    known, trusted = app.callers
    assert (known.user, known.roles, known.system_scope, known.service_roles) == (
        "alice", {"reader"}, None, frozenset()
    )  # fmt: skip
    assert (trusted.user, trusted.roles, trusted.is_trusted) == (None, frozenset(), True)


async def test_a_token_is_not_shown_by_the_caller_that_carries_it() -> None:
    assert "good" not in repr(ALICE)
