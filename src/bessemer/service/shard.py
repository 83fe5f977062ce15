"""Shards: parts of the fleet that other services divide among themselves."""

from collections.abc import Sequence

from bessemer.service.caller import Caller
from bessemer.store.database import Database
from bessemer.store.shard import count_shards


class ShardService:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def count(self, caller: Caller) -> Sequence[tuple[str | None, int]]:
        """Each shard with how many nodes it has, those with most first; nodes without one are under None."""
        caller.check()
        async with self._database.read() as tx:
            return await count_shards(tx)
