from typing import Any

import pytest

from bessemer.domain.port import Port
from bessemer.domain.portgroup import (
    TENANT_VIF,
    Portgroup,
    check_delete,
    check_member,
    check_update,
)
from bessemer.domain.provision import ProvisionState
from bessemer.kernel.error import Conflict, InvalidValue
from bessemer.kernel.ident import new_uuid
from fakes.store import a_node

NODE = a_node(provision_state=ProvisionState.ACTIVE)
PARKED = a_node(provision_state=ProvisionState.MANAGEABLE)


def a_group(**fields: Any) -> Portgroup:
    return Portgroup(**{"uuid": new_uuid(), "node_uuid": NODE.uuid, "created_at": "", **fields})


def a_port(**fields: Any) -> Port:
    port = {"uuid": new_uuid(), "address": "52:54:00:00:00:01", "node_uuid": NODE.uuid, "created_at": ""}
    return Port(**{**port, **fields})


def test_a_port_of_the_same_node_can_join() -> None:
    check_member(a_group(), {"node_uuid": NODE.uuid, "pxe_enabled": True})


def test_a_port_of_another_node_can_not_join() -> None:
    with pytest.raises(InvalidValue, match="another node"):
        check_member(a_group(), {"node_uuid": new_uuid()})


def test_members_do_not_boot_where_standalone_ports_are_not_supported() -> None:
    group = a_group(standalone_ports_supported=False)
    check_member(group, {"pxe_enabled": False})
    for values in ({"pxe_enabled": True}, {}):
        with pytest.raises(InvalidValue, match="pxe_enabled"):
            check_member(group, values)


def test_members_are_on_one_physical_network() -> None:
    check_member(a_group(physical_network="a"), {"physical_network": "a"})
    check_member(a_group(physical_network="a"), {})
    check_member(a_group(), {"physical_network": "a"}, [a_port()])
    with pytest.raises(Conflict, match="on physical network a, not b"):
        check_member(a_group(physical_network="a"), {"physical_network": "b"})
    with pytest.raises(Conflict, match="on physical network a, not b"):
        check_member(a_group(), {"physical_network": "b"}, [a_port(physical_network="a")])


@pytest.mark.parametrize(
    "port", [{"pxe_enabled": True}, {"pxe_enabled": False, "internal_info": {TENANT_VIF: "v"}}]
)
def test_standalone_support_stays_while_a_member_stands_alone(port: dict[str, Any]) -> None:
    with pytest.raises(Conflict, match="pxe_enabled or in use"):
        check_update(NODE, a_group(), {"standalone_ports_supported": False}, [a_port(**port)])


def test_standalone_support_can_end_when_no_member_needs_it() -> None:
    check_update(NODE, a_group(), {"standalone_ports_supported": False}, [a_port(pxe_enabled=False)])
    group = a_group(standalone_ports_supported=False)
    check_update(NODE, group, {"standalone_ports_supported": False}, [a_port()])


def test_a_group_moves_only_when_it_is_empty_and_its_node_is_parked() -> None:
    move = {"node_uuid": new_uuid()}
    check_update(PARKED, a_group(), move, [])
    check_update(a_node(provision_state=ProvisionState.ACTIVE, maintenance=True), a_group(), move, [])
    with pytest.raises(InvalidValue, match="has ports"):
        check_update(PARKED, a_group(), move, [a_port()])
    with pytest.raises(Conflict, match="active"):
        check_update(NODE, a_group(), move, [])
    check_update(NODE, a_group(), {"node_uuid": NODE.uuid, "address": None}, [a_port()])


def test_a_group_with_ports_stays() -> None:
    check_delete(a_group(), [])
    with pytest.raises(InvalidValue, match="still has ports"):
        check_delete(a_group(), iter([a_port()]))
