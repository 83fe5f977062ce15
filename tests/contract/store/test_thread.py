"""SQLite's threads end before the event loop that they answer to, also those that nobody wants any more."""

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from bessemer.store.database import Database

#: Takes SQLite a good part of a second.
SLOW = text(
    "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 1000000) SELECT count(*) FROM c"
)


@pytest.mark.parametrize("cancellations", [1, 2])
@pytest.mark.parametrize("is_writing", [False, True])
def test_a_statement_that_is_given_up_ends_before_the_database_is_closed(
    sqlite_template: Path, monkeypatch: pytest.MonkeyPatch, is_writing: bool, cancellations: int
) -> None:
    failures: list[Any] = []
    monkeypatch.setattr(threading, "excepthook", failures.append)
    before = set(threading.enumerate())

    async def scenario() -> None:
        database = await Database.open(f"sqlite:///{sqlite_template}?synchronous=off")
        began = asyncio.Event()

        async def ask() -> None:
            async with database.write() if is_writing else database.read() as tx:
                began.set()
                await tx.execute(SLOW)

        asking = asyncio.create_task(ask())
        await began.wait()
        for _ in range(cancellations):  # the second comes while the connection is being put away
            await asyncio.sleep(0.05)
            asking.cancel()
        await asyncio.wait((asking,))
        assert asking.cancelled()
        await database.close()

    asyncio.run(scenario())
    for thread in set(threading.enumerate()) - before:
        thread.join(60)
        assert not thread.is_alive()
    assert failures == []
