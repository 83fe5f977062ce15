"""Calls that are no resource: their bodies, and which of their words came when.

Source: v1 contract, routes below a node, states.verbs, power, agent API.
"""

from collections.abc import Mapping

from bessemer.api.v1.table.field import Body, Kind, Param, member
from bessemer.domain.power import PowerTarget
from bessemer.domain.provision import ProvisionState, Verb

NOTHING = Body(is_optional=True)

MAINTENANCE = Body((member("reason", Kind.STRING, is_nullable=True),), is_optional=True)

BOOT_DEVICE = Body((
    member("boot_device", Kind.STRING, is_required=True),
    member("persistent", Kind.BOOLEAN, default=False),
))  # fmt: skip

POWER = Body((
    member("target", Kind.STRING, is_required=True),
    member("timeout", Kind.INTEGER, since=27, is_nullable=True, range=(1, 2**31 - 1)),
))  # fmt: skip
POWER_TARGET_SINCE: Mapping[PowerTarget, int] = {PowerTarget.SOFT_OFF: 27, PowerTarget.SOFT_REBOOT: 27}

PROVISION = Body((
    member("target", Kind.STRING, is_required=True),
    member("configdrive", Kind.ANY),
    member("clean_steps", Kind.LIST, since=15, is_nullable=True),
    member("rescue_password", Kind.STRING, since=38, is_nullable=True),
    member("deploy_steps", Kind.LIST, since=69, is_nullable=True),
    member("disable_ramdisk", Kind.BOOLEAN, since=70, is_nullable=True),
    member("service_steps", Kind.LIST, since=87, is_nullable=True),
    member("runbook", Kind.IDENT, since=92, is_nullable=True),
))  # fmt: skip
VERB_SINCE: Mapping[Verb, int] = {
    Verb.MANAGE: 4,
    Verb.PROVIDE: 4,
    Verb.INSPECT: 6,
    Verb.ABORT: 13,
    Verb.CLEAN: 15,
    Verb.ADOPT: 17,
    Verb.RESCUE: 38,
    Verb.UNRESCUE: 38,
    Verb.DEPLOY: 73,
    Verb.UNDEPLOY: 73,
    Verb.UNHOLD: 85,
    Verb.SERVICE: 87,
}
#: States in which a verb became possible only later than the verb itself.
VERB_IN_STATE_SINCE: Mapping[tuple[Verb, ProvisionState], int] = {
    (Verb.ABORT, ProvisionState.INSPECT_WAIT): 41,
    (Verb.ABORT, ProvisionState.DEPLOY_WAIT): 110,
}
#: Arguments that came later, with a verb, than the body's member: since, and the status below it.
ARGUMENT_SINCE: Mapping[tuple[Verb, str], tuple[int, int]] = {
    (Verb.REBUILD, "configdrive"): (35, 400),
    (Verb.SERVICE, "disable_ramdisk"): (108, 406),
}
#: The config drive as an object, and the newest of its keys; both 400 below.
CONFIG_DRIVE_OBJECT_SINCE = 56
CONFIG_DRIVE_KEY_SINCE: Mapping[str, int] = {"vendor_data": 59}

TARGET_MODE = Body((member("target", Kind.STRING, is_required=True),))
TARGET_FLAG = Body((member("target", Kind.BOOLEAN, is_required=True),))
FIRMWARE_MODE_SINCE = 76
RAID_SINCE = 12
CONSOLE = Body((member("enabled", Kind.BOOLEAN, is_required=True),))
INDICATOR = Body((member("state", Kind.STRING, is_required=True),))
#: ``/nodes/<node>/<field>`` is short for ``fields=<field>``.
ONE_FIELD_SINCE = 8

VIF = Body((
    member("id", Kind.IDENT, is_required=True, length=(1, 255)),
    member("port_uuid", Kind.UUID, is_nullable=True),
    member("portgroup_uuid", Kind.UUID, is_nullable=True),
), is_open=True)  # fmt: skip
VIF_SINCE = 28

TRAITS = Body((member("traits", Kind.LIST, is_required=True),))
TRAITS_SINCE = 37
NMI_SINCE = 29
INVENTORY_SINCE = 81
SHARDS_SINCE = 82
CHILDREN_SINCE = 83

VALIDATE = (Param("node", Kind.IDENT), Param("node_uuid", Kind.UUID))
VENDOR_METHOD = (Param("method", Kind.STRING),)

LOOKUP_SINCE = 22
LOOKUP = (Param("addresses", Kind.LIST), Param("node_uuid", Kind.UUID))
HEARTBEAT_SINCE = 22
HEARTBEAT = Body((
    member("callback_url", Kind.STRING, is_required=True, length=(1, 2048)),
    member("agent_version", Kind.STRING, since=36, gate=400, is_nullable=True, length=(1, 255)),
    member("agent_token", Kind.STRING, since=62, gate=400, is_nullable=True),
    member("agent_verify_ca", Kind.STRING, since=68, gate=400, is_nullable=True),
    member("agent_status", Kind.STRING, since=72, gate=400, is_nullable=True),
    member("agent_status_message", Kind.STRING, since=72, gate=400, is_nullable=True),
))  # fmt: skip

INSPECTION_SINCE = 84
#: Ramdisks older than the call's own version ask for exactly this one.
INSPECTION_ALSO_IN = frozenset({1})
INSPECTION_KIB = 16384
INSPECTION_QUERY = (Param("node_uuid", Kind.UUID, since=INSPECTION_SINCE),)
INSPECTION = Body((
    member("inventory", Kind.OBJECT, is_required=True),
    member("error", Kind.STRING, is_nullable=True),
    member("agent_token", Kind.STRING, is_nullable=True),
), is_open=True)  # fmt: skip
