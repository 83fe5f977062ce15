"""File descriptors: each BMC that is looked after takes one, for its connection.

What the operating system grants for the asking is taken at the start; what only an operator can grant is
asked for in the log. Source: getrlimit(2), RLIMIT_NOFILE.
"""

import resource

import structlog

from bessemer.store.database import Database
from bessemer.store.node_count import count_nodes

log = structlog.get_logger(__name__)

#: Beside those of BMCs: callers, agents, the database, files.
_OTHERS = 500
#: More is not taken: some programs that we start look at every descriptor there might be.
_MOST = 131072


def take_descriptors() -> int:
    """Raise the limit of this process as far as it may; says what it is now. Idempotent."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST if hard == resource.RLIM_INFINITY else min(hard, _MOST)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return _MOST if soft == resource.RLIM_INFINITY else soft
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return wanted


async def check_descriptors(database: Database, conductor_group: str, limit: int) -> None:
    """Tell in the log when ``limit`` is too small for the nodes that this conductor may look after."""
    async with database.read() as tx:
        nodes = await count_nodes(tx, conductor_group)
    if nodes + _OTHERS > limit:
        log.warning(
            "too few file descriptors for the nodes there are: raise the limit (ulimit -n, LimitNOFILE)",
            limit=limit,
            nodes=nodes,
            needed=nodes + _OTHERS,
        )
