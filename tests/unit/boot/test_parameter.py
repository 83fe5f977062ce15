import configparser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bessemer.boot.parameter import agent_config, grub_config, kernel_parameters
from bessemer.config.settings import DefaultSettings, RedfishSettings, Settings
from bessemer.domain.provision import ProvisionState
from bessemer.kernel.error import InvalidValue
from fakes.record import NODE_UUID, TOKEN, make_node

API = "https://bessemer.example:6385"
PLAIN = Settings(redfish=RedfishSettings(kernel_append_params="quiet"))


def parameters(settings: Settings = PLAIN, **node: Any) -> list[str]:
    return kernel_parameters(make_node(**node), settings, API)


def test_the_agent_learns_how_it_was_booted_and_where_the_service_is() -> None:
    assert parameters()[:2] == ["boot_method=vmedia", f"ipa-api-url={API}"]


def test_the_nodes_parameters_replace_the_default_or_include_it() -> None:
    assert parameters()[-1] == "quiet"
    assert "quiet" not in parameters(driver_info={"kernel_append_params": "debug"})
    assert parameters(driver_info={"kernel_append_params": "a=1 %default% b"})[-3:] == ["a=1", "quiet", "b"]


def test_consoles_are_added_unless_one_is_named() -> None:
    assert "console=ttyS0,115200n8" in parameters()
    chosen = parameters(driver_info={"kernel_append_params": "console=ttyS1,9600"})
    assert [word for word in chosen if word.startswith("console=")] == ["console=ttyS1,9600"]


def test_debug_and_the_request_id_are_passed_on() -> None:
    assert "ipa-debug=1" in parameters(Settings(default=DefaultSettings(debug=True)))
    request_id = "req-11111111-2222-4333-8444-555555555555"
    known = parameters(driver_internal_info={"boot_request_id": request_id})
    assert f"ipa-global-request-id={request_id}" in known
    odd = parameters(driver_internal_info={"boot_request_id": "req-1 init=/bin/sh"})
    assert not any("init=" in word for word in odd)


@pytest.mark.parametrize(
    "text", ["a\nboot", "a\rb", "a'b", 'a"b', "a\\b", "a\x00b", "tab\there", "ä", "x" * 2100, 7]
)
def test_parameters_that_could_break_out_of_their_line_are_refused(text: Any) -> None:
    with pytest.raises(InvalidValue):
        parameters(driver_info={"kernel_append_params": text})


def test_an_api_url_that_could_break_out_is_refused() -> None:
    with pytest.raises(InvalidValue):
        kernel_parameters(make_node(), PLAIN, "http://host/'\nboot")


def test_the_token_stays_off_the_command_line() -> None:
    assert TOKEN not in grub_config(parameters())
    with pytest.raises(InvalidValue, match="token"):
        parameters(driver_info={"kernel_append_params": "ipa-agent-token=abc"})


@given(
    st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E, exclude_characters="'\"\\"), max_size=200)
)
def test_whatever_is_accepted_stays_one_grub_command(text: str) -> None:
    lines = grub_config(parameters(driver_info={"kernel_append_params": text})).splitlines()
    assert [line.split()[0] for line in lines] == ["linux", "initrd", "boot"]
    words = lines[0].removeprefix("linux /boot/vmlinuz ").split(" ")
    assert all(word[0] == word[-1] == "'" and "'" not in word[1:-1] for word in words)


def read(text: str) -> configparser.SectionProxy:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(text)
    return parser["DEFAULT"]


def test_the_agents_file_holds_its_token_and_the_api() -> None:
    options = read(agent_config(make_node(), API))
    assert options["agent_token"] == TOKEN
    assert options["api_url"] == API
    assert options["node_uuid"] == NODE_UUID


def test_without_a_token_the_agent_gets_one_at_lookup() -> None:
    assert "agent_token" not in read(agent_config(make_node(driver_internal_info={}), API))


def test_a_token_that_could_add_options_is_refused() -> None:
    with pytest.raises(InvalidValue) as caught:
        agent_config(make_node(driver_internal_info={"agent_secret_token": "a\ninsecure = true"}), API)
    assert "insecure" not in str(caught.value)


def test_the_real_agents_option_parser_reads_the_file(tmp_path: Any) -> None:
    from oslo_config import cfg

    (tmp_path / "bessemer.conf").write_text(agent_config(make_node(), "http://host/$x") + "\n" * 4000)
    conf = cfg.ConfigOpts()
    conf.register_opts(
        [cfg.StrOpt("api_url"), cfg.StrOpt("agent_token"), cfg.BoolOpt("agent_token_required")]
    )
    conf(args=["--config-dir", str(tmp_path)])
    assert (conf.api_url, conf.agent_token) == ("http://host/$x", TOKEN)
    assert conf.agent_token_required is True


@pytest.mark.parametrize("state", [ProvisionState.INSPECTING, ProvisionState.INSPECT_WAIT])
def test_a_ramdisk_booted_for_inspection_is_told_where_to_report(state: ProvisionState) -> None:
    address = "ipa-inspection-callback-url=http://192.0.2.1:6385/v1/continue_inspection"
    url = "http://192.0.2.1:6385/"
    inspected = kernel_parameters(make_node(provision_state=state), Settings(), url)
    assert address in inspected
    others = kernel_parameters(make_node(provision_state=ProvisionState.CLEANING), Settings(), url)
    assert not [word for word in others if word.startswith("ipa-inspection")]
