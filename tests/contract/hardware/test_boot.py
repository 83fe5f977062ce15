"""What every boot interface keeps: each call may be repeated, in any order."""

import pytest

from bessemer.domain.power import BootDevice, BootMode
from bessemer.hardware.interface import RamdiskBoot


async def test_preparing_the_ramdisk_twice_is_preparing_it_once(machine, iso_url) -> None:
    boot, task = machine.driver.boot, machine.task
    await boot.prepare_ramdisk(task, RamdiskBoot(iso_url))
    await boot.prepare_ramdisk(task, RamdiskBoot(iso_url))
    await boot.clean_up_ramdisk(task)
    await boot.clean_up_ramdisk(task)


async def test_cleaning_up_what_was_never_prepared_is_no_error(machine) -> None:
    await machine.driver.boot.clean_up_ramdisk(machine.task)
    await machine.driver.boot.clean_up_instance(machine.task)


async def test_the_instance_can_be_prepared_again_and_again(machine) -> None:
    await machine.driver.boot.prepare_instance(machine.task)
    await machine.driver.boot.prepare_instance(machine.task)
    await machine.driver.boot.clean_up_instance(machine.task)


@pytest.mark.parametrize("machine", ["lab", "sushy"], indirect=True)
async def test_the_ramdisk_is_in_the_drive_and_boots_next(machine, iso_url) -> None:
    boot, management, task = machine.driver.boot, machine.driver.management, machine.task
    await boot.prepare_ramdisk(task, RamdiskBoot(iso_url, BootMode.UEFI))
    assert [d["image"] for d in await management.get_virtual_media(task) if d["inserted"]] == [iso_url]
    device, is_persistent = await management.get_boot_device(task)
    assert device == BootDevice.CDROM
    assert is_persistent is (not machine.honours_once)
    assert await management.get_boot_mode(task) == BootMode.UEFI


@pytest.mark.parametrize("machine", ["lab", "sushy"], indirect=True)
async def test_the_ramdisk_boots_in_the_mode_asked_for(machine, iso_url) -> None:
    await machine.driver.boot.prepare_ramdisk(machine.task, RamdiskBoot(iso_url, BootMode.BIOS))
    assert await machine.driver.management.get_boot_mode(machine.task) == BootMode.BIOS


@pytest.mark.parametrize("machine", ["lab", "sushy"], indirect=True)
async def test_nothing_is_left_of_the_ramdisk_once_the_instance_is_to_boot(machine, iso_url) -> None:
    boot, management, task = machine.driver.boot, machine.driver.management, machine.task
    await boot.prepare_ramdisk(task, RamdiskBoot(iso_url))
    await boot.prepare_instance(task)
    assert not any(drive["inserted"] for drive in await management.get_virtual_media(task))
    assert await management.get_boot_device(task) == (BootDevice.DISK, True)


@pytest.mark.parametrize("machine", ["lab", "sushy"], indirect=True)
async def test_after_the_clean_up_the_machine_does_not_boot_from_the_drive(machine, iso_url) -> None:
    boot, management, task = machine.driver.boot, machine.driver.management, machine.task
    await boot.prepare_ramdisk(task, RamdiskBoot(iso_url))
    await boot.clean_up_ramdisk(task)
    assert not any(drive["inserted"] for drive in await management.get_virtual_media(task))
    device, _ = await management.get_boot_device(task)
    assert device != BootDevice.CDROM
