"""Access rules of application credentials."""

import pytest

from bessemer.api.authentication.keystone.access_rule import AccessRule, is_allowed, read_access_rules


@pytest.mark.parametrize(
    ("rule", "path", "allowed"),
    [
        ("/v1/nodes", "/v1/nodes", True),
        ("/v1/nodes", "/v1/nodes/", False),
        ("/v1/nodes", "/v1/nodes/x", False),
        ("/v1/nodes/*", "/v1/nodes/x", True),
        ("/v1/nodes/*", "/v1/nodes/", False),
        ("/v1/nodes/*", "/v1/nodes/x/states", False),
        ("/v1/nodes/*/states", "/v1/nodes/x/states", True),
        ("/v1/nodes/{node_id}/states", "/v1/nodes/x/states", True),
        ("/v1/nodes/{node_id}/states", "/v1/nodes/x/y/states", False),
        ("/v1/**", "/v1/nodes/x/states/power", True),
        ("/v1/**", "/v2/nodes", False),
        ("/v1/**/power", "/v1/nodes/x/states/power", True),
        ("**", "/anything", True),
        ("/v1/n.des", "/v1/nodes", False),
        ("/v1/nodes+", "/v1/nodess", False),
        ("/v1/{", "/v1/{", True),
    ],
)
def test_a_rule_stands_for_paths(rule: str, path: str, allowed: bool) -> None:
    assert AccessRule("baremetal", "GET", rule).allows("baremetal", "GET", path) is allowed


def test_service_and_method_must_match_too() -> None:
    rule = AccessRule("baremetal", "GET", "/v1/nodes")
    assert rule.allows("baremetal", "GET", "/v1/nodes")
    assert not rule.allows("compute", "GET", "/v1/nodes")
    assert not rule.allows("baremetal", "POST", "/v1/nodes")


def test_one_rule_of_several_is_enough_and_none_allow_nothing() -> None:
    rules = [AccessRule("baremetal", "GET", "/v1/ports"), AccessRule("baremetal", "GET", "/v1/nodes")]
    assert is_allowed(rules, "baremetal", "GET", "/v1/nodes")
    assert not is_allowed([], "baremetal", "GET", "/v1/nodes")


def test_a_credential_without_rules_is_not_restricted_and_an_empty_list_of_rules_is() -> None:
    assert read_access_rules(None) is None
    assert read_access_rules({"id": "x", "restricted": True}) is None
    assert read_access_rules({"access_rules": []}) == ()
