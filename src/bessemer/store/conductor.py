"""Conductors: who is alive, and which hardware each of them can drive."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, exists, insert, or_, select, update

from bessemer.domain.conductor import Conductor, ConductorInterface
from bessemer.kernel.clock import Timestamp
from bessemer.kernel.error import InvalidValue, NotFound
from bessemer.store.database import AnyRow, Transaction
from bessemer.store.moment import shared_now
from bessemer.store.page import Page, read_page
from bessemer.store.record import Mapper, decode_json, encode_json
from bessemer.store.table import CONDUCTOR_INTERFACES, CONDUCTORS

#: How long a conductor owns what it claimed without giving a sign of life, unless it says otherwise.
LEASE_S = 60.0

_CONDUCTOR = Mapper(
    Conductor,
    CONDUCTORS,
    decoders={
        "drivers": lambda text: tuple(decode_json(text)),
        "kinds": lambda text: tuple((kind, version) for kind, version in decode_json(text)),
    },
)


async def register_conductor(
    tx: Transaction,
    hostname: str,
    incarnation: str,
    group: str,
    interfaces: Sequence[ConductorInterface],
    *,
    lease_s: float = LEASE_S,
    version: str = "",
    kinds: Sequence[tuple[str, int]] = (),
) -> Conductor:
    """Announce a conductor that has just started, and can carry out operations of ``kinds``. An earlier
    incarnation on the same host is superseded: what it owned is free from now on."""
    now = (await tx.execute(select(shared_now(tx)))).scalar_one()
    values = {
        "incarnation": incarnation,
        "conductor_group": group,
        "drivers": encode_json(sorted({offered.hardware_type for offered in interfaces})),
        "is_online": True,
        "updated_at": now,
        "lease_until": shared_now(tx, after_s=lease_s),
        "version": version,
        "kinds": encode_json(list(kinds)),
    }
    changed = await tx.execute(update(CONDUCTORS).where(CONDUCTORS.c.hostname == hostname).values(values))
    if not changed.rowcount:
        await tx.execute(insert(CONDUCTORS).values(hostname=hostname, created_at=now, **values))
    await tx.execute(delete(CONDUCTOR_INTERFACES).where(CONDUCTOR_INTERFACES.c.hostname == hostname))
    if interfaces:
        await tx.execute(insert(CONDUCTOR_INTERFACES), [_interface_row(hostname, one) for one in interfaces])
    return await get_conductor(tx, hostname)


async def touch_conductor(
    tx: Transaction, hostname: str, incarnation: str, *, lease_s: float = LEASE_S
) -> bool:
    """Give a sign of life and renew the lease; False when a later incarnation has superseded this one."""
    mine = (CONDUCTORS.c.hostname == hostname, CONDUCTORS.c.incarnation == incarnation)
    lease_until = shared_now(tx, after_s=lease_s)
    values = {"updated_at": shared_now(tx), "lease_until": lease_until, "is_online": True}
    return (await tx.execute(update(CONDUCTORS).where(*mine).values(values))).rowcount == 1


def holds_lease(now: ColumnElement[str], signed_since: ColumnElement[str]) -> ColumnElement[bool]:
    """The condition that a conductor's lease runs at ``now``, or that it gave a sign of life after
    ``signed_since`` if it is of a release that knew no leases."""
    columns = CONDUCTORS.c
    has_signed = and_(columns.lease_until.is_(None), columns.updated_at > signed_since)
    return and_(columns.is_online, or_(columns.lease_until > now, has_signed))


async def has_lease_ended(tx: Transaction, within_s: float) -> bool:
    """Whether a conductor that did not sign off lost its lease within the last ``within_s`` seconds."""
    columns = CONDUCTORS.c
    ended = (
        columns.is_online,
        columns.lease_until <= shared_now(tx),
        columns.lease_until > shared_now(tx, after_s=-within_s),
    )
    return bool((await tx.execute(select(exists().where(*ended)))).scalar())


async def unregister_conductor(tx: Transaction, hostname: str, incarnation: str) -> None:
    """Sign off: this incarnation owns nothing any more. Nothing happens when it has been superseded."""
    mine = (CONDUCTORS.c.hostname == hostname, CONDUCTORS.c.incarnation == incarnation)
    await tx.execute(update(CONDUCTORS).where(*mine).values(is_online=False, updated_at=shared_now(tx)))


async def get_conductor(tx: Transaction, hostname: str) -> Conductor:
    """Raises NotFound when no conductor of this name was ever here."""
    row = (await tx.execute(_CONDUCTOR.select().where(CONDUCTORS.c.hostname == hostname))).first()
    if row is None:
        raise NotFound(f"Conductor '{hostname}' could not be found.")
    return _CONDUCTOR.to_record(row)


async def list_conductors(tx: Transaction) -> list[Conductor]:
    """Every conductor that ever registered, alive or not, in order of registration."""
    rows = await tx.execute(_CONDUCTOR.select().order_by(CONDUCTORS.c.id))
    return [_CONDUCTOR.to_record(row) for row in rows]


async def list_conductor_rows(tx: Transaction, fields: Sequence[str], page: Page) -> list[AnyRow]:
    """``fields`` of conductors as they lie in the database (``drivers`` is a JSON list). Markers are names.

    Raises:
        InvalidValue: A field or sort key that conductors do not have.
        NotFound: The marker does not exist.
    """
    unknown = [field for field in fields if field not in CONDUCTORS.c]
    if unknown:
        raise InvalidValue(f"Conductors have no field '{unknown[0]}'.")
    statement = select(*(CONDUCTORS.c[field] for field in fields))
    return await read_page(tx, statement, CONDUCTORS, page, marker_column="hostname")


async def list_live_conductors(tx: Transaction, timeout_s: float) -> list[Conductor]:
    """Conductors that are online and gave a sign of life within ``timeout_s`` seconds."""
    alive = (CONDUCTORS.c.is_online, CONDUCTORS.c.updated_at > shared_now(tx, after_s=-timeout_s))
    rows = await tx.execute(_CONDUCTOR.select().where(*alive).order_by(CONDUCTORS.c.id))
    return [_CONDUCTOR.to_record(row) for row in rows]


async def list_conductor_interfaces(tx: Transaction) -> list[AnyRow]:
    """Rows of hostname, hardware_type, interface_type, interface_name, is_default; of all conductors."""
    columns = CONDUCTOR_INTERFACES.c
    statement = select(
        columns.hostname,
        columns.hardware_type,
        columns.interface_type,
        columns.interface_name,
        columns.is_default,
    ).order_by(columns.hostname, columns.hardware_type, columns.interface_type, columns.interface_name)
    return list((await tx.execute(statement)).all())


def is_alive(conductor: Conductor, alive_since: Timestamp) -> bool:
    """Whether the conductor is online and gave a sign of life after ``alive_since``."""
    return conductor.is_online and conductor.updated_at > alive_since


def _interface_row(hostname: str, offered: ConductorInterface) -> dict[str, Any]:
    return {
        "hostname": hostname,
        "hardware_type": offered.hardware_type,
        "interface_type": offered.interface_type.value,
        "interface_name": offered.interface_name,
        "is_default": offered.is_default,
    }
