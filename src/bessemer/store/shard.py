"""Shards: how many nodes each has."""

from sqlalchemy import func, select

from bessemer.store.database import Transaction
from bessemer.store.table import NODES


async def count_shards(tx: Transaction) -> list[tuple[str | None, int]]:
    """Each shard that has nodes with how many those are, in order of name; nodes without one come last,
    under None."""
    shard = NODES.c.shard
    statement = select(shard, func.count()).group_by(shard).order_by(shard.is_(None), shard)
    return [(name, count) for name, count in await tx.execute(statement)]
