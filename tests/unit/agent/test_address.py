import pytest

from bessemer_agent import address
from bessemer_agent.address import build_callback, find_source_address, is_unusable, wait_for_address
from bessemer_agent.settings import Settings


def test_the_source_address_is_the_one_packets_would_leave_from() -> None:
    assert find_source_address("http://127.0.0.1:6385") == "127.0.0.1"
    assert find_source_address("http://host.invalid:6385") is None


def test_link_local_and_unset_addresses_are_unusable() -> None:
    assert is_unusable("fe80::1")
    assert is_unusable("169.254.3.4")
    assert is_unusable("0.0.0.0")  # noqa: S104 - only compared
    assert not is_unusable("10.0.2.15")
    assert not is_unusable("fd00::5")


def test_an_address_is_waited_for_while_the_network_comes_up(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [None, None, "10.0.0.5"]
    monkeypatch.setattr(address, "find_source_address", lambda url: found.pop(0))
    pauses: list[float] = []
    assert wait_for_address(Settings(), "http://service", pauses.append) == "10.0.0.5"
    assert len(pauses) == 2


def test_waiting_for_an_address_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(address, "find_source_address", lambda url: None)
    monkeypatch.setattr(address, "own_addresses", lambda: ["169.254.1.1"])
    pauses: list[float] = []
    settings = Settings(ip_lookup_attempts=2, ip_lookup_sleep=3.0)
    assert wait_for_address(settings, "http://service", pauses.append) == "169.254.1.1"
    assert sum(pauses) == 6.0


def test_the_callback_is_what_was_advertised_or_else_found() -> None:
    assert build_callback(Settings(), "10.0.2.15", is_tls=True).url == "https://10.0.2.15:9999"
    assert build_callback(Settings(), "fd00::5", is_tls=True).url == "https://[fd00::5]:9999"
    advertised = Settings(advertise_host="127.0.0.1", advertise_port=4711)
    assert build_callback(advertised, "10.0.2.15", is_tls=True).url == "https://127.0.0.1:4711"


def test_the_advertised_protocol_counts_only_where_the_agent_does_not_speak_tls() -> None:
    settings = Settings(advertise_protocol="https")
    assert build_callback(settings, "10.0.0.1", is_tls=False).scheme == "https"
    assert build_callback(Settings(advertise_protocol="http"), "10.0.0.1", is_tls=True).scheme == "https"
    assert build_callback(Settings(), "10.0.0.1", is_tls=False).scheme == "http"
