import pytest

from bessemer_agent.settings import (
    InvalidSetting,
    Settings,
    build_settings,
    parse_command_line,
    parse_config_text,
)


def test_kernel_parameters_become_options_by_their_name() -> None:
    kernel = parse_command_line(
        "quiet ipa-api-url=http://10.0.2.2:6385 ipa-advertise-port=12345 ipa-insecure=1\n"
    )
    settings = build_settings(kernel, {})
    assert settings.api_urls == ["http://10.0.2.2:6385"]
    assert settings.advertise_port == 12345
    assert settings.insecure is True


def test_quotes_keep_blanks_within_a_kernel_parameter() -> None:
    assert parse_command_line('a="x y" b=z') == {"a": "x y", "b": "z"}


def test_the_last_of_several_equal_kernel_parameters_wins() -> None:
    assert parse_command_line("console=tty0 console=ttyS0") == {"console": "ttyS0"}


def test_configuration_outranks_kernel_parameters() -> None:
    settings = build_settings({"ipa-api-url": "http://kernel"}, {"api_url": "http://media"})
    assert settings.api_urls == ["http://media"]


def test_a_parameter_whose_name_does_not_follow_from_the_option_is_known() -> None:
    settings = build_settings({"ipa-ip-lookup-timeout": "3", "boot_method": "vmedia", "BOOTIF": "01-aa"}, {})
    assert (settings.ip_lookup_sleep, settings.boot_method, settings.boot_mac) == (3.0, "vmedia", "01-aa")


def test_several_api_urls_are_separated_by_commas() -> None:
    settings = build_settings({"ipa-api-url": "http://a/, https://b"}, {})
    assert settings.api_urls == ["http://a", "https://b"]


@pytest.mark.parametrize("url", [None, "", "mdns", "ftp://a"])
def test_an_api_url_that_is_absent_or_not_http_is_an_error(url: str | None) -> None:
    with pytest.raises(InvalidSetting, match="ipa-api-url"):
        _ = Settings(api_url=url).api_urls


@pytest.mark.parametrize(
    ("parameter", "value"),
    [("ipa-listen-port", "many"), ("ipa-insecure", "perhaps"), ("ipa-lookup-timeout", "soon")],
)
def test_a_value_of_the_wrong_kind_is_an_error_that_names_the_option(parameter: str, value: str) -> None:
    with pytest.raises(InvalidSetting, match=parameter[4:].replace("-", "_")):
        build_settings({parameter: value}, {})


def test_the_token_is_never_shown() -> None:
    settings = build_settings({"ipa-agent-token": "very-secret"}, {})
    assert settings.agent_token is not None
    assert settings.agent_token.reveal() == "very-secret"
    assert "very-secret" not in repr(settings)


def test_only_the_default_section_of_a_configuration_file_counts() -> None:
    text = "[DEFAULT]\napi-url = http://a\nagent_token=t=%41\n[other]\ninsecure = true\n"
    assert parse_config_text(text, "x.conf") == {"api_url": "http://a", "agent_token": "t=%41"}


def test_a_file_that_is_not_ini_is_an_error_that_does_not_quote_it() -> None:
    with pytest.raises(InvalidSetting, match=r"x\.conf") as caught:
        parse_config_text("agent_token = secret", "x.conf")
    assert "secret" not in str(caught.value)
