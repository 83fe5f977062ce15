"""Callers fail closed: without a rule or a policy only the trusted get on."""

import pytest

from bessemer.kernel.error import Forbidden
from bessemer.service.caller import Caller
from fakes.persona import OWNER, default_policy, persona

RULE = "baremetal:node:get_states"
OWNED = {"node.owner": OWNER}


def test_a_caller_under_no_rule_is_refused() -> None:
    caller = persona("system_admin").under(default_policy())
    for call in (caller.check, caller.limit):
        with pytest.raises(Forbidden, match="under no rule"):
            call()


def test_a_caller_whom_no_policy_judges_is_refused() -> None:
    caller = persona("system_admin").asking(RULE)
    assert not caller.may(RULE)
    with pytest.raises(Forbidden, match=RULE):
        caller.check()


def test_every_rule_of_a_request_must_be_passed() -> None:
    caller = persona("owner_reader").under(default_policy()).asking(RULE)
    caller.check(OWNED)
    with pytest.raises(Forbidden, match="set_power_state"):
        caller.also_asking("baremetal:node:set_power_state").check(OWNED)


def test_of_several_rules_of_which_one_is_enough_one_is_enough() -> None:
    caller = persona("owner_reader").under(default_policy())
    caller.asking(("baremetal:node:delete", RULE)).check(OWNED)
    with pytest.raises(Forbidden, match="node:delete and baremetal:node:create"):
        caller.asking(("baremetal:node:delete", "baremetal:node:create")).check(OWNED)


def test_the_trusted_pass_every_rule_except_those_that_open_secrets() -> None:
    trusted = Caller(is_trusted=True)
    for caller in (trusted, trusted.under(default_policy()), trusted.asking(RULE).cleared()):
        caller.check()
        assert caller.limit("p") == "p"
        assert caller.may(RULE)
        assert not caller.may("show_password")


def test_a_limit_is_for_lists_only() -> None:
    caller = persona("owner_reader").under(default_policy())
    assert caller.asking("baremetal:node:list").limit() == OWNER
    assert persona("system_reader").under(default_policy()).asking("baremetal:node:list").limit() is None
    for rules in ((RULE,), ("baremetal:node:list", RULE)):
        with pytest.raises(Forbidden):
            caller.asking(*rules).limit()


def test_who_has_no_project_and_may_not_list_all_lists_nothing() -> None:
    caller = persona("nobody_reader").under(default_policy())
    with pytest.raises(Forbidden, match="baremetal:node:list"):
        caller.asking("baremetal:node:list").limit()


def test_a_caller_shows_neither_rules_nor_credentials() -> None:
    shown = repr(persona("owner_reader").under(default_policy()).asking(RULE))
    assert RULE not in shown
    assert "creds" not in shown
