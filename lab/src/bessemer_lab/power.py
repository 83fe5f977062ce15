"""Power states and the ways to change them; the values are Redfish's."""

from enum import StrEnum


class PowerState(StrEnum):
    ON = "On"
    OFF = "Off"


class ResetType(StrEnum):
    ON = "On"
    FORCE_OFF = "ForceOff"
    GRACEFUL_SHUTDOWN = "GracefulShutdown"
    GRACEFUL_RESTART = "GracefulRestart"
    FORCE_RESTART = "ForceRestart"
    POWER_CYCLE = "PowerCycle"
    NMI = "Nmi"
    PUSH_POWER_BUTTON = "PushPowerButton"


#: Requests that make no sense to a machine without power.
NEEDS_POWER = frozenset(
    {ResetType.GRACEFUL_SHUTDOWN, ResetType.GRACEFUL_RESTART, ResetType.FORCE_RESTART, ResetType.NMI}
)
