"""Power through Redfish. Source: DMTF DSP0266; ComputerSystem.json, Reset."""

from collections.abc import Mapping, Sequence

from bessemer.domain.power import PowerState, PowerTarget
from bessemer.hardware.interface import Task
from bessemer.hardware.redfish.base import RedfishInterface
from bessemer.hardware.redfish.system import ComputerSystem
from bessemer.kernel.error import DeviceError

#: A machine on its way counts as where it still is, so that nobody acts before it has arrived.
_STATES: Mapping[str, PowerState] = {
    "On": PowerState.ON,
    "PoweringOff": PowerState.ON,
    "Paused": PowerState.ON,
    "Off": PowerState.OFF,
    "PoweringOn": PowerState.OFF,
}
#: Kinds of reset that bring about each target, best first.
_RESETS: Mapping[PowerTarget, tuple[str, ...]] = {
    PowerTarget.ON: ("On", "ForceOn", "PushPowerButton"),
    PowerTarget.OFF: ("ForceOff",),
    PowerTarget.SOFT_OFF: ("GracefulShutdown", "PushPowerButton"),
    PowerTarget.REBOOT: ("ForceRestart", "PowerCycle"),
    PowerTarget.SOFT_REBOOT: ("GracefulRestart",),
}
#: States in which a target has been reached or is being reached already.
_SETTLED: Mapping[PowerTarget, tuple[str, ...]] = {
    PowerTarget.ON: ("On", "PoweringOn"),
    PowerTarget.OFF: ("Off",),
    PowerTarget.SOFT_OFF: ("Off", "PoweringOff"),
}


class RedfishPower(RedfishInterface):
    supports_sync = True

    def supported_targets(self, task: Task) -> Sequence[PowerTarget]:
        return tuple(PowerTarget)

    async def get_power_state(self, task: Task) -> PowerState:
        return _state(await self._system(task))

    async def request_power(self, task: Task, target: PowerTarget) -> None:
        """Ask for ``target``. A machine that is off is switched on by either kind of reboot."""
        system = await self._system(task)
        _state(system)
        if system.power_state in _SETTLED.get(target, ()):
            return
        is_reboot = target in (PowerTarget.REBOOT, PowerTarget.SOFT_REBOOT)
        if is_reboot and system.power_state == "Off":
            target = PowerTarget.ON
        await system.reset(_RESETS[target])


def _state(system: ComputerSystem) -> PowerState:
    state = _STATES.get(system.power_state)
    if state is None:
        raise DeviceError(
            f"The BMC at {system.bmc.name} reports the unknown power state '{system.power_state}'."
        )
    return state
