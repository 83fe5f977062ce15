"""Shards: how many nodes each has."""

from sqlalchemy import func, select

from bessemer.store.database import Transaction
from bessemer.store.table import NODES


async def count_shards(tx: Transaction) -> list[tuple[str | None, int]]:
    """Each shard that has nodes with how many those are, those that have most first; nodes without
    one are under None."""
    shard = NODES.c.shard
    statement = (
        select(shard, func.count()).group_by(shard).order_by(func.count().desc(), shard.is_not(None), shard)
    )
    return [(name, count) for name, count in await tx.execute(statement)]
