"""What every power interface keeps."""

import pytest

from bessemer.domain.power import PowerState, PowerTarget


async def test_a_machine_is_switched_on_and_off(machine) -> None:
    power, task = machine.driver.power, machine.task
    power.validate(task)
    assert await power.get_power_state(task) == PowerState.OFF
    await power.request_power(task, PowerTarget.ON)
    await machine.reaches(PowerState.ON)
    await power.request_power(task, PowerTarget.OFF)
    await machine.reaches(PowerState.OFF)


@pytest.mark.parametrize("target", [PowerTarget.OFF, PowerTarget.SOFT_OFF])
async def test_asking_for_the_state_it_is_in_leaves_a_machine_alone(machine, target) -> None:
    await machine.driver.power.request_power(machine.task, target)
    assert await machine.driver.power.get_power_state(machine.task) == PowerState.OFF


@pytest.mark.parametrize("target", [PowerTarget.REBOOT, PowerTarget.SOFT_REBOOT])
async def test_a_reboot_switches_on_a_machine_that_is_off(machine, target) -> None:
    await machine.driver.power.request_power(machine.task, target)
    await machine.reaches(PowerState.ON)


async def test_a_soft_power_off_ends_with_the_machine_off(machine) -> None:
    await machine.driver.power.request_power(machine.task, PowerTarget.ON)
    await machine.reaches(PowerState.ON)
    await machine.driver.power.request_power(machine.task, PowerTarget.SOFT_OFF)
    await machine.reaches(PowerState.OFF)


async def test_every_target_it_claims_to_support_is_one_it_takes(machine) -> None:
    for target in machine.driver.power.supported_targets(machine.task):
        await machine.driver.power.request_power(machine.task, target)
        await machine.reaches(target.result)
