"""The tables, by subject. Invariants are constraints here first, and code second."""

from bessemer.store.table.allocation import ALLOCATIONS
from bessemer.store.table.audit import AUDIT_ANCHORS, AUDIT_EVENTS, AUDIT_INBOX
from bessemer.store.table.bios_setting import BIOS_SETTINGS
from bessemer.store.table.chassis import CHASSIS
from bessemer.store.table.column import METADATA
from bessemer.store.table.conductor import CONDUCTOR_INTERFACES, CONDUCTORS
from bessemer.store.table.deploy_template import DEPLOY_TEMPLATES
from bessemer.store.table.duty import DUTIES, NODE_DUTIES
from bessemer.store.table.event import EVENTS
from bessemer.store.table.event_subscription import EVENT_SUBSCRIPTIONS
from bessemer.store.table.firmware_component import FIRMWARE_COMPONENTS
from bessemer.store.table.inspection_report import INSPECTION_REPORTS
from bessemer.store.table.inspection_rule import INSPECTION_RULES
from bessemer.store.table.inventory import INVENTORIES
from bessemer.store.table.node import NODE_TRAITS, NODES
from bessemer.store.table.operation import JOURNAL, OPERATIONS
from bessemer.store.table.port import PORTS
from bessemer.store.table.portgroup import PORTGROUPS
from bessemer.store.table.runbook import RUNBOOK_TRAITS, RUNBOOKS
from bessemer.store.table.seal_key import SEAL_KEYS
from bessemer.store.table.volume import VOLUME_CONNECTORS, VOLUME_TARGETS

__all__ = [
    "ALLOCATIONS",
    "AUDIT_ANCHORS",
    "AUDIT_EVENTS",
    "AUDIT_INBOX",
    "BIOS_SETTINGS",
    "CHASSIS",
    "CONDUCTORS",
    "CONDUCTOR_INTERFACES",
    "DEPLOY_TEMPLATES",
    "DUTIES",
    "EVENTS",
    "EVENT_SUBSCRIPTIONS",
    "FIRMWARE_COMPONENTS",
    "INSPECTION_REPORTS",
    "INSPECTION_RULES",
    "INVENTORIES",
    "JOURNAL",
    "METADATA",
    "NODES",
    "NODE_DUTIES",
    "NODE_TRAITS",
    "OPERATIONS",
    "PORTGROUPS",
    "PORTS",
    "RUNBOOKS",
    "RUNBOOK_TRAITS",
    "SEAL_KEYS",
    "VOLUME_CONNECTORS",
    "VOLUME_TARGETS",
]
