"""The boot override."""

import pytest

from bessemer_lab.boot import BootSetting, OverrideEnabled, consume_override, plan_boot_order
from bessemer_lab.spec import BootDevice, Firmware

DEFAULT = (BootDevice.HDD, BootDevice.PXE)
ONCE, CONTINUOUS = OverrideEnabled.ONCE, OverrideEnabled.CONTINUOUS


def test_without_an_override_the_default_order_counts() -> None:
    assert plan_boot_order(BootSetting(), DEFAULT) == DEFAULT


def test_a_disabled_override_does_not_count() -> None:
    assert plan_boot_order(BootSetting(target=BootDevice.CD), DEFAULT) == DEFAULT


@pytest.mark.parametrize("enabled", [ONCE, CONTINUOUS])
def test_the_target_of_an_override_comes_first_and_only_once(enabled: OverrideEnabled) -> None:
    setting = BootSetting(enabled=enabled, target=BootDevice.PXE)
    assert plan_boot_order(setting, DEFAULT) == (BootDevice.PXE, BootDevice.HDD)


def test_a_target_outside_the_default_order_can_be_booted() -> None:
    setting = BootSetting(enabled=ONCE, target=BootDevice.CD)
    assert plan_boot_order(setting, DEFAULT) == (BootDevice.CD, BootDevice.HDD, BootDevice.PXE)


def test_a_boot_uses_up_an_override_that_is_meant_once() -> None:
    setting = BootSetting(firmware=Firmware.BIOS, enabled=ONCE, target=BootDevice.CD)
    assert consume_override(setting) == BootSetting(firmware=Firmware.BIOS)


def test_a_boot_leaves_a_continuous_override() -> None:
    setting = BootSetting(enabled=CONTINUOUS, target=BootDevice.CD)
    assert consume_override(setting) == setting
