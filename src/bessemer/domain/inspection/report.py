"""What a BMC or a ramdisk reports of a machine, before anything is made of it.

Ramdisks are not trusted: anything may be anywhere in what they send. Source: v1 contract, agent API,
inspection callback; the inventory documented for ironic-python-agent.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from bessemer.kernel.error import InvalidValue
from bessemer.kernel.ident import is_mac

JsonObject = dict[str, Any]

#: Members of the callback that are no plugin data: logs are long, a token is a secret.
_NO_PLUGIN_DATA: Final = frozenset({"inventory", "error", "logs", "agent_token"})
_LONGEST_ERROR: Final = 2000


class Report(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was found. ``inventory`` and ``plugin_data`` are kept as they are."""

    inventory: JsonObject = {}
    plugin_data: JsonObject = {}
    #: Node properties, where whoever looked knows them; None: they follow from the inventory.
    properties: JsonObject | None = None
    #: MAC addresses that all become ports; None: which do is a matter of settings.
    macs: tuple[str, ...] | None = None
    #: Why the ramdisk could not do its work.
    error: str | None = None


class NetworkCard(msgspec.Struct, frozen=True, kw_only=True):
    """An interface of the inventory with a usable MAC address (lower case)."""

    mac: str
    has_address: bool


def read_report(document: Mapping[str, Any]) -> Report:
    """The report in the body of an inspection callback.

    Raises:
        InvalidValue: No inventory, or no network card with a MAC address in it.
    """
    inventory = document.get("inventory")
    if not isinstance(inventory, dict) or not isinstance(inventory.get("interfaces"), list):
        raise InvalidValue("'inventory' must be an object with a list of 'interfaces'.")
    if not list_cards(inventory):
        raise InvalidValue("'inventory/interfaces' has no interface with a MAC address.")
    error = document.get("error")
    if error is not None and not isinstance(error, str):
        raise InvalidValue("'error' must be text.")
    data = {name: value for name, value in document.items() if name not in _NO_PLUGIN_DATA}
    return Report(inventory=inventory, plugin_data=data, error=error[:_LONGEST_ERROR] if error else None)


def list_cards(inventory: Mapping[str, Any]) -> list[NetworkCard]:
    """The network cards, in the order of the inventory, each MAC address once."""
    found: dict[str, NetworkCard] = {}
    for item in _objects(inventory.get("interfaces")):
        mac = item.get("mac_address")
        if isinstance(mac, str) and is_mac(mac):
            has_address = bool(item.get("ipv4_address") or item.get("ipv6_address"))
            found.setdefault(mac.lower(), NetworkCard(mac=mac.lower(), has_address=has_address))
    return list(found.values())


def boot_mac(report: Report) -> str | None:
    """The network card the machine booted from (lower case); None when it booted otherwise.

    Boot loaders put the hardware type in front of the address: ``01-aa-bb-cc-dd-ee-ff``.
    """
    boot = report.inventory.get("boot")
    told = report.plugin_data.get("boot_interface") or (
        boot.get("pxe_interface") if isinstance(boot, dict) else None
    )
    if not isinstance(told, str):
        return None
    parts = told.lower().replace("-", ":").split(":")
    mac = ":".join(parts[-6:])
    return mac if len(parts) in (6, 7) and is_mac(mac) else None


def list_bmc_addresses(inventory: Mapping[str, Any]) -> list[str]:
    """The IP addresses at which the machine says its BMC is; lower case."""
    told = (inventory.get(name) for name in ("bmc_address", "bmc_v6address"))
    addresses = (value.partition("/")[0].strip().lower() for value in told if isinstance(value, str))
    return [address for address in addresses if address not in ("", "0.0.0.0", "::")]  # noqa: S104


def _objects(value: object) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, list):
        yield from (item for item in value if isinstance(item, dict))
