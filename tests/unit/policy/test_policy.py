"""Policy files: what they change, how they are refused, and that the old rules stay then."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
import structlog

from bessemer.config.settings import Settings
from bessemer.policy.credential import credentials
from bessemer.policy.policy import Policy
from bessemer.policy.source import BadPolicy
from fakes.persona import policy_with
from fakes.wait import until

RULE = "baremetal:node:get_states"
READER = credentials(roles=["reader"], project_id="p")
OWNED = {"node.owner": "p"}


def rewrite(path: Path, text: str) -> None:
    """A new version of the file, whatever the resolution of its time of change."""
    fresh = path.with_name(".new")
    fresh.write_text(text)
    fresh.replace(path)


def test_without_a_file_the_defaults_hold(tmp_path: Path) -> None:
    policy = Policy(replace(Settings().oslo_policy, policy_file=str(tmp_path / "policy.yaml")), {})
    assert policy.allows(RULE, OWNED, READER)
    assert not policy.allows(RULE, {"node.owner": "q"}, READER)
    assert not policy.allows(RULE, {}, READER)


def test_a_rule_that_does_not_exist_lets_nobody_pass(tmp_path: Path) -> None:
    policy = policy_with(tmp_path, "")
    assert not policy.allows("baremetal:no:such", {}, credentials(roles=["admin"], system_scope="all"))
    assert not policy.has("baremetal:no:such")


def test_files_override_rules_and_those_in_directories_come_last(tmp_path: Path) -> None:
    directory = tmp_path / "policy.d"
    directory.mkdir()
    (directory / "50-more.yaml").write_text(f'"{RULE}": "role:second"')
    (directory / "60-last.yaml").write_text(f'"{RULE}": "role:third"')
    (directory / ".hidden.yaml").write_text(f'"{RULE}": "role:fourth"')
    path = tmp_path / "policy.yaml"
    path.write_text(f'"{RULE}": "role:first"\n"baremetal:step:execute:raid.create": "!"')
    settings = replace(Settings().oslo_policy, policy_file=str(path), policy_dirs=[str(directory)])
    policy = Policy(settings, {})
    passing = [
        role
        for role in ("first", "second", "third", "fourth")
        if policy.allows(RULE, {}, credentials(roles=[role]))
    ]
    assert passing == ["third"]
    assert policy.has("baremetal:step:execute:raid.create")


def test_a_default_rule_answers_for_rules_that_do_not_exist(tmp_path: Path) -> None:
    policy = policy_with(tmp_path, '"default": "role:chief"')
    assert policy.allows("baremetal:no:such", {}, credentials(roles=["Chief"]))
    assert not policy.allows("baremetal:no:such", {}, READER)


def test_old_defaults_count_where_they_are_asked_for(tmp_path: Path) -> None:
    admin = credentials(roles=["admin"], project_id="q")
    assert not policy_with(tmp_path, "").allows("baremetal:node:create", {}, admin)
    assert policy_with(tmp_path, "", enforce_new_defaults=False).allows("baremetal:node:create", {}, admin)


def test_rules_for_the_system_refuse_tokens_of_projects_and_domains(tmp_path: Path) -> None:
    policy = policy_with(tmp_path, '"baremetal:chassis:get": ""\n"baremetal:node:get": ""')
    system, domain = credentials(system_scope="all"), credentials(domain_id="d")
    assert [policy.allows("baremetal:chassis:get", {}, who) for who in (system, domain, READER)] == [
        True, False, False,
    ]  # fmt: skip
    assert [policy.allows("baremetal:node:get", {}, who) for who in (system, domain, READER)] == [
        True, False, True,
    ]  # fmt: skip


def test_a_node_without_an_owner_belongs_to_no_one_without_a_project(tmp_path: Path) -> None:
    policy = policy_with(tmp_path, "")
    assert not policy.allows(RULE, {}, credentials(roles=["reader"]))
    assert not policy.allows(RULE, {}, credentials(roles=["reader"], project_id=None))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[", "is not YAML"),
        ("- a\n- b", "must give each rule its check"),
        ("a: 1", "must be a text"),
        ("a: [[b]]", "must be a text"),
        ('"a": "role:x or"', "cannot be understood"),
        ('"a": "(role:x"', "cannot be understood"),
        ('"a": "role:x and nonsense"', "cannot be understood"),
        ('"a": "rule:b"', "refers to 'b'"),
        ('"a": "rule:b"\n"b": "not rule:a"', "refers to itself"),
        ('"a": "http://host/%(name)s"', "not supported"),
    ],
)
def test_a_file_that_is_not_understood_is_refused_as_a_whole(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(BadPolicy, match=told):
        policy_with(tmp_path, text)


def test_a_file_that_everybody_may_write_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text("")
    path.chmod(0o666)
    settings = replace(Settings().oslo_policy, policy_file=str(path), policy_dirs=[])
    with pytest.raises(BadPolicy, match="written by everybody"):
        Policy(settings, {})
    path.chmod(0o640)
    Policy(settings, {})


def test_a_changed_file_is_taken_over(tmp_path: Path) -> None:
    policy = policy_with(tmp_path, f'"{RULE}": "!"')
    assert not policy.allows(RULE, OWNED, READER)
    rewrite(tmp_path / "policy.yaml", f'"{RULE}": "role:reader"')
    policy.refresh()
    assert policy.allows(RULE, {}, READER)


@pytest.mark.parametrize("text", ["[", f'"{RULE}": "role:"and"', f'"{RULE}": "rule:nothing"'])
def test_a_tampered_file_is_refused_once_in_the_log_and_the_old_rules_stay(tmp_path: Path, text: str) -> None:
    policy = policy_with(tmp_path, f'"{RULE}": "!"')
    rewrite(tmp_path / "policy.yaml", text)
    with structlog.testing.capture_logs() as logs:
        policy.refresh()
        policy.refresh()
    assert [entry["event"] for entry in logs] == ["policy refused; the old rules stay in force"]
    assert str(tmp_path) in logs[0]["error"] or "nothing" in logs[0]["error"]
    assert not policy.allows(RULE, OWNED, READER)
    rewrite(tmp_path / "policy.yaml", f'"{RULE}": ""')
    policy.refresh()
    assert policy.allows(RULE, OWNED, READER)


def test_a_file_that_is_taken_away_leaves_the_rules_as_they_are(tmp_path: Path) -> None:
    policy = policy_with(tmp_path, f'"{RULE}": "!"')
    (tmp_path / "policy.yaml").unlink()
    with structlog.testing.capture_logs() as logs:
        policy.refresh()
    assert "is gone" in logs[0]["error"]
    assert not policy.allows(RULE, OWNED, READER)


def test_an_unchanged_file_is_not_read_again(tmp_path: Path) -> None:
    policy = policy_with(tmp_path, f'"{RULE}": "!"')
    with structlog.testing.capture_logs() as logs:
        policy.refresh()
    assert logs == []


def test_names_that_guard_nothing_are_told_of(tmp_path: Path) -> None:
    with structlog.testing.capture_logs() as logs:
        policy_with(tmp_path, '"baremetal:node:gte": ""\n"my_own_part": ""\n"baremetal:step:execute:a.b": ""')
    assert [entry["rule"] for entry in logs] == ["baremetal:node:gte"]


@pytest.mark.parametrize("check", ["role:100%", "project_id.part:x", "1x:%(node.owner)s"])
def test_a_check_that_cannot_be_carried_out_lets_nobody_pass(tmp_path: Path, check: str) -> None:
    assert not policy_with(tmp_path, f'"{RULE}": "{check}"').allows(RULE, OWNED, READER)


async def test_the_files_are_looked_at_as_long_as_the_service_runs(tmp_path: Path) -> None:
    policy = policy_with(tmp_path, f'"{RULE}": "!"')
    watching = asyncio.create_task(policy.run(look_s=0.01))
    for check, expected in (("", True), ("!", False)):
        rewrite(tmp_path / "policy.yaml", f'"{RULE}": "{check}"')
        await until(lambda expected=expected: policy.allows(RULE, OWNED, READER) is expected)
    watching.cancel()
    await asyncio.wait((watching,))
