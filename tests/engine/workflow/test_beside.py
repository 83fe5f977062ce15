"""What is done to a machine beside the work on its node: calls, and power while that work waits."""

import pytest

from bessemer.domain.operation import NewOperation, OperationState
from bessemer.domain.power import BootDevice, PowerTarget
from bessemer.domain.provision import ProvisionState
from bessemer.kernel.clock import timestamp
from bessemer.kernel.error import DeadlineExceeded, DeviceRefused, NodeLocked
from bessemer.service.caller import Caller

S = ProvisionState
AVAILABLE = {"provision_state": S.AVAILABLE, "power_state": "power on"}
CALLER = Caller(is_trusted=True)


async def test_a_ramdisk_that_does_not_call_back_is_helped_by_a_reboot(site) -> None:
    async with site(node=AVAILABLE) as s:
        s.machine.calls_back = False
        deployment = await s.ask("active")
        await s.reached("wait call-back")
        await s.services.power.request(CALLER, "n1", PowerTarget.REBOOT)
        while not (await s.operations())[0].state.is_over:
            pass
        s.machine.calls_back = True
        node = await s.settled()
        power, first = await s.operations()
    assert (node.provision_state, node.last_error, node.reservation) == (S.ACTIVE, None, None)
    assert (power.kind, power.is_exclusive, power.state) == ("power", False, OperationState.SUCCEEDED)
    assert first.uuid == deployment.uuid


async def test_power_beside_waiting_work_leaves_the_lock_and_the_state_alone(site) -> None:
    async with site(node=AVAILABLE) as s:
        s.machine.calls_back = False
        await s.ask("active")
        await s.reached("wait call-back")
        await s.services.power.request(CALLER, "n1", PowerTarget.OFF)
        while not (await s.operations())[0].state.is_over:
            assert (await s.node()).reservation is None
        node = await s.node()
        assert (node.power_state, node.target_power_state) == ("power off", None)
        assert node.provision_state == S.DEPLOY_WAIT
        s.machine.calls_back = True
        await s.services.power.request(CALLER, "n1", PowerTarget.ON)
        assert (await s.settled()).provision_state is S.ACTIVE


async def test_a_machine_is_asked_while_a_deployment_waits(site) -> None:
    async with site(node=AVAILABLE) as s:
        s.machine.calls_back = False
        await s.ask("active")
        await s.reached("wait call-back")
        management = s.services.management
        await management.set_boot_device(CALLER, "n1", BootDevice.CDROM, persistent=False)
        assert await management.get_boot_device(CALLER, "n1") == (BootDevice.CDROM, False)
        assert [operation.kind for operation in await s.operations()] == ["deploy"], "calls leave no trace"
        s.machine.calls_back = True
        await s.settled()


async def start_command(s, *, after_s: float, of_free_node: bool) -> None:
    """A command as another process asks for it, to be made until ``after_s`` seconds from now."""
    until = timestamp(s.database.clock, after_s=after_s)
    given = {"device": "pxe", "persistent": True}
    args = {"call": "set boot device", "given": given, "until": until, "of_free_node": of_free_node}
    async with s.database.write() as tx:
        await s.gateway.enqueue(tx, NewOperation(node_uuid=(await s.node()).uuid, kind="command", args=args))


@pytest.mark.parametrize(
    ("after_s", "reservation", "error"),
    [(-1.0, None, DeadlineExceeded), (60.0, "conductor-9", NodeLocked)],
)
async def test_a_command_that_comes_too_late_changes_nothing(site, after_s, reservation, error) -> None:
    async with site(node=AVAILABLE) as s:
        await s.change(reservation=reservation)
        await start_command(s, after_s=after_s, of_free_node=True)
        await s.settled()
        (operation,) = await s.operations()
        node = await s.node()
    assert (operation.state, operation.error.code) == (OperationState.FAILED, error.code)
    assert "fake_boot_device" not in node.driver_internal_info


async def test_a_vendor_method_that_nobody_waits_for_fails_where_it_is_seen(site) -> None:
    async with site(node=AVAILABLE, fake={"faults": {"vendor.first_method": "refused"}}) as s:
        done = await s.services.passthru.call(CALLER, "n1", "second_method", "POST", {"a": 1})
        assert (done.is_async, done.result) == (True, None)
        assert (await s.settled()).last_error is None
        await s.services.passthru.call(CALLER, "n1", "first_method", "POST", {"a": 1})
        node = await s.settled()
        newest = (await s.operations())[0]
    assert (newest.kind, newest.state) == ("vendor passthru", OperationState.FAILED)
    assert newest.error.code == DeviceRefused.code
    assert "vendor.first_method" in node.last_error
