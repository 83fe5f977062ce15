"""How a migration gets its tables while the release before, or a dump of the database, is at work on them.

All of them are taken at once, before anything is changed, in the order in which transactions of ours take
them; and given up again soon when they are not free. Whoever waits behind a migration that waits waits a
moment only, and no transaction is undone for its sake as by a deadlock.
"""

import random

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError

#: Tables that much is done on, in the order of locking.
_BUSY = ("nodes", "node_duties", "operations", "allocations")
#: The wait for one table. For all of them it is less than the second after which PostgreSQL looks for
#: deadlocks.
_WAIT_MS = 200
#: Locks that were not had in time; deadlocks.
_IN_THE_WAY = ("55P03", "40P01")

#: How often to try, which is for two minutes or longer: dumps of small databases take less.
ATTEMPTS = 120


def lock_tables(connection: Connection) -> None:
    """Lock what is busy until the transaction ends, on PostgreSQL. Raises DBAPIError when that fails."""
    present = set(inspect(connection).get_table_names())
    names = [name for name in _BUSY if name in present]
    connection.execute(text(f"SET LOCAL lock_timeout = '{_WAIT_MS}ms'"))
    if names:
        connection.execute(text(f"LOCK TABLE {', '.join(names)} IN ACCESS EXCLUSIVE MODE"))


def is_in_the_way(error: BaseException) -> bool:
    """Whether others hold what was to be locked: trying again helps once they are done."""
    return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) in _IN_THE_WAY


def pause_s() -> float:
    """The wait before the next attempt."""
    return random.uniform(0.5, 1.5)  # noqa: S311  jitter, not a secret
