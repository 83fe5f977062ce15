"""Hardware types x interfaces: what is enabled, what fits, what is the default."""

from dataclasses import replace

import pytest

from bessemer.config.load import BadSettings
from bessemer.config.settings import DefaultSettings, Settings
from bessemer.domain.interface import InterfaceType
from bessemer.hardware.catalogue import implementations
from bessemer.hardware.composition import Composition
from bessemer.hardware.driver import Implementations
from bessemer.hardware.hardware_type import HARDWARE_TYPES, choose_default
from bessemer.kernel.error import InvalidValue
from bessemer.network.noop import NoopNetwork
from bessemer.storage.noop import NoopStorage
from fakes.clock import FakeClock
from fakes.task import make_task

REDFISH_DEFAULTS = {
    "bios_interface": "no-bios",
    "boot_interface": "redfish-virtual-media",
    "console_interface": "no-console",
    "deploy_interface": "direct",
    "firmware_interface": "no-firmware",
    "inspect_interface": "redfish",
    "management_interface": "redfish",
    "network_interface": "noop",
    "power_interface": "redfish",
    "raid_interface": "no-raid",
    "rescue_interface": "no-rescue",
    "storage_interface": "noop",
    "vendor_interface": "no-vendor",
}


@pytest.fixture
def compose(pool):
    def composed(**settings) -> Composition:
        ours = implementations(Settings(), pool, FakeClock())
        others = Implementations(network=(NoopNetwork(),), storage=(NoopStorage(),))
        return Composition(replace(DefaultSettings(), **settings), ours.joined(others))

    return composed


# ---------------------------------------------------------------------- defaults


def test_a_node_that_names_nothing_gets_a_whole_driver(compose) -> None:
    assert compose().fill_interfaces("redfish", {}) == REDFISH_DEFAULTS


def test_fake_hardware_is_fake_throughout_where_fakes_exist(compose) -> None:
    filled = compose().fill_interfaces("fake-hardware", {})
    assert {name for name, value in filled.items() if value != "fake"} == {
        "network_interface",
        "storage_interface",
    }


def test_what_is_given_is_kept_and_none_means_the_default(compose) -> None:
    given = {"inspect_interface": "no-inspect", "boot_interface": None}
    filled = compose().fill_interfaces("redfish", given)
    assert filled == {**REDFISH_DEFAULTS, "inspect_interface": "no-inspect"}


def test_the_configured_default_comes_before_the_types_own_order(compose) -> None:
    filled = compose(default_inspect_interface="no-inspect").fill_interfaces("redfish", {})
    assert filled["inspect_interface"] == "no-inspect"


def test_a_configured_default_that_does_not_fit_leaves_none_even_if_others_would(compose) -> None:
    composition = compose(enabled_hardware_types=["redfish", "fake-hardware"], default_boot_interface="fake")
    assert composition.fill_interfaces("fake-hardware", {})["boot_interface"] == "fake"
    with pytest.raises(InvalidValue, match=r"no default boot interface for driver 'redfish'.*redfish-v"):
        composition.fill_interfaces("redfish", {})
    assert composition.hardware_type("redfish").defaults[InterfaceType.BOOT] is None


def test_the_default_is_the_first_of_the_types_list_that_is_enabled() -> None:
    redfish = HARDWARE_TYPES["redfish"]
    kind = InterfaceType.BOOT
    assert choose_default(redfish, kind, ["redfish-virtual-media", "ipxe"], None) == "ipxe"
    assert choose_default(redfish, kind, ["redfish-virtual-media"], None) == "redfish-virtual-media"
    assert choose_default(redfish, kind, ["fake"], None) is None


# ---------------------------------------------------------------------- explicit choices


@pytest.mark.parametrize("value", ["ipxe", "no-such-thing"])
def test_an_interface_that_is_not_enabled_is_answered_with_those_that_are(compose, value) -> None:
    with pytest.raises(InvalidValue, match=f"boot interface '{value}' is not enabled.*redfish-virtual-media"):
        compose().fill_interfaces("redfish", {"boot_interface": value})


def test_an_interface_of_another_hardware_type_does_not_fit(compose) -> None:
    with pytest.raises(InvalidValue, match="power interface 'fake' does not fit driver 'redfish'"):
        compose().fill_interfaces("redfish", {"power_interface": "fake"})


def test_fake_hardware_takes_any_enabled_interface(compose) -> None:
    filled = compose().fill_interfaces("fake-hardware", {"power_interface": "redfish"})
    assert filled["power_interface"] == "redfish"
    with pytest.raises(InvalidValue, match="not enabled"):
        compose().fill_interfaces("fake-hardware", {"power_interface": "ipmitool"})


def test_a_driver_that_is_not_enabled_is_answered_with_those_that_are(compose) -> None:
    for name in ("ipmi", "no-such-driver"):
        with pytest.raises(InvalidValue, match=f"Driver '{name}' is not enabled.*fake-hardware, redfish"):
            compose().fill_interfaces(name, {})


# ---------------------------------------------------------------------- the driver of a node


def test_a_node_gets_the_interfaces_that_it_names(compose) -> None:
    node = make_task(driver="redfish", **{**REDFISH_DEFAULTS, "inspect_interface": "no-inspect"}).node
    driver = compose().driver_for(node)
    assert driver.hardware_type == "redfish"
    assert driver.inspect.name == "no-inspect"
    assert {kind.node_field: interface.name for kind, interface in driver} == {
        **REDFISH_DEFAULTS,
        "inspect_interface": "no-inspect",
    }
    assert driver.get(InterfaceType.POWER) is driver.power


def test_a_field_that_is_empty_counts_as_the_default(compose) -> None:
    assert compose().driver_for(make_task(driver="redfish").node).power.name == "redfish"


def test_an_instance_may_choose_for_its_lifetime_and_is_checked_alike(compose) -> None:
    node = make_task(driver="redfish", instance_info={"inspect_interface": "no-inspect"}).node
    assert compose().driver_for(node).inspect.name == "no-inspect"
    bad = make_task(driver="redfish", instance_info={"deploy_interface": "fake"}).node
    with pytest.raises(InvalidValue, match="does not fit"):
        compose().driver_for(bad)


# ---------------------------------------------------------------------- changing the driver


def test_interfaces_stay_over_a_change_of_driver_when_they_fit(compose) -> None:
    node = make_task(driver="redfish", **REDFISH_DEFAULTS).node
    assert compose().change_driver(node, "fake-hardware", {}) == REDFISH_DEFAULTS


def test_interfaces_that_do_not_fit_the_new_driver_must_be_named(compose) -> None:
    composition = compose()
    fakes = composition.fill_interfaces("fake-hardware", {})
    node = make_task(driver="fake-hardware", **fakes).node
    with pytest.raises(InvalidValue, match="does not fit driver 'redfish'"):
        composition.change_driver(node, "redfish", {})


def test_a_reset_recalculates_all_that_are_not_named(compose) -> None:
    composition = compose()
    fakes = composition.fill_interfaces("fake-hardware", {})
    node = make_task(driver="fake-hardware", **fakes).node
    named = {"inspect_interface": "no-inspect"}
    changed = composition.change_driver(node, "redfish", named, reset_interfaces=True)
    assert changed == {**REDFISH_DEFAULTS, **named}


def test_an_interface_set_to_none_goes_back_to_its_default(compose) -> None:
    node = make_task(driver="redfish", **{**REDFISH_DEFAULTS, "inspect_interface": "no-inspect"}).node
    changed = compose().change_driver(node, "redfish", {"inspect_interface": None})
    assert changed["inspect_interface"] == "redfish"


# ---------------------------------------------------------------------- what is announced


def test_every_type_shows_what_it_offers_and_its_defaults(compose) -> None:
    types = compose().hardware_types()
    assert set(types) == {"fake-hardware", "redfish"}
    redfish = types["redfish"]
    assert redfish.enabled[InterfaceType.MANAGEMENT] == ("redfish", "noop")
    assert redfish.enabled[InterfaceType.BOOT] == ("redfish-virtual-media",)
    assert redfish.defaults[InterfaceType.MANAGEMENT] == "redfish"
    assert {"redfish_address", "deploy_iso"} <= set(redfish.properties)
    assert "redfish_address" not in types["fake-hardware"].properties


def test_registrations_name_each_usable_combination_with_one_default_per_kind(compose) -> None:
    rows = compose().registrations()
    found = {(row.hardware_type, row.interface_type, row.interface_name, row.is_default) for row in rows}
    assert ("redfish", InterfaceType.POWER, "redfish", True) in found
    assert ("redfish", InterfaceType.MANAGEMENT, "noop", False) in found
    defaults = [(row.hardware_type, row.interface_type) for row in rows if row.is_default]
    assert len(defaults) == len(set(defaults)) == 2 * len(InterfaceType)


# ---------------------------------------------------------------------- bad configurations


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"enabled_hardware_types": []}, "enabled_hardware_types is empty"),
        ({"enabled_hardware_types": ["redfish", "snmp"]}, r"does not exist: snmp\..*manual-management"),
        ({"enabled_boot_interfaces": ["fake", "ipxe"]}, r"enabled_boot_interfaces .*: ipxe\."),
        ({"enabled_power_interfaces": ["redfish"]}, "'fake-hardware' has no enabled power interface"),
        (
            {"enabled_boot_interfaces": ["fake"]},
            "'redfish' has no enabled boot interface.*redfish-virtual-media",
        ),
        ({"enabled_hardware_types": ["ipmi"]}, "'ipmi' has no enabled"),
        ({"default_boot_interface": "ipxe"}, "default_boot_interface is 'ipxe', which is not enabled"),
    ],
)
def test_a_configuration_that_cannot_work_is_refused_at_the_start(compose, settings, message) -> None:
    with pytest.raises(BadSettings, match=message):
        compose(**settings)
