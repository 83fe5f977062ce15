"""SIGHUP: what a process takes over from a changed settings file, and what it leaves as it was."""

from pathlib import Path
from typing import Any

import pytest
import structlog

from bessemer.config.load import load_settings
from bessemer.config.settings import Settings
from bessemer.kernel.error import BessemerError
from bessemer.policy.credential import credentials
from bessemer.policy.policy import Policy
from bessemer.server.reload import Reload

RULE = "baremetal:node:get_states"
READER = credentials(roles=["reader"], project_id="p")


class Site:
    """A settings file and a policy file, and a process's policy and reload."""

    def __init__(self, directory: Path) -> None:
        self.file = directory / "bessemer.ini"
        self.rules = directory / "policy.yaml"
        self.write()
        settings, _ = load_settings(self.file)
        self.policy = Policy.of(settings)
        self.reload = Reload(self.file, settings)
        self.reload.add(self.policy.take, "oslo_policy.", "DEFAULT.rbac_service_role_elevated_access")

    def write(self, *lines: str) -> None:
        self.file.write_text("\n".join(("[DEFAULT]", "host = h1", *lines)))

    def allows(self) -> bool:
        return self.policy.allows(RULE, {"node.owner": "p"}, READER)

    def hang_up(self) -> list[dict[str, Any]]:
        """Reload; what was logged."""
        with structlog.testing.capture_logs() as lines:
            self.reload()
        return [dict(line) for line in lines]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def test_changed_rules_are_in_force_at_once(site: Site) -> None:
    assert site.allows()
    site.rules.write_text(f'"{RULE}": "!"')
    site.hang_up()
    assert not site.allows()


def test_a_policy_file_that_was_taken_away_on_purpose_is_forgotten(site: Site) -> None:
    site.rules.write_text(f'"{RULE}": "!"')
    site.hang_up()
    site.rules.unlink()
    site.policy.refresh()
    assert not site.allows()
    site.hang_up()
    assert site.allows()


def test_another_policy_file_is_followed_without_a_restart(site: Site) -> None:
    site.rules.with_name("strict.yaml").write_text(f'"{RULE}": "!"')
    site.write("[oslo_policy]", "policy_file = strict.yaml")
    assert "some changed settings need a restart" not in [line["event"] for line in site.hang_up()]
    assert not site.allows()
    site.rules.with_name("strict.yaml").write_text(f'"{RULE}": ""  # for all')
    site.policy.refresh()
    assert site.allows()


def test_rules_that_cannot_be_used_change_nothing_and_are_told_of(site: Site) -> None:
    site.rules.write_text(f'"{RULE}": "!"')
    site.hang_up()
    site.rules.write_text(f'"{RULE}": "rule:that does not exist"')
    [line] = site.hang_up()
    assert line["event"] == "settings could not be read again; the old ones stay"
    assert RULE in line["error"]
    assert not site.allows()


def test_what_nobody_follows_is_named(site: Site) -> None:
    site.write("rbac_service_role_elevated_access = true", "default_resource_class = x")
    [told] = [line for line in site.hang_up() if line["event"] == "some changed settings need a restart"]
    assert told["options"] == ["DEFAULT.default_resource_class"]


def test_settings_that_one_part_refuses_are_not_taken_for_the_present_ones(site: Site) -> None:
    seen: list[str] = []

    def refuse(settings: Settings) -> None:
        seen.append(settings.default.host)
        raise BessemerError("No.")

    site.reload.add(refuse, "api.port")
    for _ in range(2):
        site.write("default_resource_class = x")
        assert [line["event"] for line in site.hang_up()][-1].startswith("settings could not be read again")
    assert seen == ["h1", "h1"]
