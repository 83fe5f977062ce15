"""The clock that all processes share: the database's. A host's own may be wrong, or be moved at any time."""

import asyncio
from datetime import timedelta

import structlog
from sqlalchemy import func, select

from bessemer.kernel.clock import SteadyClock
from bessemer.kernel.error import Unavailable
from bessemer.store.database import Database

log = structlog.get_logger(__name__)

#: Between looks at the database's clock. Meanwhile the machine's oscillator is good enough.
PAUSE_S = 30.0
#: A host this far off is worth a word.
_FAR_S = 2.0


async def set_clock(database: Database) -> None:
    """Set the clock of ``database`` by the database itself. Does nothing where the process has another clock
    than a steady one, or the database none of its own (SQLite).

    Raises:
        Unavailable: The database did not answer.
    """
    clock = database.clock
    if not isinstance(clock, SteadyClock) or not database.is_postgresql:
        return
    loop = asyncio.get_running_loop()
    async with database.read() as tx:
        asked_at = loop.time()
        moment = (await tx.execute(select(func.clock_timestamp()))).scalar_one()
        took_s = loop.time() - asked_at
    off_s = (moment - clock.now()).total_seconds() + took_s / 2
    if abs(off_s) > _FAR_S:
        log.warning("this host's clock is not the database's; the database's is used", off_s=round(off_s, 1))
    if abs(off_s) > took_s:  # nearer than that nobody can tell
        clock.set(clock.now() + timedelta(seconds=off_s))


async def follow_clock(database: Database) -> None:
    """Go on setting the clock until cancelled."""
    while True:
        await asyncio.sleep(PAUSE_S)
        try:
            await set_clock(database)
        except Unavailable:
            log.debug("the database's clock could not be read")
