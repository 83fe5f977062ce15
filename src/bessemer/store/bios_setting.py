"""BIOS settings: what was last read from each node."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, select

from bessemer.domain.bios_setting import BiosSetting
from bessemer.kernel.error import InvalidValue
from bessemer.store.database import AnyRow, Transaction
from bessemer.store.reading import put_readings
from bessemer.store.record import Mapper, decode_json
from bessemer.store.table import BIOS_SETTINGS

_SETTING = Mapper(
    BiosSetting,
    BIOS_SETTINGS,
    json_fields=("allowable_values",),
    decoders={"allowable_values": decode_json},
)
_COLUMNS = BIOS_SETTINGS.c
_FACTS = tuple(
    name for name in BiosSetting.__struct_fields__ if name not in ("node_uuid", "created_at", "updated_at")
)
_ONE = _SETTING.select().where(_COLUMNS.node_uuid == bindparam("node"), _COLUMNS.name == bindparam("key"))


async def put_bios_settings(tx: Transaction, node_uuid: str, settings: Iterable[Mapping[str, Any]]) -> None:
    """Store what was read from the node in place of what was read before. Idempotent: what is the same
    keeps its times.

    A setting is an object with ``name`` and any other fields of ``BiosSetting``; values become text.

    Raises:
        InvalidValue: A setting without a name or with an unknown field.
        NotFound: There is no such node.
    """
    facts = [{**dict.fromkeys(_FACTS), **setting} for setting in settings]
    for one in facts:
        if one["value"] is not None:
            one["value"] = str(one["value"])
    await put_readings(tx, _SETTING, node_uuid, facts, key="name", noun="BIOS setting")


async def find_bios_setting(tx: Transaction, node_uuid: str, name: str) -> BiosSetting | None:
    row = (await tx.execute(_ONE, {"node": node_uuid, "key": name})).first()
    return None if row is None else _SETTING.to_record(row)


async def list_bios_setting_rows(tx: Transaction, node_uuid: str, fields: Sequence[str]) -> list[AnyRow]:
    """``fields`` of all settings of a node, in order of name; ``allowable_values`` is text.

    Raises:
        InvalidValue: A field that BIOS settings do not have.
    """
    unknown = [field for field in fields if field not in _COLUMNS]
    if unknown:
        raise InvalidValue(f"BIOS settings have no field '{unknown[0]}'.")
    statement = select(*(_COLUMNS[field] for field in fields)).where(_COLUMNS.node_uuid == node_uuid)
    return list((await tx.execute(statement.order_by(_COLUMNS.name))).all())
