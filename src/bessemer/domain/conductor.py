"""A conductor: one process that carries out operations."""

import msgspec

from bessemer.domain.interface import InterfaceType
from bessemer.kernel.clock import Timestamp


class Conductor(msgspec.Struct, frozen=True, kw_only=True):
    """One row per host name. ``incarnation`` changes with every start of the process: work owned by an
    earlier incarnation is free to be claimed at once."""

    hostname: str
    incarnation: str
    conductor_group: str = ""
    drivers: tuple[str, ...] = ()
    is_online: bool = True
    created_at: Timestamp
    updated_at: Timestamp
    #: Until when it owns what it claimed; None: of a release that knew no leases.
    lease_until: Timestamp | None = None
    #: Release of the program, and the kinds of operations (with their versions) that it can carry out.
    version: str = ""
    kinds: tuple[tuple[str, int], ...] = ()


class ConductorInterface(msgspec.Struct, frozen=True, kw_only=True):
    """One interface implementation that a conductor offers for a hardware type."""

    hardware_type: str
    interface_type: InterfaceType
    interface_name: str
    #: Whether nodes of that hardware type get it when nothing else is asked for.
    is_default: bool = False
