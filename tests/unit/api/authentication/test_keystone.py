"""Tokens of Keystone: whose they are, how long a verdict is believed, what happens when Keystone fails."""

import asyncio
from typing import Any

import pytest

from bessemer.api.authentication.proof import Denial
from fakes.keystone import described, in_project
from fakes.wait import until

SERVICE = {"roles": ("service",)}


async def denied(ask: Any) -> Denial:
    with pytest.raises(Denial) as caught:
        await ask
    return caught.value


async def test_a_token_for_a_project_tells_user_project_and_roles(bench) -> None:
    bench.keystone.tokens["t"] = described(roles=("Member", "reader"), **in_project("alpha"))
    caller = await bench.ask("t")
    assert (caller.user, caller.user_name, caller.user_domain) == ("id-of-alice", "alice", "default")
    assert (caller.project, caller.project_name, caller.project_domain) == ("id-of-alpha", "alpha", "default")
    assert caller.roles == {"member", "reader"}
    assert (caller.system_scope, caller.domain, caller.is_trusted) == (None, None, False)
    assert caller.token is not None
    assert caller.token.reveal() == "t"


async def test_a_token_for_the_system_or_a_domain_tells_so(bench) -> None:
    bench.keystone.tokens["system"] = described(system={"all": True})
    bench.keystone.tokens["domain"] = described(domain={"id": "d1", "name": "one"})
    assert (await bench.ask("system")).system_scope == "all"
    caller = await bench.ask("domain")
    assert (caller.domain, caller.system_scope, caller.project) == ("d1", None, None)


async def test_a_request_without_a_token_is_told_where_to_get_one(make) -> None:
    bench = make(www_authenticate_uri="https://keystone.test/v3")
    denial = await denied(bench.ask(""))
    assert denial.status == 401
    assert denial.headers == ((b"www-authenticate", b'Keystone uri="https://keystone.test/v3"'),)
    assert not bench.keystone.asked


@pytest.mark.parametrize("text", ["unknown", "has space", "déjà", "x" * 9000, "a\tb"])
async def test_what_is_no_token_is_refused(bench, text: str) -> None:
    denial = await denied(bench.ask(text))
    assert (denial.status, denial.headers[0][0]) == (401, b"www-authenticate")
    assert sum(bench.keystone.asked.values()) == (text in ("unknown", "has space"))


async def test_a_verdict_is_believed_until_the_cache_time_is_over(make) -> None:
    bench = make(token_cache_time=60)
    bench.keystone.tokens["t"] = described()
    await bench.ask("t")
    bench.pass_time(59)
    await bench.ask("t")
    assert bench.keystone.asked["t"] == 1
    del bench.keystone.tokens["t"]
    bench.pass_time(1)
    assert (await denied(bench.ask("t"))).status == 401
    assert bench.keystone.asked["t"] == 2


async def test_a_verdict_is_never_believed_longer_than_the_token_lives(bench) -> None:
    bench.keystone.tokens["t"] = described(expires_at=bench.time() + 10)
    await bench.ask("t")
    bench.pass_time(10)
    assert (await denied(bench.ask("t"))).status == 401


async def test_a_refusal_is_believed_for_a_short_while(bench) -> None:
    await denied(bench.ask("t"))
    bench.keystone.tokens["t"] = described()
    await denied(bench.ask("t"))
    assert bench.keystone.asked["t"] == 1
    bench.pass_time(10)
    assert (await bench.ask("t")).user_name == "alice"


async def test_requests_at_the_same_time_share_one_question(bench) -> None:
    bench.keystone.tokens["t"] = described()
    bench.keystone.gate.clear()
    asking = [asyncio.create_task(bench.ask("t")) for _ in range(20)]
    await until(lambda: bench.keystone.asked["t"])
    asking[0].cancel()
    bench.keystone.gate.set()
    answers = await asyncio.gather(*asking, return_exceptions=True)
    assert isinstance(answers[0], asyncio.CancelledError)
    assert {answer.user_name for answer in answers[1:]} == {"alice"}
    assert (bench.keystone.asked["t"], bench.keystone.logins) == (1, 1)


async def test_our_own_token_is_renewed_before_it_expires(bench) -> None:
    bench.keystone.lifetime_s = 100
    bench.keystone.tokens.update({name: described() for name in "abc"})
    await bench.ask("a")
    bench.pass_time(79)
    await bench.ask("b")
    assert bench.keystone.logins == 1
    bench.pass_time(2)
    await bench.ask("c")
    assert bench.keystone.logins == 2


async def test_our_own_token_is_renewed_when_keystone_refuses_it(bench) -> None:
    bench.keystone.tokens.update({name: described() for name in "ab"})
    await bench.ask("a")
    bench.keystone.own_tokens.clear()
    assert (await bench.ask("b")).user_name == "alice"
    assert bench.keystone.logins == 2


async def test_a_renewal_that_fails_does_not_matter_while_the_old_token_is_good(bench) -> None:
    bench.keystone.lifetime_s = 100
    bench.keystone.tokens.update({name: described() for name in "abc"})
    await bench.ask("a")
    bench.keystone.password = "changed"
    bench.pass_time(85)
    assert (await bench.ask("b")).user_name == "alice"
    assert (await bench.ask("c")).user_name == "alice"
    assert bench.keystone.logins == 2


@pytest.mark.parametrize("status", [500, 503, 403, 429])
async def test_without_a_verdict_unknown_tokens_get_503_and_known_ones_go_on_until_they_expire(
    make, status: int
) -> None:
    bench = make(token_cache_time=60)
    bench.keystone.tokens["known"] = described(expires_at=bench.time() + 1000)
    await bench.ask("known")
    bench.keystone.status = status
    bench.pass_time(61)
    assert (await bench.ask("known")).user_name == "alice"
    denial = await denied(bench.ask("unknown"))
    assert (denial.status, denial.headers[0][0]) == (503, b"retry-after")
    assert int(denial.headers[0][1]) >= 1
    bench.pass_time(1000)
    assert (await denied(bench.ask("known"))).status == 401


async def test_a_keystone_that_is_down_is_not_asked_by_every_request(bench) -> None:
    bench.keystone.tokens["t"] = described()
    bench.keystone.status = 503
    for number in range(5):
        assert (await denied(bench.ask(f"t{number}"))).status == 503
    assert bench.keystone.logins == 1
    bench.keystone.status = None
    bench.pass_time(60)
    assert (await bench.ask("t")).user_name == "alice"


async def test_requests_that_waited_for_a_login_which_failed_do_not_try_it_one_after_the_other(bench) -> None:
    bench.keystone.status = 503
    denials = await asyncio.gather(*(denied(bench.ask(f"t{number}")) for number in range(6)))
    assert {denial.status for denial in denials} == {503}
    assert bench.keystone.logins == 1


async def test_one_token_that_keystone_fails_over_keeps_nobody_else_out(bench) -> None:
    bench.keystone.tokens["good"] = described()
    await denied(bench.ask("first"))
    bench.keystone.status = 500
    assert (await denied(bench.ask("poison"))).status == 503
    bench.keystone.status = None
    assert (await bench.ask("good")).user_name == "alice"


async def test_a_keystone_that_does_not_answer_in_time_is_down(make) -> None:
    bench = make(http_connect_timeout=0.2)
    bench.keystone.gate.clear()
    assert (await denied(bench.ask("t"))).status == 503


async def test_a_keystone_that_is_not_there_is_down(make) -> None:
    bench = make(auth_url="http://127.0.0.1:1/v3")
    assert (await denied(bench.ask("t"))).status == 503


async def test_a_wrong_password_of_ours_is_no_verdict_about_the_caller(bench) -> None:
    bench.keystone.password = "changed"
    assert (await denied(bench.ask("t"))).status == 503


async def test_a_description_we_do_not_understand_is_no_verdict(bench) -> None:
    bench.keystone.tokens["t"] = {"user": {"name": "no id"}}
    assert (await denied(bench.ask("t"))).status == 503


async def test_a_service_brings_its_roles_and_its_users_expired_token(bench) -> None:
    bench.keystone.tokens["nova"] = described("nova", **SERVICE)
    bench.keystone.expired["old"] = described("bob", expires_at=bench.time() - 60)
    await denied(bench.ask("old"))
    caller = await bench.ask("old", service="nova")
    assert (caller.user_name, caller.service_roles) == ("bob", {"service"})
    assert (await denied(bench.ask("old"))).status == 401


async def test_a_service_token_without_the_role_is_refused_or_has_no_effect(make) -> None:
    strict, lenient = make(), make(service_token_roles_required=False)
    for bench in (strict, lenient):
        bench.keystone.tokens.update(t=described(), user=described("eve"))
        bench.keystone.expired["old"] = described(expires_at=bench.time() - 60)
    assert (await denied(strict.ask("t", service="user"))).status == 401
    assert (await lenient.ask("t", service="user")).service_roles == {"reader"}
    assert (await denied(lenient.ask("old", service="user"))).status == 401


async def test_a_service_token_that_is_not_valid_spoils_the_request(bench) -> None:
    bench.keystone.tokens["t"] = described()
    assert (await denied(bench.ask("t", service="garbage"))).status == 401


async def test_a_service_token_alone_is_not_enough(bench) -> None:
    bench.keystone.tokens["nova"] = described("nova", **SERVICE)
    assert (await denied(bench.ask("", service="nova"))).status == 401


async def test_access_rules_restrict_a_token_but_not_the_service_that_passes_it_on(bench) -> None:
    rules = [{"id": "1", "service": "baremetal", "method": "GET", "path": "/v1/nodes"}]
    bench.keystone.tokens["t"] = described(application_credential={"id": "a", "access_rules": rules})
    bench.keystone.tokens["nova"] = described("nova", **SERVICE)
    assert (await bench.ask("t", path="/v1/nodes")).user_name == "alice"
    assert (await denied(bench.ask("t", path="/v1/ports"))).status == 401
    assert (await denied(bench.ask("t", path="/v1/nodes", method="POST"))).status == 401
    assert (await bench.ask("t", path="/v1/ports", service="nova")).user_name == "alice"


async def test_nothing_of_a_token_is_kept_but_its_hash(bench) -> None:
    bench.keystone.tokens["tell-tale"] = described()
    await bench.ask("tell-tale")
    assert "tell-tale" not in repr(vars(bench.validator))
