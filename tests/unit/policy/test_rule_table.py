"""The table of rules against the table of routes: neither has what the other does not know."""

from collections.abc import Sequence

import pytest

from bessemer.api.v1.route import OPEN, Route
from bessemer.policy.rule import RULES, list_rules
from bessemer.store.database import Database
from fakes.api_world import make_world
from fakes.clock import FakeClock

#: Rules that no row of the routes names, and why.
NOT_IN_A_ROW = {
    "building block of others": {
        "admin_api", "public_api", "service_role", "is_member", "is_observer", "is_admin", "is_node_owner",
        "is_node_lessee", "is_allocation_owner",
    },
    "asked besides the rule of the row, by the service that finds out what is asked": {
        "baremetal:node:create:self_owned_node",
        "baremetal:node:delete:self_owned_node",
        "baremetal:node:set_provision_state:clean_steps",
        "baremetal:node:set_provision_state:service_steps",
        "baremetal:allocation:create_restricted",
        "baremetal:allocation:create_pre_rbac",
        "baremetal:runbook:use",
        "baremetal:node:update_owner_provisioned",
    },
    "asked in place of the rule of the row, field by field": {
        "baremetal:node:disable_cleaning",
        "baremetal:node:update_extra",
        "baremetal:node:update_instance_info",
        "baremetal:runbook:update:owner",
        "baremetal:runbook:update:public",
        *(
            f"baremetal:node:update:{name}"
            for name in (
                "driver_info", "properties", "chassis_uuid", "instance_uuid", "lessee", "owner",
                "driver_interfaces", "network_data", "conductor_group", "name", "retired", "shard",
                "parent_node", "disable_power_off",
            )
        ),
    },
    "asked for what is shown, not for whether": {
        "show_password",
        "show_instance_secrets",
        "baremetal:node:get:filter_threshold",
        "baremetal:node:get:last_error",
        "baremetal:node:get:reservation",
        "baremetal:node:get:driver_internal_info",
        "baremetal:node:get:driver_info",
        "baremetal:volume:view_target_properties",
    },
    "lifts the limit of the list that the row names": {
        f"baremetal:{kind}:list_all"
        for kind in ("node", "port", "portgroup", "volume", "allocation", "runbook")
    },
    "kept for the sake of policy files": {"baremetal:inspection_rule:list_all"},
    "asked by the v2 API, whose routes have no rows": {
        "baremetal:operation:list",
        "baremetal:operation:get",
    },
}  # fmt: skip
#: Calls that are under no rule: they tell everybody the same, or say what is wrong with the address.
OPEN_CALLS = {
    ("GET", "/"), ("GET", "/v1"), ("PATCH", "/nodes"), ("DELETE", "/nodes"),
    *((method, f"/{below}/ports/{{port}}")
      for method in ("GET", "PATCH", "DELETE") for below in ("nodes/{node}", "portgroups/{portgroup}")),
    ("POST", "/nodes/{node}/ports"), ("POST", "/portgroups/{portgroup}/ports"),
}  # fmt: skip


@pytest.fixture
def family() -> str:
    return "sqlite"


@pytest.fixture
async def routes(database: Database, clock: FakeClock) -> Sequence[Route]:
    return (await make_world(database, clock)).routes


async def test_every_route_names_a_rule_that_exists_or_is_known_to_be_open(routes: Sequence[Route]) -> None:
    names = {rule.name for rule in RULES}
    without = [(route.method, route.path, route.rule) for route in routes if route.rule not in {OPEN, *names}]
    assert without == []
    assert {(route.method, route.path) for route in routes if route.rule == OPEN} == OPEN_CALLS


async def test_every_rule_has_a_route_or_a_reason_to_have_none(routes: Sequence[Route]) -> None:
    excused = [name for names in NOT_IN_A_ROW.values() for name in names]
    assert len(excused) == len(set(excused))
    named = {route.rule for route in routes} - {OPEN}
    assert named | set(excused) == {rule.name for rule in RULES}
    assert named.isdisjoint(excused)


def test_rules_have_one_name_each_and_say_what_they_are_for() -> None:
    rules = list_rules()
    assert len({rule.name for rule in rules}) == len(rules) == 135
    assert all(rule.description.endswith(".") for rule in rules)


def test_rules_that_guard_calls_tell_which() -> None:
    for rule in RULES:
        assert rule.name.startswith("baremetal:") == bool(getattr(rule, "operations", None)), rule.name
