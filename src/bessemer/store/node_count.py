"""How many nodes there are."""

from sqlalchemy import func, select

from bessemer.store.database import Transaction
from bessemer.store.table import NODES


async def count_nodes(tx: Transaction, conductor_group: str) -> int:
    """Those of a conductor group, whatever their state."""
    of_group = select(func.count()).where(NODES.c.conductor_group == conductor_group)
    return int((await tx.execute(of_group)).scalar_one())
