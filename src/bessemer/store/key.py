"""Which keys the database is sealed with, and the start: the right key file, or none at all is used.

The database remembers the names of the keys that sealed something in it. A process whose file lacks one of
them does not start: it would find secrets that it cannot open, or seal new ones with a key that nobody else
has.
"""

from collections.abc import Collection, Sequence
from pathlib import Path

from sqlalchemy import delete, insert, select, text

from bessemer.kernel.seal import Keyring, new_key
from bessemer.store.database import Database, Transaction
from bessemer.store.key_file import BadKeyFile, read_keys, write_keys
from bessemer.store.table import SEAL_KEYS
from bessemer.store.vault import Vault

#: Any number, as long as nothing else of ours takes an advisory lock with it.
_LOCK = 0x6265_7374
_HINT = (
    "The key file belongs to the database: copy it from the process that made it, or from its copy, "
    "and name it with [database]key_file."
)


async def unlock(database: Database, path: Path) -> Keyring:
    """Give ``database`` the keys in the file at ``path``; for a database without keys the file is made.

    Raises:
        BadKeyFile: It is missing, malformed or open to others, or lacks a key that the database needs.
        Unavailable: The database is gone.
    """
    async with database.write() as tx:
        # Two processes that start together on a new database must not make a key each.
        await _lock(tx)
        known = await list_key_names(tx)
        keys = _read_or_make(path, known)
        await note_key(tx, keys.ids[0])
    database.vault = Vault(keys, path)
    return keys


async def list_key_names(tx: Transaction) -> Sequence[str]:
    """Names of the keys that something may be sealed with, oldest first."""
    return list((await tx.execute(select(SEAL_KEYS.c.name).order_by(SEAL_KEYS.c.id))).scalars())


async def note_key(tx: Transaction, name: str) -> None:
    """Remember that something is sealed with this key. Idempotent."""
    if name not in await list_key_names(tx):
        await tx.execute(insert(SEAL_KEYS), {"name": name, "created_at": tx.now()})


async def forget_keys(tx: Transaction, names: Collection[str]) -> None:
    """Nothing is sealed with these keys any more. Idempotent."""
    await tx.execute(delete(SEAL_KEYS).where(SEAL_KEYS.c.name.in_(names)))


def _read_or_make(path: Path, known: Sequence[str]) -> Keyring:
    if not path.exists():
        if known:
            raise BadKeyFile(
                f"The key file '{path}' does not exist; the database is sealed with {_named(known)}.",
                hint=_HINT,
            )
        write_keys(path, [new_key()])
    keys = read_keys(path)
    missing = [name for name in known if name not in keys.ids]
    if missing:
        raise BadKeyFile(
            f"The key file '{path}' lacks {_named(missing)}, which the database is sealed with.", hint=_HINT
        )
    return keys


def _named(names: Sequence[str]) -> str:
    return f"key {names[0]}" if len(names) == 1 else f"keys {', '.join(names)}"


async def _lock(tx: Transaction) -> None:
    if tx.is_postgresql:
        await tx.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _LOCK})
