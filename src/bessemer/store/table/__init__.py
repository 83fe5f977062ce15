"""The tables, by subject. Invariants are constraints here first, and code second."""

from bessemer.store.table.chassis import CHASSIS
from bessemer.store.table.column import METADATA
from bessemer.store.table.conductor import CONDUCTOR_INTERFACES, CONDUCTORS
from bessemer.store.table.event import EVENTS
from bessemer.store.table.inventory import INVENTORIES
from bessemer.store.table.node import NODE_TRAITS, NODES
from bessemer.store.table.operation import JOURNAL, OPERATIONS
from bessemer.store.table.port import PORTS

__all__ = [
    "CHASSIS",
    "CONDUCTORS",
    "CONDUCTOR_INTERFACES",
    "EVENTS",
    "INVENTORIES",
    "JOURNAL",
    "METADATA",
    "NODES",
    "NODE_TRAITS",
    "OPERATIONS",
    "PORTS",
]
