"""The state of a node while rules work on it: what they read, and what they change for each other."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from bessemer.domain.inspection.path import delete_at, extend_at, parse_path, set_at
from bessemer.domain.interface import InterfaceType
from bessemer.domain.node import Node
from bessemer.domain.port import Port
from bessemer.kernel.error import InvalidValue
from bessemer.kernel.ident import is_mac

JsonObject = dict[str, Any]

#: What rules may change of a node: what users may, but for references to other records.
NODE_FIELDS: Final = frozenset({
    "automated_clean", "conductor_group", "description", "disable_power_off", "driver", "driver_info",
    "extra", "instance_info", "instance_name", "lessee", "maintenance", "maintenance_reason", "name",
    "network_data", "owner", "properties", "protected", "protected_reason", "resource_class", "retired",
    "retired_reason", "shard", *(kind.node_field for kind in InterfaceType),
})  # fmt: skip
#: What rules may change of a port.
PORT_FIELDS: Final = frozenset({
    "available_for_dynamic_portgroup", "category", "description", "extra", "is_smartnic",
    "local_link_connection", "name", "physical_network", "pxe_enabled", "vendor",
})  # fmt: skip


class Record:
    """The fields of a node or a port as a document, some of which may change."""

    def __init__(self, record: Node | Port, fields: frozenset[str]) -> None:
        self._record = record
        self._fields = fields
        self._types = {field.name: field for field in msgspec.structs.fields(type(record))}
        self.document: JsonObject = deepcopy(msgspec.structs.asdict(record))

    def set(self, path: str, value: Any) -> None:
        """Raises InvalidValue: a field that is not there or not for rules, or a value of another type."""
        keys = self._keys(path)
        set_at(self.document, keys, value)
        self._convert(keys[0])

    def extend(self, path: str, value: Any, *, unique: bool) -> None:
        """Raises as ``set``."""
        keys = self._keys(path)
        extend_at(self.document, keys, value, unique=unique)
        self._convert(keys[0])

    def delete(self, path: str) -> None:
        """A whole field goes back to its default. Raises as ``set``, and when there is no default."""
        keys = self._keys(path)
        if len(keys) > 1:
            delete_at(self.document, keys)
            return
        default = self._types[keys[0]].default
        if default is msgspec.NODEFAULT:
            default = {} if self._types[keys[0]].default_factory is dict else msgspec.NODEFAULT
        if default is msgspec.NODEFAULT:
            raise InvalidValue(f"'{keys[0]}' can not be taken away")
        self.document[keys[0]] = default

    def changes(self) -> JsonObject:
        """The fields that are not what they were, with their new values."""
        return {
            name: self.document[name]
            for name in sorted(self._fields)
            if self.document[name] != getattr(self._record, name)
        }

    def _keys(self, path: str) -> tuple[str, ...]:
        keys = parse_path(path)
        if keys[0] not in self._fields:
            raise InvalidValue(f"rules can not change '{keys[0]}'", hint=f"They can: {sorted(self._fields)}.")
        return keys

    def _convert(self, name: str) -> None:
        """Interpolation makes text of everything: "True" is a boolean where a boolean belongs."""
        try:
            self.document[name] = msgspec.convert(self.document[name], self._types[name].type, strict=False)
        except msgspec.ValidationError as error:
            raise InvalidValue(f"'{name}' can not have this value: {error}") from error


@dataclass(slots=True)
class Draft:
    """What rules see and change."""

    node: Record
    traits: set[str]
    #: By UUID.
    ports: Mapping[str, Record]
    inventory: JsonObject
    plugin_data: JsonObject

    @classmethod
    def of(
        cls, node: Node, traits: Sequence[str], ports: Sequence[Port], inventory: JsonObject, data: JsonObject
    ) -> "Draft":
        return cls(
            node=Record(node, NODE_FIELDS),
            traits=set(traits),
            ports={port.uuid: Record(port, PORT_FIELDS) for port in ports},
            inventory=inventory,
            plugin_data=deepcopy(data),
        )

    def names(self) -> dict[str, Any]:
        """What replacement fields may begin with."""
        return {"node": self.node.document, "inventory": self.inventory, "plugin_data": self.plugin_data}

    def port(self, ident: Any) -> Record:
        """The port with this UUID or MAC address. Raises InvalidValue when the node has none."""
        text = str(ident).lower()
        field = "address" if is_mac(text) else "uuid"
        for record in self.ports.values():
            if record.document[field] == text:
                return record
        raise InvalidValue(f"the node has no port {str(ident)[:80]!r}")
