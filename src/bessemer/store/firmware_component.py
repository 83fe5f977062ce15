"""Firmware components: what was last read from each node."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import select

from bessemer.domain.firmware_component import FirmwareComponent
from bessemer.kernel.error import InvalidValue
from bessemer.store.database import AnyRow, Transaction
from bessemer.store.reading import put_readings
from bessemer.store.record import Mapper
from bessemer.store.table import FIRMWARE_COMPONENTS

_COMPONENT = Mapper(FirmwareComponent, FIRMWARE_COMPONENTS)
_COLUMNS = FIRMWARE_COMPONENTS.c
#: What was found first stays what it was.
_LASTING = frozenset({"initial_version"})


async def put_firmware_components(
    tx: Transaction, node_uuid: str, components: Iterable[Mapping[str, Any]]
) -> None:
    """Store what was read from the node in place of what was read before. Idempotent: what is the same
    keeps its times.

    A component is an object with ``component`` and any other fields of ``FirmwareComponent``; a field that
    is left out keeps its value. ``initial_version`` is only taken the first time, from ``current_version``
    where it is not given.

    Raises:
        InvalidValue: A component without a name or version, or with an unknown field.
        NotFound: There is no such node.
    """
    found = []
    for one in components:
        facts = dict(one)
        facts.setdefault("initial_version", facts.get("current_version"))
        found.append(facts)
    await put_readings(
        tx, _COMPONENT, node_uuid, found, key="component", noun="firmware component", lasting=_LASTING
    )


async def list_firmware_component_rows(
    tx: Transaction, node_uuid: str, fields: Sequence[str]
) -> list[AnyRow]:
    """``fields`` of all firmware components of a node, in order of name.

    Raises:
        InvalidValue: A field that firmware components do not have.
    """
    unknown = [field for field in fields if field not in _COLUMNS]
    if unknown:
        raise InvalidValue(f"Firmware components have no field '{unknown[0]}'.")
    statement = select(*(_COLUMNS[field] for field in fields)).where(_COLUMNS.node_uuid == node_uuid)
    return list((await tx.execute(statement.order_by(_COLUMNS.component))).all())
