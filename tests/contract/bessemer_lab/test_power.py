"""Power through the BMC, on a simulated machine."""

import pytest

from bessemer_lab.machine import PowerState
from bessemer_lab.simulated import SimulatedVm
from fakes.bmc_client import Client

ON, OFF = PowerState.ON, PowerState.OFF


async def bring(client: Client, kind: str, state: PowerState) -> None:
    answer = await client.reset(kind)
    assert answer.status == 204, answer
    await client.machine.board.wait_for_power(state, timeout_s=30)
    assert (await client.get())["PowerState"] == state


async def test_a_machine_begins_off_and_is_switched_on_and_off(client: Client, vm: SimulatedVm) -> None:
    assert (await client.get())["PowerState"] == "Off"
    await bring(client, "On", ON)
    assert vm.is_running
    await bring(client, "ForceOff", OFF)
    assert not vm.is_running


async def test_the_power_state_follows_the_machine_and_not_the_request(
    client: Client, vm: SimulatedVm
) -> None:
    vm.start_delay_s = 0.2
    assert (await client.reset("On")).status == 204
    assert (await client.get())["PowerState"] == "Off"
    await client.machine.board.wait_for_power(ON, timeout_s=30)


async def test_switching_on_what_is_on_changes_nothing(client: Client, vm: SimulatedVm) -> None:
    await bring(client, "On", ON)
    await bring(client, "On", ON)
    assert len(vm.boots) == 1


async def test_switching_off_what_is_off_changes_nothing(client: Client) -> None:
    await bring(client, "ForceOff", OFF)


async def test_a_graceful_shutdown_is_up_to_the_guest(client: Client, vm: SimulatedVm) -> None:
    await bring(client, "On", ON)
    vm.honours_power_button = False
    assert (await client.reset("GracefulShutdown")).status == 204
    await bring(client, "On", ON)  # after this the request before it has been carried out
    assert vm.button_count == 1
    vm.honours_power_button = True
    await bring(client, "GracefulShutdown", OFF)


async def test_a_graceful_restart_waits_for_the_guest_to_shut_down(client: Client, vm: SimulatedVm) -> None:
    await bring(client, "On", ON)
    assert (await client.reset("GracefulRestart")).status == 204
    await client.machine.board.wait_for_power(OFF, timeout_s=30)
    await client.machine.board.wait_for_power(ON, timeout_s=30)
    assert (vm.button_count, len(vm.boots)) == (1, 2)


async def test_forcing_off_calls_a_graceful_restart_off(client: Client, vm: SimulatedVm) -> None:
    vm.honours_power_button = False
    await bring(client, "On", ON)
    await client.reset("GracefulRestart")
    await bring(client, "ForceOff", OFF)
    await bring(client, "ForceOff", OFF)
    assert len(vm.boots) == 1


@pytest.mark.parametrize(("kind", "starts"), [("ForceRestart", 1), ("PowerCycle", 2)])
async def test_a_restart_boots_again(client: Client, vm: SimulatedVm, kind: str, starts: int) -> None:
    await bring(client, "On", ON)
    await bring(client, kind, ON)
    await bring(client, "On", ON)
    assert (len(vm.boots), len(vm.setups)) == (2, starts)


async def test_a_power_cycle_switches_on_what_is_off(client: Client) -> None:
    await bring(client, "PowerCycle", ON)


async def test_the_power_button_switches_on_and_asks_to_shut_down(client: Client) -> None:
    await bring(client, "PushPowerButton", ON)
    await bring(client, "PushPowerButton", OFF)


async def test_an_nmi_reaches_the_machine(client: Client, vm: SimulatedVm) -> None:
    await bring(client, "On", ON)
    assert (await client.reset("Nmi")).status == 204
    await bring(client, "ForceOff", OFF)
    assert vm.nmi_count == 1


@pytest.mark.parametrize("kind", ["GracefulShutdown", "GracefulRestart", "ForceRestart", "Nmi"])
async def test_what_needs_power_is_refused_without(client: Client, kind: str) -> None:
    answer = await client.reset(kind)
    assert (answer.status, answer.message_id) == (409, "ResourceInStandby")


async def test_a_guest_that_powers_off_is_off(client: Client, vm: SimulatedVm) -> None:
    await bring(client, "On", ON)
    vm.lose_power()
    assert (await client.get())["PowerState"] == "Off"


async def test_requests_are_carried_out_in_their_order(client: Client, vm: SimulatedVm) -> None:
    vm.start_delay_s = vm.stop_delay_s = 0.02
    for kind in ("On", "ForceOff", "On"):
        assert (await client.reset(kind)).status == 204
    await client.machine.board.wait_for_power(ON, timeout_s=30)
    await client.machine.board.wait_for_power(OFF, timeout_s=30)
    await client.machine.board.wait_for_power(ON, timeout_s=30)
    assert len(vm.boots) == 2


async def test_a_machine_that_does_not_start_is_off_and_not_healthy(client: Client, vm: SimulatedVm) -> None:
    vm.start_failure = "no such firmware"
    await client.reset("On")
    await bring(client, "ForceOff", OFF)
    assert (await client.get())["Status"]["Health"] == "Critical"
    vm.start_failure = ""
    await bring(client, "On", ON)
    assert (await client.get())["Status"]["Health"] == "OK"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "ActionParameterMissing"),
        ({"ResetType": "Explode"}, "ActionParameterValueFormatError"),
        ({"ResetType": 1}, "ActionParameterValueTypeError"),
        ({"ResetType": "On", "Force": True}, "ActionParameterUnknown"),
    ],
)
async def test_a_reset_that_cannot_be_understood_is_refused(
    client: Client, body: object, message: str
) -> None:
    path = f"{client.machine.system_path}/Actions/ComputerSystem.Reset"
    answer = await client.ask("POST", path, body)
    assert (answer.status, answer.message_id) == (400, message)


async def test_the_reset_types_it_offers_are_those_it_takes(client: Client) -> None:
    await bring(client, "On", ON)
    action = (await client.get())["Actions"]["#ComputerSystem.Reset"]
    for kind in action["ResetType@Redfish.AllowableValues"]:
        assert (await client.ask("POST", action["target"], {"ResetType": kind})).status in (204, 409)
