"""A transaction that is over is gone with all that was read in it, without waiting for garbage collection."""

import gc

from bessemer.store.database import Database, Transaction


def transactions() -> int:
    return sum(isinstance(one, Transaction) for one in gc.get_objects())


async def test_a_committed_transaction_is_freed_although_what_was_called_after_it_knows_it(
    database: Database,
) -> None:
    seen: list[int] = []

    async def write() -> None:
        async with database.write() as tx:
            tx.after_commit(lambda: seen.append(len(tx.changed)))
            tx.note_change("node", "a")

    gc.collect()
    before = transactions()
    gc.disable()
    try:
        for _ in range(5):
            await write()
        assert transactions() == before
    finally:
        gc.enable()
    assert seen == [1] * 5
