"""Changing keys: a new one that seals from now on, everything sealed anew, old ones put away.

Each function takes up what an earlier call left undone: a rotation cut short is simply asked for again.
"""

import asyncio
from pathlib import Path

import structlog

from bessemer.kernel.error import Conflict
from bessemer.kernel.seal import Keyring, key_id, new_key
from bessemer.store.database import Database
from bessemer.store.key import forget_keys, list_key_names, note_key
from bessemer.store.key_file import read_keys, read_raw_keys, write_keys
from bessemer.store.reseal import count_stale, list_key_names_in_use, reseal_all
from bessemer.store.vault import LOOK_S, Vault

log = structlog.get_logger(__name__)
#: Passes over everything before giving up on rows that others hold all the time.
_MOST_PASSES = 10


def add_key(path: Path) -> str:
    """Put a new key last into the file: it opens, and seals nothing yet. Its name. Raises BadKeyFile."""
    key = new_key()
    write_keys(path, [*read_raw_keys(path), key])
    return key_id(key)


async def begin_rotation(database: Database, path: Path) -> str:
    """Make another key the one that seals: the newest in the file that has never sealed, or else a new one.
    Nothing changes when an earlier rotation is not complete. The name of the key that seals then.

    Raises:
        BadKeyFile: The file cannot be read or written.
    """
    keys = read_raw_keys(path)
    async with database.read() as tx:
        known = set(await list_key_names(tx))
    if known <= {key_id(keys[0])}:
        unused = [key for key in keys if key_id(key) not in known]
        first = unused[-1] if unused else new_key()
        keys = [first, *(key for key in keys if key != first)]
        write_keys(path, keys)
    async with database.write() as tx:
        await note_key(tx, key_id(keys[0]))
    database.vault = Vault(Keyring(keys), path)
    return key_id(keys[0])


async def complete_rotation(database: Database, *, settle_s: float = 2 * LOOK_S) -> int:
    """Seal everything with the key that seals now; how many rows were changed.

    ``settle_s`` is how long other processes may still use the old key: they look at the file now and then.

    Raises:
        SealBroken: A secret does not open: its key is missing, or it was tampered with.
        Conflict: Some rows were held by others all the time; try again.
    """
    changed = await reseal_all(database)
    await asyncio.sleep(settle_s)
    for _ in range(_MOST_PASSES):
        changed += await reseal_all(database)
        if not await count_stale(database):
            break
        await asyncio.sleep(settle_s / _MOST_PASSES)
    else:
        raise Conflict("Some secrets could not be sealed anew: others keep writing them.", hint="Try again.")
    async with database.write() as tx:
        present = database.vault.keys.ids[0]
        await forget_keys(tx, [name for name in await list_key_names(tx) if name != present])
    return changed


async def prune_keys(database: Database, path: Path) -> list[str]:
    """Take keys out of the file that nothing in the database is sealed with; their names. The first stays."""
    keys = read_raw_keys(path)
    in_use = await list_key_names_in_use(database) | {key_id(keys[0])}
    kept = [key for key in keys if key_id(key) in in_use]
    if len(kept) < len(keys):
        write_keys(path, kept)
        database.vault = Vault(read_keys(path), path)
    return [key_id(key) for key in keys if key not in kept]
