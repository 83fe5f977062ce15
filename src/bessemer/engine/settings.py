"""How one process takes part in carrying out operations."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bessemer.domain.conductor import ConductorInterface
from bessemer.domain.limit import Limit
from bessemer.store.claim import MOST_DEATHS


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSettings:
    """Times are in seconds."""

    #: Name of this conductor; a process that starts under the same name supersedes this one at once.
    hostname: str
    #: Only operations of this group are carried out here.
    conductor_group: str = ""
    #: What hardware this conductor drives: operations on nodes of other types are left to others. Empty: any.
    interfaces: tuple[ConductorInterface, ...] = ()
    #: Between signs of life.
    heartbeat_interval_s: float = 2.5
    #: How long a sign of life keeps what was claimed: then peers take it, and this process lets go of it.
    lease_s: float = 10.0
    #: Processes that may be lost under one step before the step is given up.
    most_deaths: int = MOST_DEATHS
    #: Release of the program, for others to see.
    version: str = ""
    #: Operations worked on at once; sleeping ones do not count.
    workers: int = 300
    #: Shared operations (somebody waits for their answers) carried out beyond ``workers`` when all of those
    #: are busy.
    call_reserve: int = 50
    #: Operations claimed by one statement at most.
    claim_batch: int = 50
    #: How many operations of each pool may be under way, counted over all conductors.
    limits: Mapping[str, Limit] = field(default_factory=dict)
    #: What running steps are given to come to a boundary when the process is stopped.
    graceful_stop_s: float = 60.0
    #: Between looks for work that nobody told of.
    poll_s: float = 5.0

    @property
    def drivers(self) -> tuple[str, ...] | None:
        """The hardware types by name; None: any."""
        return tuple(sorted({one.hardware_type for one in self.interfaces})) or None
