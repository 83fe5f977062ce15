"""What was last read from a node's machine: BIOS settings, and versions of firmware. Nothing asks it anew."""

from collections.abc import Sequence

from bessemer.domain.bios_setting import BiosSetting
from bessemer.domain.node import Node
from bessemer.kernel.error import NotFound
from bessemer.service.caller import Caller
from bessemer.service.node_access import NodeAccess
from bessemer.store.bios_setting import find_bios_setting, list_bios_setting_rows
from bessemer.store.database import AnyRow
from bessemer.store.firmware_component import list_firmware_component_rows


class ReadingService:
    """Each answer comes with the node it is of."""

    def __init__(self, access: NodeAccess) -> None:
        self._access = access
        self._database = access.database

    async def list_bios_rows(
        self, caller: Caller, ident: str, columns: Sequence[str]
    ) -> tuple[Node, list[AnyRow]]:
        """All settings by name, columns as the database has them. Raises NotFound."""
        async with self._database.read() as tx:
            node = await self._access.find(tx, caller, ident)
            return node, await list_bios_setting_rows(tx, node.uuid, columns)

    async def get_bios_setting(self, caller: Caller, ident: str, name: str) -> tuple[Node, BiosSetting]:
        """Raises NotFound: no such node, or no such setting of it."""
        async with self._database.read() as tx:
            node = await self._access.find(tx, caller, ident)
            setting = await find_bios_setting(tx, node.uuid, name)
        if setting is None:
            raise NotFound(f"Node {ident} has no BIOS setting {name[:80]!r}.")
        return node, setting

    async def list_firmware_rows(
        self, caller: Caller, ident: str, columns: Sequence[str]
    ) -> tuple[Node, list[AnyRow]]:
        """All components by name, columns as the database has them. Raises NotFound."""
        async with self._database.read() as tx:
            node = await self._access.find(tx, caller, ident)
            return node, await list_firmware_component_rows(tx, node.uuid, columns)
