"""Which ports are right, and which changes they take in which state of their node."""

from typing import Any

import pytest

from bessemer.domain.port import Port
from bessemer.domain.provision import ProvisionState
from bessemer.kernel.error import Conflict, InvalidValue
from bessemer.service import port_rule
from fakes.store import LONG_AGO, a_node

S = ProvisionState
NODE = a_node()


def a_port(**fields: Any) -> Port:
    return Port(
        **{"uuid": "p", "address": "aa:bb:cc:00:11:22", "node_uuid": "n", "created_at": LONG_AGO, **fields}
    )


@pytest.mark.parametrize(
    "link",
    [
        {},
        {"network_type": "unmanaged"},
        {"switch_id": "aa:bb:cc:00:11:22", "port_id": "eth1"},
        {"switch_id": "00000000deadbeef", "port_id": "eth1", "switch_info": "x", "network_type": "managed"},
        {"hostname": "smart", "port_id": "rep0"},
        {"port_id": "p", "vtep-logical-switch": "l", "vtep-physical-switch": "s"},
    ],
)
def test_known_forms_of_a_link_are_taken(link: dict[str, Any]) -> None:
    port_rule.check_values({"local_link_connection": link})


@pytest.mark.parametrize(
    "link",
    [
        {"zork": 1},
        {"port_id": "eth1"},
        {"switch_id": "aa:bb:cc:00:11:22"},
        {"switch_id": "nope", "port_id": "eth1"},
        {"switch_id": 5, "port_id": "eth1"},
        {"network_type": "managed"},
        {"network_type": "other", "switch_id": "aa:bb:cc:00:11:22", "port_id": "eth1"},
    ],
)
def test_other_forms_of_a_link_are_refused(link: dict[str, Any]) -> None:
    with pytest.raises(InvalidValue):
        port_rule.check_values({"local_link_connection": link})


def test_a_smart_nic_says_where_it_is_and_is_in_no_group() -> None:
    link = {"hostname": "smart", "port_id": "rep0"}
    port_rule.check_values({"is_smartnic": True, "local_link_connection": link})
    with pytest.raises(InvalidValue):
        port_rule.check_values({"is_smartnic": True, "local_link_connection": {}})
    with pytest.raises(InvalidValue):
        port_rule.check_values({"is_smartnic": True, "local_link_connection": link, "portgroup_uuid": "g"})


@pytest.mark.parametrize("changes", [{"pxe_enabled": False}, {"physical_network": "net"}])
def test_connectivity_changes_only_in_quiet_states_or_maintenance(changes: dict[str, Any]) -> None:
    for state in (S.ENROLL, S.MANAGEABLE, S.INSPECT_WAIT):
        port_rule.check_update(a_node(provision_state=state), a_port(), changes)
    port_rule.check_update(a_node(provision_state=S.ACTIVE, maintenance=True), a_port(), changes)
    for state in (S.AVAILABLE, S.ACTIVE):
        with pytest.raises(Conflict):
            port_rule.check_update(a_node(provision_state=state), a_port(), changes)


def test_the_address_stays_while_there_is_an_instance() -> None:
    changes = {"address": "aa:bb:cc:00:11:99"}
    port_rule.check_update(a_node(), a_port(), changes)
    for node in (a_node(provision_state=S.ACTIVE), a_node(instance_uuid="i")):
        with pytest.raises(Conflict, match="address"):
            port_rule.check_update(node, a_port(), changes)


def test_a_port_in_use_neither_moves_nor_goes() -> None:
    used = a_port(internal_info={port_rule.TENANT_VIF: "v"})
    with pytest.raises(Conflict):
        port_rule.check_update(NODE, used, {"node_uuid": "other"})
    with pytest.raises(Conflict):
        port_rule.check_delete(NODE, used)
    port_rule.check_delete(a_node(maintenance=True), used)
    port_rule.check_delete(NODE, a_port())
