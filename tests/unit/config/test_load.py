from pathlib import Path

import pytest

from bessemer.config.load import BadSettings, declared, load_settings
from bessemer.config.settings import Settings


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "bessemer.conf"
    path.write_text(text)
    return path


def test_without_a_file_the_service_stays_on_loopback_and_sqlite(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    settings, unknown = load_settings()
    assert (settings.api.host_ip, settings.api.port) == ("127.0.0.1", 6385)
    assert settings.database.connection == f"sqlite:///{tmp_path}/bessemer/bessemer.sqlite"
    assert unknown == []


def test_a_file_in_the_form_of_ironic_is_read(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "[DEFAULT]\nenabled_hardware_types = redfish,fake-hardware\n[conductor]\nautomated_clean = no\n"
        "[fake]\nfaults = power.get_power_state:unreachable@0.1\n[database]\nconnection = sqlite:////tmp/x\n",
    )
    settings, _ = load_settings(path)
    assert settings.default.enabled_hardware_types == ["redfish", "fake-hardware"]
    assert settings.conductor.automated_clean is False
    assert settings.fake.faults == {"power.get_power_state": "unreachable@0.1"}
    assert settings.database.connection == "sqlite:////tmp/x"


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OS_API__PORT", "7001")
    settings, _ = load_settings(written(tmp_path, "[api]\nport = 7000\n"))
    assert settings.api.port == 7001


def test_options_nobody_knows_are_reported(tmp_path: Path) -> None:
    _, unknown = load_settings(written(tmp_path, "[api]\nprot = 1\n[nowhere]\nx = 1\n"))
    assert unknown == ["[api]prot", "[nowhere]x"]


@pytest.mark.parametrize("text", ["[api]\nport = many\n", "no section\n"])
def test_a_bad_value_is_refused_with_its_name(tmp_path: Path, text: str) -> None:
    with pytest.raises(BadSettings, match="cannot be read"):
        load_settings(written(tmp_path, text))


@pytest.mark.parametrize(
    ("section", "value"),
    [
        ("conductor", "workers_pool_size = 0"),
        ("conductor", "lease_time = 0"),
        ("conductor", "heartbeat_interval = 0"),
        ("conductor", "sync_power_state_workers = 0"),
        ("conductor", "max_concurrent_deploy = -1"),
        ("conductor", "health_check_interval = -1"),
        ("sensor_data", "interval = 0"),
        ("agent", "poll_interval = 0"),
        ("database", "max_pool_size = -1"),
        ("database", "keep_operations_days = -1"),
    ],
)
def test_a_number_that_nothing_would_run_with_is_refused_by_name(
    tmp_path: Path, section: str, value: str
) -> None:
    with pytest.raises(BadSettings, match=value.partition(" ")[0]):
        load_settings(written(tmp_path, f"[{section}]\n{value}\n"))


@pytest.mark.parametrize(
    ("section", "option", "value"),
    [
        ("conductor", "sync_power_state_interval", -1),
        ("conductor", "power_state_sync_max_retries", -1),
        ("conductor", "node_locked_retry_attempts", -1),
        ("agent", "max_command_attempts", 0),
        ("cors", "max_age", -1),
    ],
)
def test_a_number_by_which_files_of_ironic_say_none_is_taken(
    tmp_path: Path, section: str, option: str, value: int
) -> None:
    settings, _ = load_settings(written(tmp_path, f"[{section}]\n{option} = {value}\n"))
    assert getattr(getattr(settings, section), option) == value


def test_no_limit_to_connections_is_the_usual_one(tmp_path: Path) -> None:
    settings, _ = load_settings(written(tmp_path, "[database]\nmax_pool_size = 0\n"))
    assert settings.database.max_pool_size == Settings().database.max_pool_size


def test_a_conductor_group_is_in_lower_case_as_that_of_nodes(tmp_path: Path) -> None:
    settings, _ = load_settings(written(tmp_path, "[conductor]\nconductor_group = RackA\n"))
    assert settings.conductor.conductor_group == "racka"


def test_every_option_says_what_it_means() -> None:
    for options in declared().values():
        assert all(option.help and len(option.help) > 10 for option in options)


def test_passwords_among_the_settings_do_not_show_themselves(tmp_path: Path) -> None:
    path = written(tmp_path, "[keystone_authtoken]\nusername = bessemer\npassword = opensesame\n")
    settings, unknown = load_settings(path)
    assert settings.keystone_authtoken.password is not None
    assert settings.keystone_authtoken.password.reveal() == "opensesame"
    assert "opensesame" not in repr(settings)
    assert unknown == []
