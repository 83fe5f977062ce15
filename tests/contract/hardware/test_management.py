"""What every management interface keeps."""

import pytest

from bessemer.domain.power import BootDevice, BootMode, PowerState, PowerTarget
from bessemer.kernel.error import DeviceRefused, InvalidValue, Unsupported
from bessemer.kernel.ident import is_mac


async def test_a_persistent_boot_device_is_remembered(machine) -> None:
    management, task = machine.driver.management, machine.task
    for device in (BootDevice.PXE, BootDevice.DISK):
        await management.set_boot_device(task, device, persistent=True)
        assert await management.get_boot_device(task) == (device, True)


async def test_a_boot_device_for_once_is_told_apart(machine) -> None:
    management, task = machine.driver.management, machine.task
    await management.set_boot_device(task, BootDevice.PXE, persistent=False)
    device, is_persistent = await management.get_boot_device(task)
    assert device == BootDevice.PXE
    assert is_persistent is (not machine.honours_once)


async def test_the_boot_devices_it_names_are_those_of_the_api(machine) -> None:
    assert {BootDevice.PXE, BootDevice.DISK, BootDevice.CDROM} <= set(
        machine.driver.management.supported_boot_devices(machine.task)
    )


async def test_the_boot_mode_can_be_changed_and_read(machine) -> None:
    management, task = machine.driver.management, machine.task
    for mode in (BootMode.BIOS, BootMode.UEFI):
        assert mode in management.supported_boot_modes(task)
        await management.set_boot_mode(task, mode)
        assert await management.get_boot_mode(task) == mode


async def test_secure_boot_is_off_until_it_is_switched_on(machine) -> None:
    management, task = machine.driver.management, machine.task
    assert await management.get_secure_boot(task) is False
    await management.set_secure_boot(task, enabled=True)
    await management.set_secure_boot(task, enabled=True)
    await machine.driver.power.request_power(task, PowerTarget.ON)
    await machine.reaches(PowerState.ON)
    assert await management.get_secure_boot(task) is True


@pytest.mark.parametrize("machine", ["fake", "lab"], indirect=True)
async def test_a_machine_that_is_on_can_be_interrupted(machine) -> None:
    await machine.driver.power.request_power(machine.task, PowerTarget.ON)
    await machine.reaches(PowerState.ON)
    await machine.driver.management.inject_nmi(machine.task)


@pytest.mark.parametrize("machine", ["sushy"], indirect=True)
async def test_an_interrupt_that_the_bmc_refuses_is_an_error_in_its_words(machine) -> None:
    with pytest.raises(DeviceRefused, match="Power state Nmi is not supported"):
        await machine.driver.management.inject_nmi(machine.task)


async def test_every_light_it_shows_can_be_read_and_switched(machine) -> None:
    management, task = machine.driver.management, machine.task
    shown = await management.get_indicators(task)
    assert shown["system"]
    for component, indicators in shown.items():
        for name, facts in indicators.items():
            for state in facts["states"]:
                await management.set_indicator(task, component, name, state)
                assert await management.get_indicator(task, component, name) == state


async def test_a_light_that_does_not_exist_is_refused(machine) -> None:
    with pytest.raises(InvalidValue, match="led-99@chassis"):
        await machine.driver.management.get_indicator(machine.task, "chassis", "led-99")


async def test_a_light_has_no_state_but_those_it_names(machine) -> None:
    management, task = machine.driver.management, machine.task
    shown = await management.get_indicators(task)
    name = next(iter(shown["system"]))
    with pytest.raises(InvalidValue, match="purple"):
        await management.set_indicator(task, "system", name, "purple")


async def test_sensors_are_sorted_by_type_and_name(machine) -> None:
    sensors = await machine.driver.management.get_sensors(machine.task)
    readings = [reading for by_name in sensors.values() for reading in by_name.values()]
    assert all({"sensor_reading", "units"} <= set(reading) for reading in readings)


async def test_mac_addresses_are_in_the_form_of_ports(machine) -> None:
    macs = await machine.driver.management.get_mac_addresses(machine.task)
    assert macs
    assert all(is_mac(mac) and mac == mac.lower() for mac in macs)


async def test_identity_is_text_or_nothing(machine) -> None:
    management, task = machine.driver.management, machine.task
    assert await management.get_health(task) == "OK"
    assert isinstance(await management.detect_vendor(task), str | None)


async def test_a_medium_goes_into_the_drive_and_comes_out(machine, iso_url) -> None:
    management, task = machine.driver.management, machine.task
    assert not any(drive["inserted"] for drive in await management.get_virtual_media(task))
    await management.attach_virtual_media(task, "cdrom", iso_url)
    drives = await management.get_virtual_media(task)
    assert [drive["image"] for drive in drives if drive["inserted"]] == [iso_url]
    await management.detach_virtual_media(task, ["cdrom"])
    await management.detach_virtual_media(task, None)
    assert not any(drive["inserted"] for drive in await management.get_virtual_media(task))


async def test_a_second_medium_replaces_the_first(machine, iso_url) -> None:
    management, task = machine.driver.management, machine.task
    await management.attach_virtual_media(task, "cdrom", iso_url)
    await management.attach_virtual_media(task, "cdrom", iso_url + "?again")
    drives = await management.get_virtual_media(task)
    assert [drive["image"] for drive in drives if drive["inserted"]] == [iso_url + "?again"]


async def test_a_drive_that_does_not_exist_is_refused(machine, iso_url) -> None:
    with pytest.raises(InvalidValue, match="tape"):
        await machine.driver.management.attach_virtual_media(machine.task, "tape", iso_url)
    with pytest.raises(InvalidValue, match="tape"):
        await machine.driver.management.detach_virtual_media(machine.task, ["tape"])


async def test_what_a_machine_does_not_have_is_unsupported_not_broken(machine) -> None:
    for device in BootDevice:
        try:
            await machine.driver.management.set_boot_device(machine.task, device, persistent=True)
        except Unsupported as refusal:
            assert device.value in str(refusal)  # noqa: PT017
