"""Where a BMC's resources are. A BMC has one system, one manager and one chassis."""

from dataclasses import dataclass

ROOT = "/redfish/v1"
SYSTEMS = f"{ROOT}/Systems"
MANAGERS = f"{ROOT}/Managers"
MANAGER = f"{MANAGERS}/BMC"
VIRTUAL_MEDIA = f"{MANAGER}/VirtualMedia"
CD = f"{VIRTUAL_MEDIA}/Cd"
ALL_CHASSIS = f"{ROOT}/Chassis"
CHASSIS = f"{ALL_CHASSIS}/1"
SESSION_SERVICE = f"{ROOT}/SessionService"
SESSIONS = f"{SESSION_SERVICE}/Sessions"
EVENT_SERVICE = f"{ROOT}/EventService"
SUBSCRIPTIONS = f"{EVENT_SERVICE}/Subscriptions"


@dataclass(frozen=True, slots=True)
class SystemPath:
    """The paths below one system."""

    uuid: str

    @property
    def system(self) -> str:
        return f"{SYSTEMS}/{self.uuid}"

    def below(self, *parts: str) -> str:
        """Such as ``below("Processors", "cpu0")``."""
        return "/".join((self.system, *parts))
