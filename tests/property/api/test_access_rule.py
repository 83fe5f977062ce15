"""Paths of access rules mean what they mean to keystonemiddleware."""

import warnings

from hypothesis import given
from hypothesis import strategies as st

from bessemer.api.authentication.keystone.access_rule import AccessRule

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from keystonemiddleware.auth_token import _path_matches

#: Without letters that mean something in a regular expression: there the two differ on purpose.
PARTS = st.sampled_from(
    ["v1", "nodes", "n", "states", "*", "**", "{id}", "n*", "*n", "n**", "{a}{b}", "***", ""]
)
PATHS = st.lists(st.sampled_from(["v1", "nodes", "n", "nn", "states", ""]), max_size=5)


@given(rule=st.lists(PARTS, max_size=5), path=PATHS)
def test_a_rule_allows_the_same_paths(rule: list[str], path: list[str]) -> None:
    pattern, asked = "/" + "/".join(rule), "/" + "/".join(path)
    ours = AccessRule("baremetal", "GET", pattern).allows("baremetal", "GET", asked)
    assert ours is bool(_path_matches(asked, pattern)), (pattern, asked)
