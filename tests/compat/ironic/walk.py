"""What can be read, by clients of every version: which fields there are, and what is too new."""

from collections.abc import Iterator

from compat.ironic.script import Call, Keep, parse

_EVERY = range(1, 116)
#: Those around which what is below a resource came, and the one before each.
_GATES = (
    1, 5, 8, 11, 12, 14, 21, 22, 23, 24, 27, 28, 31, 32, 36, 37, 39, 40, 42, 43, 48, 49, 51, 52, 54, 55, 73,
    74, 75, 77, 78, 80, 81, 82, 83, 85, 86, 88, 89, 91, 92, 93, 95, 96, 111, 112, 113, 114, 115,
)  # fmt: skip

SETTING = """\
POST /v1/chassis {"uuid": "<rack>"}
POST /v1/nodes {"driver": "fake-hardware", "uuid": "<a>", "name": "a", "chassis_uuid": "<rack>"}
POST /v1/portgroups {"node_uuid": "<a>", "uuid": "<g>", "name": "g"}
POST /v1/ports {"node_uuid": "<a>", "address": "52:54:00:00:00:01", "uuid": "<p>"}
POST /v1/volume/connectors {"node_uuid": "<a>", "uuid": "<vc>", "type": "iqn", "connector_id": "iqn.x"}
POST /v1/volume/targets {"node_uuid": "<a>", "uuid": "<vt>", "volume_type": "iscsi", "volume_id": "v", "boot_index": 0}
POST /v1/deploy_templates {"name": "CUSTOM_T", "uuid": "<t>", "steps": [{"interface": "bios", "step": "x", "args": {}, "priority": 1}]}
POST /v1/runbooks {"name": "CUSTOM_R", "uuid": "<r>", "steps": [{"interface": "bios", "step": "x", "args": {}, "order": 1}]}
POST /v1/inspection_rules {"uuid": "<ir>", "actions": [{"op": "fail", "args": {"msg": "no"}}], "conditions": []}
"""  # noqa: E501

_SHOWN_BY_ALL = (
    "/v1", "/v1/nodes", "/v1/nodes/<a>", "/v1/ports/<p>", "/v1/portgroups/<g>", "/v1/drivers/fake-hardware",
)  # fmt: skip
_SHOWN = (
    "/v1/nodes/detail", "/v1/nodes/<a>/states", "/v1/ports", "/v1/ports/detail", "/v1/portgroups",
    "/v1/portgroups/<g>/ports", "/v1/chassis/<rack>", "/v1/chassis/detail", "/v1/nodes/<a>/portgroups",
    "/v1/nodes/<a>/volume", "/v1/volume/connectors/<vc>", "/v1/volume/targets/<vt>", "/v1/runbooks/<r>",
    "/v1/deploy_templates/<t>", "/v1/inspection_rules/<ir>", "/v1/drivers", "/v1/conductors", "/v1/shards",
    "/v1/allocations", "/v1/nodes/<a>/traits", "/v1/nodes/<a>/vifs", "/v1/nodes/<a>/bios",
    "/v1/nodes/<a>/firmware", "/v1/nodes/<a>/history", "/v1/nodes/<a>/inventory", "/v1/nodes/<a>/children",
    "/v1/runbooks/<r>/traits", "/v1/lookup?node_uuid=<a>",
)  # fmt: skip


def walk() -> Iterator[Call | Keep]:
    """The calls that make one of each, and those that look at them."""
    for line in SETTING.splitlines():
        yield from parse(line)
    for address, versions in (*((one, _EVERY) for one in _SHOWN_BY_ALL), *((one, _GATES) for one in _SHOWN)):
        for minor in versions:
            yield from parse(f"@1.{minor} GET {address}")
