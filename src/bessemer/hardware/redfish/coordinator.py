"""The coordinator of one BMC: everybody's calls to it, whichever node and account they are for, go by it."""

from collections.abc import Callable
from time import monotonic

from bessemer.config.settings import RedfishSettings
from bessemer.hardware.redfish.circuit import Circuit
from bessemer.hardware.redfish.patience import Patience
from bessemer.hardware.redfish.turn import Turns


class BmcCoordinator:
    """Who may ask now (``turns``), how long an answer may take (``patience``), and whether asking is worth it
    (``circuit``). ``name`` is the BMC's host, and its port if it is unusual."""

    __slots__ = ("circuit", "name", "now", "patience", "turns")

    def __init__(self, name: str, settings: RedfishSettings, *, now: Callable[[], float] = monotonic) -> None:
        self.name = name
        self.now = now
        self.turns = Turns(settings.connections_per_bmc)
        self.patience = Patience(settings.request_timeout)
        self.circuit = Circuit(name, now)
