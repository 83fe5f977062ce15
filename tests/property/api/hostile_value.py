"""Values that nobody should send, and values of the right shape that mean nothing here."""

import json

from hypothesis import strategies as st

from bessemer.api.v1.table.field import Field, Kind, Param
from bessemer.api.v1.version import MAX
from bessemer.domain.interface import InterfaceType
from bessemer.domain.power import BootDevice, BootMode, PowerTarget
from bessemer.domain.provision import ProvisionState, Verb

UUID = "6ba7b810-9dad-41d1-80b4-00c04fd430c8"
OTHER_UUID = "6ba7b811-9dad-41d1-80b4-00c04fd430c8"
MAC = "aa:bb:cc:00:11:22"
#: Of the node that waits for its agent.
WAITING_MAC = "aa:bb:cc:00:11:23"
#: Names of nodes that exist, in different states.
NAMES = ("n-enroll", "n-manageable", "n-available", "n-active", "n-failed", "n-waiting", "n-redfish")

HOSTILE = st.sampled_from([
    "", "\x00", "'; DROP TABLE nodes; --", "../../etc/passwd", "a" * 5000, "%s%n{0.__class__}", "\u202e",
    "-1", "1e9", "latest", "null", "\r\nX: y", "\U0001f525" * 40, "http://169.254.169.254/",
    "file:///etc/passwd", "{node.driver_info}", "$(id)", "9" * 400,
])  # fmt: skip
TEXTS = st.one_of(
    st.text(max_size=20),
    HOSTILE,
    st.sampled_from(
        [UUID, OTHER_UUID, MAC, *NAMES, "fake-hardware", "redfish", "CUSTOM_A", "true", "0", "live"]
    ),
)
NUMBERS = st.one_of(
    st.integers(-3, 200), st.integers(-(2**70), 2**70), st.floats(allow_nan=False, allow_infinity=False)
)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=8,
)
VERSIONS = st.one_of(*[st.just(f"1.{MAX}")] * 4, st.integers(1, MAX).map("1.{}".format), st.just("latest"))

#: What members of bodies, and query parameters, may rightly say.
WORDS: dict[str, tuple[str, ...]] = {
    "target": (*Verb, *PowerTarget, *BootMode, "true", "false"),
    "driver": ("fake-hardware", "redfish"),
    "boot_device": tuple(BootDevice),
    "device_type": ("cdrom", "disk", "floppy"),
    "device_types": ("cdrom", "disk", "floppy"),
    "mode": ("active-backup", "802.3ad"),
    "type": ("iqn", "mac", "wwpn", "dynamic", "classic"),
    "volume_type": ("iscsi", "fibre_channel"),
    "phase": ("main",),
    "provision_state": tuple(ProvisionState),
    "state": ("active", "allocating", "error", "ON", "OFF", "BLINKING"),
    "sort_dir": ("asc", "desc"),
    "sort_key": ("uuid", "name", "id", "created_at", "extra", "provision_state", "zork"),
    "fields": ("uuid", "name", "uuid,extra", "links", "zork", "driver_info,instance_info"),
    "resource_class": ("gold",),
    "callback_url": ("https://192.0.2.7:9999", "http://[::1]:1", "ftp://x"),
    "agent_status": ("start", "end", "error"),
    "image_url": ("http://127.0.0.1:1/x.iso", "file:///etc/passwd"),
    "physical_network": ("net1",),
    "address": (MAC, WAITING_MAC, "aa:bb:cc:00:11:24"),
    "addresses": (MAC, WAITING_MAC),
    "method": ("first_method", "third_method_sync", "log_passthrough"),
    "interface": ("bios", "raid", "deploy", "power", "management", "vendor", "network", "firmware"),
    "step": ("factory_reset", "hold", "wait", "reboot", "power_off", "apply_configuration"),
    "op": ("fail", "set-attribute", "set-plugin-data", "is-none", "eq", "log", "add-trait"),
    "name": ("CUSTOM_A", "n-new", "x.y"),
    "boot_mode": tuple(BootMode),
}
WORDS |= {kind.node_field: ("fake", f"no-{kind}", "redfish", "noop") for kind in InterfaceType}
MEMBERS = st.sampled_from([*WORDS, "extra", "properties", "args", "priority", "limit", "uuid", "steps"])

STEPS = st.lists(
    st.fixed_dictionaries(
        {"interface": st.sampled_from(WORDS["interface"]), "step": st.sampled_from(WORDS["step"])},
        optional={
            "args": st.dictionaries(TEXTS, JSON, max_size=2) | JSON,
            "priority": NUMBERS | JSON,
            "order": NUMBERS | JSON,
            "execute_on_child_nodes": st.booleans() | JSON,
            "limit_child_node_execution": st.lists(TEXTS, max_size=2) | JSON,
        },
    ),
    max_size=3,
)  # fmt: skip
RULE_PARTS = st.lists(
    st.fixed_dictionaries(
        {"op": st.sampled_from(WORDS["op"])},
        optional={
            "args": st.dictionaries(
                st.sampled_from(["path", "value", "values", "msg", "loop"]), JSON, max_size=3
            ),
            "loop": JSON,
            "multiple": st.sampled_from(["any", "all"]) | JSON,
        },
    ),
    max_size=3,
)  # fmt: skip
EVENTS = st.lists(
    st.dictionaries(
        st.sampled_from(["event", "port_id", "mac_address", "status", "binding:host_id"]),
        st.sampled_from(["network.bind_port", UUID, MAC, "ACTIVE"]) | JSON,
    ),
    max_size=3,
)
DISKS = st.fixed_dictionaries({
    "logical_disks": st.lists(
        st.fixed_dictionaries({
            "size_gb": st.just("MAX") | NUMBERS,
            "raid_level": st.sampled_from(["0", "1", "5", "1+0"]) | JSON,
        }),
        max_size=2,
    )
})  # fmt: skip
_OBJECT = st.one_of(st.dictionaries(TEXTS | MEMBERS, JSON, max_size=4), DISKS)
_LIST = st.one_of(STEPS, RULE_PARTS, EVENTS, st.lists(TEXTS, max_size=4), st.lists(JSON, max_size=4))
_UUIDS = st.sampled_from([UUID, OTHER_UUID]) | st.uuids().map(str)
_BY_KIND: dict[Kind, st.SearchStrategy[object]] = {
    Kind.STRING: TEXTS,
    Kind.NAME: st.sampled_from(NAMES) | TEXTS,
    Kind.UUID: _UUIDS,
    Kind.IDENT: _UUIDS | st.sampled_from(NAMES),
    Kind.MAC: st.sampled_from(WORDS["address"]),
    Kind.BOOLEAN: st.booleans(),
    Kind.INTEGER: st.integers(-2, 5000),
    Kind.OBJECT: _OBJECT,
    Kind.LIST: _LIST,
    Kind.TIMESTAMP: st.just("2026-01-01T00:00:00+00:00"),
    Kind.LINKS: JSON,
    Kind.ANY: _OBJECT | _LIST | JSON,
}


def value_of(row: Field | Param) -> st.SearchStrategy[object]:
    """Mostly what the field may be, sometimes anything."""
    fitting = st.sampled_from(WORDS[row.name]) if row.name in WORDS else _BY_KIND[row.kind]
    return st.one_of(*[fitting] * 8, _BY_KIND[row.kind], JSON)


def as_text(value: object) -> str:
    """A value as a query string carries it."""
    if isinstance(value, list):
        return ",".join(map(as_text, value))
    return value if isinstance(value, str) else json.dumps(value)
