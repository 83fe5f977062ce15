"""What undoing a ramdisk's boot leaves: a machine whose record is true, so that power sync leaves it so."""

from typing import Any

from bessemer.domain.provision import ProvisionState
from bessemer.kernel.clock import SystemClock
from bessemer.workflow.reconcile.machine import Machines
from bessemer.workflow.reconcile.power import PowerSync
from fakes.api_world import fake_composition

S = ProvisionState
AVAILABLE = {"provision_state": S.AVAILABLE, "power_state": "power on"}


async def look(s: Any) -> list[str]:
    """Power sync looks at the node once; the kinds of all operations there are then."""
    machines = Machines(fake_composition(s.settings, SystemClock()))
    await PowerSync(s.database, machines, s.gateway, s.settings.conductor, "host-1").look(
        (await s.node()).uuid, 0
    )
    await s.settled()
    return [operation.kind for operation in await s.operations()]


async def fail_in_step(s: Any) -> None:
    s.machine.agent.long.add("deploy.execute_deploy_step")
    await s.ask("active")
    while not s.machine.images_written:
        await s.node()
    s.machine.agent.finish(command_status="FAILED", command_error={"message": "the disk broke"})
    assert (await s.settled()).provision_state is S.DEPLOY_FAILED


async def test_a_machine_that_was_switched_off_after_a_failure_stays_off(site) -> None:
    async with site(node=AVAILABLE) as s:
        await fail_in_step(s)
        assert await look(s) == ["deploy"]
        node = await s.node()
    assert (node.power_state, node.target_power_state) == ("power off", None)
    assert node.driver_internal_info["fake_power"] == "power off"


async def test_a_machine_that_was_left_on_after_a_failure_stays_on(site) -> None:
    """Also one that nobody has seen on before: its agent never came."""
    async with site(node=AVAILABLE, deploy={"power_off_after_deploy_failure": False}) as s:
        s.machine.calls_back = False
        operation = await s.ask("active")
        await s.reached(S.DEPLOY_WAIT)
        await s.time_is_up(operation)
        assert (await s.settled()).provision_state is S.DEPLOY_FAILED
        assert await look(s) == ["deploy"]
        node = await s.node()
    assert (node.power_state, node.target_power_state) == ("power on", None)
    assert node.driver_internal_info["fake_power"] == "power on"
