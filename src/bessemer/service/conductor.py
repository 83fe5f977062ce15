"""Conductors: who is alive, what they offer, and which of them answers for a node."""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bessemer.config.settings import ConductorSettings
from bessemer.domain.conductor import Conductor
from bessemer.domain.interface import InterfaceType
from bessemer.domain.node import Node
from bessemer.kernel.clock import Clock, seconds_between, timestamp
from bessemer.kernel.error import InvalidValue, NotFound, Unavailable
from bessemer.service.caller import Caller
from bessemer.store.conductor import (
    get_conductor,
    list_conductor_interfaces,
    list_conductor_rows,
    list_live_conductors,
)
from bessemer.store.database import AnyRow, Database, Transaction
from bessemer.store.page import Page

#: How old the picture of who is alive may be: nodes show it, and reading nodes is frequent.
_FRESH_S = 1.0


@dataclass(slots=True)
class DriverOffer:
    """A hardware type as the live conductors offer it together."""

    name: str
    hosts: list[str] = field(default_factory=list)
    enabled: dict[InterfaceType, list[str]] = field(default_factory=dict)
    defaults: dict[InterfaceType, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Landscape:
    """All live conductors at one moment."""

    conductors: Sequence[Conductor] = ()
    drivers: Mapping[str, DriverOffer] = field(default_factory=dict)
    #: Host names by conductor group and driver.
    hosts: Mapping[tuple[str, str], Sequence[str]] = field(default_factory=dict)

    def responsible(self, node_uuid: str, group: str, driver: str) -> str | None:
        """The conductor that answers for a node; with several possible ones the choice is stable."""
        hosts = self.hosts.get((group, driver))
        if not hosts:
            return None
        return hosts[zlib.crc32(node_uuid.encode()) % len(hosts)] if len(hosts) > 1 else hosts[0]

    def check_offered(self, node: Node) -> None:
        """Raises InvalidValue when conductors of the node's group live and none of them drives its hardware
        type. While none of them lives, what is asked for waits for one."""
        group, driver = node.conductor_group, node.driver
        if (group, driver) in self.hosts or not self.serves(group):
            return
        raise InvalidValue(f"No live conductor {_which(group)} has the hardware type '{driver}' enabled.")

    def check_served(self, node: Node) -> None:
        """Raises Unavailable when no conductor of the node's group lives; else as ``check_offered``."""
        group = node.conductor_group
        if not self.serves(group):
            raise Unavailable(f"No conductor is alive {_which(group)}.")
        self.check_offered(node)

    def serves(self, group: str) -> bool:
        """Whether a conductor of the group lives."""
        return any(conductor.conductor_group == group for conductor in self.conductors)


class ConductorService:
    """Read only: conductors announce themselves."""

    def __init__(self, database: Database, settings: ConductorSettings, clock: Clock) -> None:
        self._database = database
        self._timeout_s = settings.heartbeat_timeout
        self._clock = clock
        self._landscape = Landscape()
        self._seen_at: str | None = None

    async def list_rows(self, caller: Caller, columns: Sequence[str], page: Page) -> list[AnyRow]:
        caller.check()
        async with self._database.read() as tx:
            return await list_conductor_rows(tx, columns, page)

    async def get(self, caller: Caller, hostname: str) -> Conductor:
        """Also when it is dead. Raises NotFound."""
        caller.check()
        async with self._database.read() as tx:
            return await get_conductor(tx, hostname)

    async def list_alive(self) -> frozenset[str]:
        """Host names of those that live, as judged now."""
        async with self._database.read() as tx:
            live = await list_live_conductors(tx, self._timeout_s)
        return frozenset(conductor.hostname for conductor in live)

    async def landscape(self) -> Landscape:
        """Who is alive and offers what; at most a second old."""
        now = timestamp(self._clock)
        if self._seen_at is None or not 0 <= seconds_between(self._seen_at, now) < _FRESH_S:
            self._landscape = await self._look()
            self._seen_at = now
        return self._landscape

    async def check_group(self, tx: Transaction, group: str) -> None:
        """Raises InvalidValue when no live conductor serves ``group``. The default group is not asked about:
        its conductor may start after its nodes were enrolled."""
        if not group:
            return
        live = await list_live_conductors(tx, self._timeout_s)
        if all(conductor.conductor_group != group for conductor in live):
            raise InvalidValue(f"No live conductor serves the conductor group '{group}'.")

    async def get_driver(self, caller: Caller, name: str) -> DriverOffer:
        """Raises NotFound when no live conductor offers it."""
        caller.check()
        offer = (await self.landscape()).drivers.get(name)
        if offer is None:
            raise NotFound(f"Driver '{name}' could not be found on any live conductor.")
        return offer

    async def _look(self) -> Landscape:
        async with self._database.read() as tx:
            live = await list_live_conductors(tx, self._timeout_s)
            rows = await list_conductor_interfaces(tx)
        groups = {conductor.hostname: conductor.conductor_group for conductor in live}
        drivers: dict[str, DriverOffer] = {}
        hosts: dict[tuple[str, str], list[str]] = {}
        for hostname, driver, kind, name, is_default in rows:
            if hostname not in groups:
                continue
            offer = drivers.setdefault(driver, DriverOffer(driver))
            _add(offer.hosts, hostname)
            _add(hosts.setdefault((groups[hostname], driver), []), hostname)
            interface = InterfaceType(kind)
            _add(offer.enabled.setdefault(interface, []), name)
            if is_default:
                offer.defaults.setdefault(interface, name)
        return Landscape(live, drivers, hosts)


def _which(group: str) -> str:
    return f"of the conductor group '{group}'" if group else "without a conductor group"


def _add(names: list[str], name: str) -> None:
    if name not in names:
        names.append(name)
