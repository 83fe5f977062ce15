"""Compiled rules say as oslo.policy's own ``enforce`` says: whoever asks, of whatever, by whichever file."""

import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from bessemer.config.settings import Settings
from bessemer.policy.credential import credentials
from bessemer.policy.enforcer import make_enforcer
from bessemer.policy.policy import Policy
from bessemer.policy.rule import RULES

CONSTANTS = {"config.service_project_name": "service"}
NAMES = sorted(rule.name for rule in RULES)
ROLES = ("admin", "manager", "member", "reader", "service", "Chief", "baremetal_admin")
PROJECTS = ("p1", "p2", "None", "True")
KEYS = ("node.owner", "node.lessee", "allocation.owner", "runbook.owner")
OWN = ("part0", "part1", "part2")
BASE = ("service_role", "is_admin", "is_node_owner", "is_observer", "public_api")

maybe_project = st.none() | st.sampled_from(PROJECTS)
people = st.builds(
    credentials,
    roles=st.sets(st.sampled_from(ROLES), max_size=4),
    is_public_api=st.booleans(),
    user_id=st.none() | st.sampled_from(("u1", "p1")),
    project_id=maybe_project,
    project_name=st.sampled_from((None, "service", "demo", "baremetal")),
    project_domain_id=st.sampled_from((None, "default", "d")),
    domain_id=st.sampled_from((None, None, "d")),
    system_scope=st.sampled_from((None, None, "all")),
)
targets = st.dictionaries(st.sampled_from(KEYS), st.sampled_from(PROJECTS))


def leaves(parts: tuple[str, ...]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.sampled_from(ROLES).map("role:{}".format),
        st.sampled_from(KEYS).map("project_id:%({})s".format),
        st.sampled_from((*BASE, *parts)).map("rule:{}".format),
        st.sampled_from((
            "@", "!", "system_scope:all", "role:%(node.owner)s", "user_id:%(no.such.key)s", "roles:admin",
            "is_admin_project:True", "True:%(node.owner)s", "'p1':%(node.lessee)s", "project_id:p%%1",
            "no_such_attribute:x", "no.such.part:p1", "user_id:x%(node.owner)s", "None:%(node.owner)s",
        )),
    )  # fmt: skip


def checks(parts: tuple[str, ...] = ()) -> st.SearchStrategy[str]:
    """Texts of checks that may refer to ``parts``."""

    def joined(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        return st.one_of(
            inner.map("not ({})".format),
            *(
                st.lists(inner, min_size=2, max_size=3).map(
                    lambda texts, word=word: f"({f' {word} '.join(texts)})"
                )
                for word in ("and", "or")
            ),
        )

    return st.recursive(leaves(parts), joined, max_leaves=6) | st.just("")


@st.composite
def files(draw: st.DrawFn) -> Mapping[str, str]:
    """Policy files: a few parts of their own, and rules of ours that use them."""
    found = {name: draw(checks(OWN[:number])) for number, name in enumerate(OWN)}
    changed = draw(
        st.sets(st.sampled_from([name for name in NAMES if name.startswith("baremetal:")]), max_size=8)
    )
    found |= {name: draw(checks(OWN)) for name in sorted(changed)}
    return found


def for_oslo(creds: Mapping[str, Any]) -> dict[str, Any]:
    return {**creds, "roles": sorted(creds["roles"])}


# Without shrinking, which takes minutes here: what fails is one rule, and the message shows it alone.
@settings(
    max_examples=25, deadline=None, phases=[Phase.generate], suppress_health_check=[HealthCheck.too_slow]
)
@given(
    file=files(),
    new_defaults=st.booleans(),
    questions=st.lists(st.tuples(people, targets), min_size=2, max_size=2),
)
def test_every_rule_of_any_file_answers_as_oslo_does(
    file: Mapping[str, str], new_defaults: bool, questions: list[tuple[Any, Any]]
) -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "policy.yaml"
        path.write_text("\n".join(f'"{name}": "{check}"' for name, check in file.items()))
        chosen = replace(
            Settings().oslo_policy,
            policy_file=str(path),
            policy_dirs=[],
            enforce_new_defaults=new_defaults,
        )
        ours, oslo = Policy(chosen, CONSTANTS), make_enforcer(chosen)
        for creds, target in questions:
            for name in (*NAMES, *OWN, "no:such:rule"):
                expected = bool(oslo.enforce(name, {**target, **CONSTANTS}, for_oslo(creds)))
                assert ours.allows(name, target, creds) is expected, (name, file.get(name), creds, target)


DEFAULTS = Policy(Settings().oslo_policy, CONSTANTS)
OSLO = make_enforcer(Settings().oslo_policy)


@settings(max_examples=150, deadline=None)
@given(creds=people, target=targets, names=st.lists(st.sampled_from(NAMES), min_size=5, max_size=5))
def test_the_defaults_answer_as_oslo_does(creds: Any, target: Any, names: list[str]) -> None:
    for name in names:
        expected = bool(OSLO.enforce(name, {**target, **CONSTANTS}, for_oslo(creds)))
        assert DEFAULTS.allows(name, target, creds) is expected, (name, creds, target)
