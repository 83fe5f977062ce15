"""The boot override through the BMC, on a simulated machine."""

from typing import Any

import pytest

from bessemer_lab.machine import BootDevice, Firmware, PowerState
from bessemer_lab.simulated import SimulatedVm
from fakes.bmc_client import Client

HDD, PXE, CD = BootDevice.HDD, BootDevice.PXE, BootDevice.CD


async def override(client: Client, target: str, enabled: str) -> Any:
    body = {"Boot": {"BootSourceOverrideTarget": target, "BootSourceOverrideEnabled": enabled}}
    answer = await client.patch(body)
    assert answer.status == 200
    return read(answer.body)


def read(system: Any) -> tuple[str, str, str]:
    boot = system["Boot"]
    return tuple(boot[f"BootSourceOverride{name}"] for name in ("Target", "Enabled", "Mode"))  # type: ignore[return-value]


async def settle(client: Client) -> None:
    """Wait until the machine has carried out what it was asked and has noticed what happened."""
    await client.machine.power_on(timeout_s=30)


async def test_there_is_no_override_at_first(client: Client) -> None:
    assert read(await client.get()) == ("None", "Disabled", "UEFI")


async def test_once_counts_for_one_boot_only(client: Client, vm: SimulatedVm) -> None:
    assert await override(client, "Cd", "Once") == ("Cd", "Once", "UEFI")
    await client.machine.power_on()
    assert read(await client.get()) == ("None", "Disabled", "UEFI")
    await client.reset("ForceRestart")
    await settle(client)
    await client.reset("PowerCycle")
    await settle(client)
    assert vm.boots == [(CD, HDD, PXE), (HDD, PXE), (HDD, PXE)]


async def test_continuous_counts_for_every_boot(client: Client, vm: SimulatedVm) -> None:
    await override(client, "Pxe", "Continuous")
    await client.machine.power_on()
    await client.reset("ForceRestart")
    await settle(client)
    vm.reboot()
    assert vm.boots == [(PXE, HDD)] * 3
    assert read(await client.get()) == ("Pxe", "Continuous", "UEFI")


async def test_an_override_set_while_running_counts_when_the_guest_reboots(
    client: Client, vm: SimulatedVm
) -> None:
    await client.machine.power_on()
    await override(client, "Cd", "Once")
    vm.reboot()
    assert read(await client.get()) == ("None", "Disabled", "UEFI")
    await settle(client)
    vm.reboot()
    assert vm.boots == [(HDD, PXE), (CD, HDD, PXE), (HDD, PXE)]


async def test_an_override_set_right_after_a_reset_is_not_used_up_by_it(
    client: Client, vm: SimulatedVm
) -> None:
    await client.machine.power_on()
    vm.reboot()
    await override(client, "Cd", "Once")
    await settle(client)
    assert read(await client.get())[0] == "Cd"
    vm.reboot()
    assert vm.boots[-1] == (CD, HDD, PXE)


async def test_an_override_is_taken_back(client: Client, vm: SimulatedVm) -> None:
    await override(client, "Cd", "Continuous")
    assert await override(client, "None", "Disabled") == ("None", "Disabled", "UEFI")
    await client.machine.power_on()
    assert vm.boots == [(HDD, PXE)]


async def test_a_target_alone_means_once(client: Client) -> None:
    answer = await client.patch({"Boot": {"BootSourceOverrideTarget": "Pxe"}})
    assert read(answer.body)[:2] == ("Pxe", "Once")


async def test_the_mode_alone_leaves_the_override(client: Client) -> None:
    await override(client, "Cd", "Once")
    answer = await client.patch({"Boot": {"BootSourceOverrideMode": "Legacy"}})
    assert read(answer.body) == ("Cd", "Once", "Legacy")


async def test_another_mode_takes_a_new_start(client: Client, vm: SimulatedVm) -> None:
    await client.machine.power_on()
    await client.patch({"Boot": {"BootSourceOverrideMode": "Legacy"}})
    await client.reset("ForceRestart")
    await client.machine.board.wait_for_power(PowerState.OFF, timeout_s=30)
    await settle(client)
    assert [setup.firmware for setup in vm.setups] == [Firmware.UEFI, Firmware.BIOS]


@pytest.mark.parametrize(
    ("boot", "message"),
    [
        ({"BootSourceOverrideTarget": "Floppy"}, "PropertyValueNotInList"),
        ({"BootSourceOverrideTarget": None}, "PropertyValueTypeError"),
        ({"BootSourceOverrideEnabled": "Twice"}, "PropertyValueNotInList"),
        ({"BootSourceOverrideEnabled": "Once"}, "PropertyMissing"),
        ({"BootSourceOverrideMode": "Dos"}, "PropertyValueNotInList"),
        ({"BootOrder": []}, "PropertyUnknown"),
        ({}, "EmptyJSON"),
        ("Cd", "PropertyValueTypeError"),
    ],
)
async def test_a_setting_that_cannot_be_is_refused_and_changes_nothing(
    client: Client, boot: object, message: str
) -> None:
    before = await client.get()
    answer = await client.patch({"Boot": boot, "IndicatorLED": "Lit"})
    assert (answer.status, answer.message_id) == (400, message)
    assert await client.get() == before
