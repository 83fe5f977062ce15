"""oslo.policy's command line tools find our rules and the operator's file."""

import subprocess
import sys
from pathlib import Path

import yaml

from bessemer.policy.rule import RULES

TOOLS = Path(sys.executable).parent


def run(tool: str, *arguments: str) -> str:
    command = [str(TOOLS / tool), "--namespace", "bessemer", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def config_file(directory: Path, policy: str) -> Path:
    (directory / "policy.yaml").write_text(policy)
    path = directory / "bessemer.conf"
    path.write_text(f"[DEFAULT]\nstate_path = {directory}\n")
    return path


def test_the_sample_has_every_rule_commented_out() -> None:
    sample = run("oslopolicy-sample-generator")
    assert yaml.safe_load(sample) is None
    for rule in RULES:
        assert f'#"{rule.name}":' in sample


def test_the_generated_policy_is_the_defaults_with_the_operators_changes(tmp_path: Path) -> None:
    path = config_file(tmp_path, '"baremetal:node:delete": "role:chief"')
    merged = yaml.safe_load(run("oslopolicy-policy-generator", "--config-file", str(path)))
    assert merged["baremetal:node:delete"] == "role:chief"
    assert {rule.name for rule in RULES} <= merged.keys()


def test_rules_in_the_file_that_change_nothing_are_listed(tmp_path: Path) -> None:
    same = next(rule for rule in RULES if rule.name == "baremetal:shards:get").check_str
    path = config_file(tmp_path, f'"baremetal:shards:get": "{same}"\n"baremetal:node:delete": "role:chief"')
    told = run("oslopolicy-list-redundant", "--config-file", str(path))
    assert "baremetal:shards:get" in told
    assert "baremetal:node:delete" not in told
