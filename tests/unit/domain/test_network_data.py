from copy import deepcopy
from typing import Any

import pytest

from bessemer.domain.network_data import check_network_data
from bessemer.kernel.error import InvalidValue

MAC = "52:54:00:d3:6a:71"
DOCUMENT: dict[str, Any] = {
    "links": [
        {"id": "eth0", "type": "phy", "ethernet_mac_address": MAC, "mtu": 9000, "vif_id": "v"},
        {"id": "eth1", "type": "phy", "ethernet_mac_address": "52-54-00-D3-6A-72", "mtu": None, "x": "y"},
        {
            "id": "bond0",
            "type": "bond",
            "ethernet_mac_address": MAC,
            "bond_mode": "802.3ad",
            "bond_links": ["eth0", "eth1"],
        },
        {"id": "vlan5", "type": "vlan", "vlan_mac_address": MAC, "vlan_link": "bond0", "vlan_id": 5},
    ],
    "networks": [
        {
            "id": "n0",
            "type": "ipv4",
            "link": "vlan5",
            "network_id": "n0",
            "ip_address": "192.168.122.42",
            "netmask": "255.255.255.0",
            "routes": [{"network": "10.0.0.0", "netmask": "255.128.0.0", "gateway": "192.168.122.1"}],
        },
        {"id": "n1", "type": "ipv4_dhcp", "link": "eth0", "network_id": "n1"},
        {
            "id": "n2",
            "type": "ipv6",
            "link": "eth0",
            "network_id": "n2",
            "ip_address": "2001:db8::1/64",
            "netmask": "ffff:ffff:ffff:ffff::",
            "routes": [{"network": "::", "netmask": "::", "gateway": "fe80::1"}],
        },
        {"id": "n3", "type": "ipv6_slaac", "link": "eth0", "network_id": "n3"},
    ],
    "services": [{"type": "dns", "address": "8.8.8.8"}, {"type": "dns", "address": "2001:4860:4860::8888"}],
}


def changed(place: str, value: Any) -> dict[str, Any]:
    """The document with ``value`` at a place like ``links/0/mtu``; ... takes it away."""
    document = deepcopy(DOCUMENT)
    *way, last = place.split("/")
    inner: Any = document
    for key in way:
        inner = inner[int(key) if key.isdecimal() else key]
    if value is ...:
        del inner[last]
    else:
        inner[int(last) if last.isdecimal() else last] = value
    return document


@pytest.mark.parametrize("document", [{}, DOCUMENT, {"links": [], "networks": [], "services": []}])
def test_documents_of_the_right_form_are_accepted(document: dict[str, Any]) -> None:
    check_network_data(document)


@pytest.mark.parametrize("document", [None, [], "text", 5])
def test_what_is_no_object_is_refused(document: object) -> None:
    with pytest.raises(InvalidValue, match="object"):
        check_network_data(document)


@pytest.mark.parametrize("part", ["links", "networks", "services"])
def test_each_part_is_a_list_that_must_be_there(part: str) -> None:
    for value in (..., None, {}):
        with pytest.raises(InvalidValue, match=rf"network_data\.{part} must be a list"):
            check_network_data(changed(part, value))


@pytest.mark.parametrize(
    "place",
    [
        "links/0/id", "links/0/ethernet_mac_address", "links/2/bond_mode", "links/2/bond_links",
        "links/3/vlan_id", "links/3/vlan_link", "links/3/vlan_mac_address", "networks/0/id",
        "networks/0/link", "networks/0/network_id", "networks/0/routes/0/gateway", "services/0/address",
    ],
)  # fmt: skip
def test_required_members_are_required(place: str) -> None:
    with pytest.raises(InvalidValue, match=f"lacks '{place.rpartition('/')[2]}'"):
        check_network_data(changed(place, ...))


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("links/0", 5), ("links/0/type", "wifi"), ("links/0/type", ...), ("links/0/type", ["phy"]),
        ("networks/0/type", "ipv5"), ("services/0/type", "ntp"),
    ],
)  # fmt: skip
def test_items_have_a_known_type(place: str, value: object) -> None:
    with pytest.raises(InvalidValue, match="must be an object whose type is one of"):
        check_network_data(changed(place, value))


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("links/0/id", ""), ("links/0/ethernet_mac_address", "52:54"), ("links/0/mtu", 0),
        ("links/0/mtu", "1500"), ("links/0/mtu", True), ("links/2/bond_mode", "lacp"),
        ("links/2/bond_links", []),
        ("links/2/bond_links", [5]), ("links/3/vlan_id", 4095), ("links/3/vlan_id", "5"),
        ("networks/0/ip_address", "192.168.122.256"), ("networks/0/ip_address", "2001:db8::1"),
        ("networks/0/netmask", "255.0.255.0"), ("networks/0/netmask", "24"),
        ("networks/2/ip_address", "1.2.3.4"),
        ("networks/0/routes/0/gateway", "gw"), ("services/0/address", "dns.example"),
    ],
)  # fmt: skip
def test_wrong_values_are_refused_by_place(place: str, value: object) -> None:
    with pytest.raises(InvalidValue, match=rf"\.{place.rpartition('/')[2]} must be"):
        check_network_data(changed(place, value))


@pytest.mark.parametrize("routes", [{}, [5]])
def test_routes_are_a_list_of_objects(routes: object) -> None:
    with pytest.raises(InvalidValue, match="routes"):
        check_network_data(changed("networks/0/routes", routes))


@pytest.mark.parametrize(
    ("place", "value"),
    [("networks/1/link", "eth9"), ("links/2/bond_links", ["eth0", "eth9"]), ("links/3/vlan_link", "eth9")],
)
def test_references_lead_to_links_that_are_there(place: str, value: object) -> None:
    with pytest.raises(InvalidValue, match="'eth9', which is not among the links"):
        check_network_data(changed(place, value))


def test_link_names_are_unique() -> None:
    with pytest.raises(InvalidValue, match="'eth0' twice"):
        check_network_data(changed("links/1/id", "eth0"))
