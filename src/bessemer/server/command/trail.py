"""The audit trail of what is done on the host: commands leave their events themselves."""

import os
import pwd
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bessemer.store.database import Database


def host_user() -> str:
    """The user of the operating system that runs this program: by the process, not by the environment, which
    says what one likes."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container may run as a user that nobody has named
        return f"uid {os.getuid()}"


async def record(
    database: "Database", command: str, *, resource_type: str, resource: str = "", detail: str = ""
) -> None:
    """Leave an event of ``command`` in the audit trail. Raises Unavailable."""
    from bessemer.store.audit import add_host_event

    async with database.write() as tx:
        await add_host_event(
            tx, command, user=host_user(), resource_type=resource_type, resource=resource, detail=detail
        )
    await chain(database)


async def chain(database: "Database") -> None:
    """Put what waits into the chain, at once: the service may not be running."""
    from bessemer.store.audit import chain_events

    async with database.write() as tx:
        await chain_events(tx)
