"""Checks of documents: whatever is given, the answer is yes or a clear no, never another error."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bessemer.domain.capability import (
    check_capabilities,
    format_capabilities,
    parse_capabilities,
    parse_instance_capabilities,
)
from bessemer.domain.inspection.interpolation import interpolated, referred
from bessemer.domain.inspection.rule import check_actions, check_conditions
from bessemer.domain.network_data import check_network_data
from bessemer.domain.raid import check_raid_config, check_software_raid
from bessemer.domain.step_request import (
    check_clean_steps,
    check_deploy_steps,
    check_runbook_steps,
    check_service_steps,
    check_template_steps,
)
from bessemer.domain.trait import check_traits
from bessemer.kernel.error import InvalidValue

#: Words that the checks know, so that documents get past the first look.
WORDS = st.sampled_from([
    "links", "networks", "services", "id", "type", "phy", "bond", "bond_links", "vlan", "dns", "address",
    "logical_disks", "size_gb", "raid_level", "MAX", "1", "controller", "software", "physical_disks",
    "interface", "step", "args", "priority", "order", "bios", "deploy", "limit_child_node_execution",
    "op", "eq", "!lt", "values", "value", "regex", "(", "loop", "multiple", "any", "log", "msg", "path", "/a",
    "{node.driver}", "{", "boot_mode:uefi", "CUSTOM_A",
])  # fmt: skip
VALUES = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), WORDS, st.text(max_size=5))
DOCUMENTS = st.recursive(
    VALUES,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(WORDS, inner, max_size=5)),
    max_leaves=15,
)
CHECKS = [
    check_actions, check_capabilities, check_clean_steps, check_conditions, check_deploy_steps,
    check_network_data, check_raid_config, check_runbook_steps, check_service_steps, check_software_raid,
    check_template_steps, check_traits, parse_capabilities, parse_instance_capabilities,
]  # fmt: skip


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@given(document=DOCUMENTS)
def test_any_document_is_accepted_or_refused_with_words(check: Callable[[Any], Any], document: Any) -> None:
    try:
        check(document)
    except InvalidValue as error:
        assert len(error.message) > 10  # noqa: PT017  that some are refused is the unit tests' matter


NAMES = {"node": {"driver": "x"}, "inventory": {"a": [1]}, "plugin_data": {}}
TEXTS = st.lists(
    st.sampled_from(
        ["{", "}", "node", ".driver", "inventory", "[a]", "[0]", "!s", ":", ">9", "plain", "__class__"]
    ),
    max_size=8,
).map("".join)


@given(TEXTS)
def test_any_text_can_be_filled_in(text: str) -> None:
    assert isinstance(interpolated(text, NAMES), str)
    referred(text, NAMES)


PAIR = st.text(
    st.characters(blacklist_characters=",:", blacklist_categories=["Zs", "Cc", "Zl", "Zp"]), min_size=1
)


@given(st.dictionaries(PAIR, PAIR))
def test_capabilities_read_back_as_they_were_written(capabilities: dict[str, str]) -> None:
    assert parse_capabilities(format_capabilities(capabilities)) == capabilities
