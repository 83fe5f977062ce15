"""Network data: the description of a machine's network that its operating system reads at first boot.

Source: OpenStack Nova, JSON schema of ``network_data.json``. Beyond the schema, references between the
parts are checked: a network over a link that is not there fails on the machine, where nobody looks.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Interface
from typing import Any, Final

from bessemer.kernel.error import InvalidValue

LINK_TYPES: Final = ("bridge", "dvs", "hw_veb", "hyperv", "ovs", "tap", "vhostuser", "vif", "phy")
BOND_MODES: Final = (
    "802.3ad", "balance-rr", "active-backup", "balance-xor", "broadcast", "balance-tlb", "balance-alb",
)  # fmt: skip
_MAC = re.compile(r"(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}", re.IGNORECASE)

_Test = tuple[Callable[[Any], bool], str]


def _is_whole(value: object, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _reads(parse: Callable[[str], object]) -> Callable[[Any], bool]:
    def reads(value: Any) -> bool:
        try:
            return isinstance(value, str) and parse(value) is not None
        except ValueError:
            return False

    return reads


_TEXT: _Test = (lambda v: isinstance(v, str) and v != "", "text")
_ADDRESS: _Test = (lambda v: isinstance(v, str) and _MAC.fullmatch(v) is not None, "a MAC address")
_MTU: _Test = (lambda v: v is None or _is_whole(v, 1, 65535), "a number from 1 to 65535")
_VLAN: _Test = (lambda v: _is_whole(v, 1, 4094), "a number from 1 to 4094")
_BOND_MODE: _Test = (lambda v: v in BOND_MODES, f"one of {', '.join(BOND_MODES)}")
_NAMES: _Test = (
    lambda v: isinstance(v, list) and bool(v) and all(isinstance(one, str) for one in v),
    "a list of links",
)
_IPV4: _Test = (_reads(IPv4Address), "an IPv4 address")
_IPV6: _Test = (_reads(IPv6Address), "an IPv6 address")
_IPV6_HOST: _Test = (_reads(IPv6Interface), "an IPv6 address")
_MASK4: _Test = (_reads(lambda text: IPv4Network(f"0.0.0.0/{IPv4Address(text)}")), "a network mask")
_DNS: _Test = (lambda v: v == "dns", "dns")


@dataclass(frozen=True, slots=True)
class _Form:
    """Members an object must have and those it may have; others are nobody's business."""

    required: Mapping[str, _Test]
    optional: Mapping[str, _Test] = field(default_factory=dict)
    #: The form of each item of ``routes``.
    route: "_Form | None" = None


_LINK = {"id": _TEXT, "type": _TEXT}
_LINK_MORE = {"mtu": _MTU, "vif_id": _TEXT}
_PLAIN = _Form({**_LINK, "ethernet_mac_address": _ADDRESS}, _LINK_MORE)
_BOND = _Form({**_PLAIN.required, "bond_mode": _BOND_MODE, "bond_links": _NAMES}, _LINK_MORE)
_VLAN_LINK = _Form({**_LINK, "vlan_mac_address": _ADDRESS, "vlan_link": _TEXT, "vlan_id": _VLAN}, _LINK_MORE)
_LINKS = {**dict.fromkeys(LINK_TYPES, _PLAIN), "bond": _BOND, "vlan": _VLAN_LINK}

_NETWORK = {"id": _TEXT, "type": _TEXT, "link": _TEXT, "network_id": _TEXT}
_NETWORK4 = _Form(
    _NETWORK,
    {"ip_address": _IPV4, "netmask": _MASK4},
    _Form({"network": _IPV4, "netmask": _MASK4, "gateway": _IPV4}),
)
_NETWORK6 = _Form(
    _NETWORK,
    {"ip_address": _IPV6_HOST, "netmask": _IPV6},
    _Form({"network": _IPV6, "netmask": _IPV6, "gateway": _IPV6}),
)
_NETWORKS = {
    **dict.fromkeys(("ipv4", "ipv4_dhcp"), _NETWORK4),
    **dict.fromkeys(("ipv6", "ipv6_dhcp", "ipv6_slaac"), _NETWORK6),
}
_SERVICE = _Form({"type": _DNS, "address": (lambda v: _IPV4[0](v) or _IPV6_HOST[0](v), "an IP address")})

_PARTS: Mapping[str, Mapping[str, _Form]] = {
    "links": _LINKS,
    "networks": _NETWORKS,
    "services": {"dns": _SERVICE},
}


def check_network_data(document: object) -> None:
    """Whether ``document`` can be a node's ``network_data``; ``{}`` is none.

    Raises:
        InvalidValue: The message names the item and the member that cannot be right.
    """
    if not isinstance(document, Mapping):
        raise InvalidValue("network_data must be an object.")
    if not document:
        return
    for part, forms in _PARTS.items():
        for where, item in _items(document, part):
            kind = item.get("type") if isinstance(item, Mapping) else None
            form = forms.get(kind) if isinstance(kind, str) else None
            if form is None:
                raise InvalidValue(f"{where} must be an object whose type is one of {', '.join(forms)}.")
            _check(form, where, item)
    _check_references(document["links"], document["networks"])


def _items(document: Mapping[str, Any], part: str) -> Sequence[tuple[str, Any]]:
    items = document.get(part)
    if not isinstance(items, list):
        raise InvalidValue(f"network_data.{part} must be a list.")
    return [(f"network_data.{part}[{number}]", item) for number, item in enumerate(items)]


def _check(form: _Form, where: str, item: Mapping[str, Any]) -> None:
    for name in form.required:
        if name not in item:
            raise InvalidValue(f"{where} lacks '{name}'.")
    for name, (is_right, wording) in {**form.required, **form.optional}.items():
        if name in item and not is_right(item[name]):
            raise InvalidValue(f"{where}.{name} must be {wording}.")
    if form.route is None or "routes" not in item:
        return
    if not isinstance(item["routes"], list):
        raise InvalidValue(f"{where}.routes must be a list.")
    for number, route in enumerate(item["routes"]):
        if not isinstance(route, Mapping):
            raise InvalidValue(f"{where}.routes[{number}] must be an object.")
        _check(form.route, f"{where}.routes[{number}]", route)


def _check_references(links: Sequence[Mapping[str, Any]], networks: Sequence[Mapping[str, Any]]) -> None:
    names = [link["id"] for link in links]
    for name in names:
        if names.count(name) > 1:
            raise InvalidValue(f"network_data.links has '{name}' twice.")
    wanted = [(f"network_data.networks[{n}].link", network["link"]) for n, network in enumerate(networks)]
    for number, link in enumerate(links):
        where = f"network_data.links[{number}]"
        wanted += [(f"{where}.bond_links", name) for name in link.get("bond_links", ())]
        if "vlan_link" in link:
            wanted.append((f"{where}.vlan_link", link["vlan_link"]))
    for where, name in wanted:
        if name not in names:
            raise InvalidValue(f"{where} names '{name}', which is not among the links.")
