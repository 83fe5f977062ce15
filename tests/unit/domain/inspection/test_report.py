"""What is made of reports, however strange: properties, the boot card, the addresses of the BMC."""

from typing import Any

import pytest

from bessemer.domain.inspection.property import found_properties
from bessemer.domain.inspection.report import Report, boot_mac, list_bmc_addresses, list_cards, read_report
from bessemer.kernel.error import InvalidValue

MAC = "aa:bb:cc:00:11:22"
GIB = 2**30


def test_a_report_keeps_what_it_does_not_know_as_plugin_data_but_no_logs_and_no_token() -> None:
    inventory = {"interfaces": [{"mac_address": MAC}]}
    found = read_report({
        "inventory": inventory, "error": None, "logs": "x", "agent_token": "t", "numa": {"a": [1]},
    })  # fmt: skip
    assert (found.inventory, found.plugin_data, found.error) == (inventory, {"numa": {"a": [1]}}, None)


def test_cards_are_listed_once_in_lower_case_and_in_order() -> None:
    cards = list_cards({
        "interfaces": [
            {"mac_address": "AA:BB:CC:00:11:33", "ipv6_address": "fe80::1"}, {"mac_address": MAC},
            {"mac_address": MAC.upper(), "ipv4_address": "192.0.2.1"}, {"mac_address": "zork"}, None, 7,
        ]
    })  # fmt: skip
    assert [(card.mac, card.has_address) for card in cards] == [("aa:bb:cc:00:11:33", True), (MAC, False)]


@pytest.mark.parametrize(
    ("told", "expected"),
    [(MAC, MAC), (MAC.upper(), MAC), ("01-" + MAC.replace(":", "-"), MAC), ("zork", None), (None, None),
     (7, None), ("", None), (f"01:02:{MAC}", None)],
)  # fmt: skip
def test_the_card_it_booted_from_is_read_in_every_spelling(told: Any, expected: str | None) -> None:
    assert boot_mac(Report(plugin_data={"boot_interface": told})) == expected
    assert boot_mac(Report(inventory={"boot": {"pxe_interface": told}})) == expected


def test_addresses_that_say_nothing_are_no_addresses_of_a_bmc() -> None:
    nothing = "0.0.0.0"  # noqa: S104  what agents say when they know of none
    assert list_bmc_addresses({"bmc_address": nothing, "bmc_v6address": "::/0"}) == []
    assert list_bmc_addresses({"bmc_address": None, "bmc_v6address": 7}) == []
    assert list_bmc_addresses({"bmc_v6address": "2001:DB8::1/64"}) == ["2001:db8::1"]


def test_properties_follow_from_the_inventory() -> None:
    inventory = {
        "cpu": {"count": 8, "architecture": "aarch64"}, "memory": {"physical_mb": 4096},
        "disks": [{"size": 2 * GIB}, {"size": 100 * GIB}, {"size": 50 * GIB}],
        "boot": {"current_boot_mode": "bios"},
    }  # fmt: skip
    assert found_properties(Report(inventory=inventory), {"capabilities": "boot_mode:uefi,x:y"}) == {
        "cpus": 8, "cpu_arch": "aarch64", "memory_mb": 4096, "local_gb": 50,
        "capabilities": "boot_mode:bios,x:y",
    }  # fmt: skip


def test_the_disk_the_ramdisk_chose_is_the_one_that_counts() -> None:
    report = Report(inventory={"disks": [{"size": 50 * GIB}]}, plugin_data={"root_disk": {"size": 9 * GIB}})
    assert found_properties(report, {}) == {"local_gb": 9}


@pytest.mark.parametrize("strange", [None, 7, "x", [], {}, {"count": True}, {"count": -1, "size": "9"}])
def test_strange_values_lead_to_no_property(strange: Any) -> None:
    names = ("cpu", "memory", "boot", "disks")
    assert found_properties(Report(inventory=dict.fromkeys(names, strange)), {}) == {}
    assert found_properties(Report(plugin_data={"root_disk": strange}), {}) == {}


def test_capabilities_that_cannot_be_read_are_not_overwritten() -> None:
    report = Report(inventory={"boot": {"current_boot_mode": "uefi"}})
    with pytest.raises(InvalidValue, match="stand in the way"):
        found_properties(report, {"capabilities": "nonsense"})
