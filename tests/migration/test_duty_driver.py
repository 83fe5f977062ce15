"""Duties that were there before they knew hardware types know them afterwards, and are due when they were."""

from sqlalchemy import Table, insert, text
from sqlalchemy.ext.asyncio import create_async_engine

from bessemer.store.migration.script import upgrade
from bessemer.store.table import NODES
from migration.test_schema import async_url, empty_url

__all__ = ["empty_url"]

_NODE = {
    "uuid": "n1", "driver": "redfish", "conductor_group": "rack9", "provision_state": "enroll",
    "created_at": "2026", "name": "one",
}  # fmt: skip


def _required(table: Table) -> dict[str, object]:
    """A value for each column that must have one."""
    needed = [one for one in table.columns if not one.nullable and one.server_default is None]
    return {
        one.name: 0 if one.type.python_type in (int, float, bool) else "noop"
        for one in needed
        if one.name != "id"
    }


async def test_what_was_due_stays_due_and_learns_its_hardware(empty_url: str) -> None:
    engine = create_async_engine(async_url(empty_url))
    async with engine.begin() as connection:
        await connection.run_sync(upgrade, "0012")
        await connection.execute(insert(NODES), {**_required(NODES), **_NODE})
        for duty, due in (("power", "2027"), ("history", "2028")):
            await connection.execute(
                text(
                    "INSERT INTO node_duties (node_uuid, duty, conductor_group, next_due_at, failures) "
                    "VALUES ('n1', :duty, 'rack9', :due, 2)"
                ),
                {"duty": duty, "due": due},
            )
        await connection.run_sync(upgrade, "0013")
    async with engine.begin() as connection:
        found = await connection.execute(
            text("SELECT duty, conductor_group, next_due_at, failures, driver FROM node_duties ORDER BY duty")
        )
        assert [tuple(row) for row in found] == [
            ("history", "rack9", "2028", 2, None),
            ("power", "rack9", "2027", 2, "redfish"),
        ]
    await engine.dispose()
