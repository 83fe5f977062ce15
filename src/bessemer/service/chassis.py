"""Chassis: what holds several nodes."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bessemer.domain.chassis import Chassis
from bessemer.kernel.error import Conflict, InvalidValue
from bessemer.kernel.ident import new_uuid
from bessemer.service.caller import Caller
from bessemer.store.chassis import (
    create_chassis,
    delete_chassis,
    get_chassis,
    list_chassis_rows,
    update_chassis,
)
from bessemer.store.database import AnyRow, Database
from bessemer.store.page import Page


class ChassisService:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, caller: Caller, uuid: str) -> Chassis:
        """Raises NotFound."""
        caller.check()
        async with self._database.read() as tx:
            return await get_chassis(tx, uuid)

    async def list_rows(self, caller: Caller, columns: Sequence[str], page: Page) -> list[AnyRow]:
        """Columns as the database has them. Raises NotFound when the marker does not exist."""
        caller.check()
        async with self._database.read() as tx:
            return await list_chassis_rows(tx, columns, page)

    async def create(self, caller: Caller, values: Mapping[str, Any]) -> Chassis:
        """Raises Duplicate."""
        caller.check()
        found = dict(values)
        uuid = found.pop("uuid", None) or new_uuid()
        async with self._database.write() as tx:
            return await create_chassis(tx, Chassis(uuid=uuid, created_at=tx.now(), **found))

    async def update(
        self, caller: Caller, uuid: str, edit: Callable[[Chassis], Mapping[str, Any]]
    ) -> Chassis:
        """``edit`` works out new values from the present ones. Raises NotFound, InvalidValue, Duplicate."""
        caller.check()
        async with self._database.write() as tx:
            changes = dict(edit(await get_chassis(tx, uuid, lock=True)))
            if changes.get("uuid", uuid) != uuid:
                raise InvalidValue("The uuid of a chassis can not be changed.")
            return await update_chassis(tx, uuid, **changes)

    async def delete(self, caller: Caller, uuid: str) -> None:
        """Raises NotFound, or InvalidValue while nodes are in it."""
        caller.check()
        try:
            async with self._database.write() as tx:
                await delete_chassis(tx, uuid)
        except Conflict as error:
            raise InvalidValue(f"Chassis {uuid} still has nodes.") from error
