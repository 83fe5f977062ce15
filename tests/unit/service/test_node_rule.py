"""Which changes a node's record takes in which state."""

from typing import Any

import pytest

from bessemer.domain.node import Node
from bessemer.domain.provision import ProvisionState
from bessemer.kernel.error import Conflict, Forbidden, InvalidValue
from bessemer.service import node_rule
from fakes.store import a_node

S = ProvisionState
INSTANCE = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"


def update(node: Node, *, is_only_leaving: bool = False, **changes: Any) -> None:
    node_rule.check_update(node, changes, is_only_leaving=is_only_leaving)


@pytest.mark.parametrize("name", sorted(node_rule.RESERVED_NAMES))
def test_parts_of_addresses_are_no_names(name: str) -> None:
    with pytest.raises(InvalidValue, match=name):
        node_rule.check_values({"name": name})


@pytest.mark.parametrize("value", [-1, 1.5, "-1", "1.5", "many", True, [1]])
@pytest.mark.parametrize("key", ["memory_mb", "local_gb"])
def test_sizes_are_counts(key: str, value: object) -> None:
    with pytest.raises(InvalidValue, match=key):
        node_rule.check_values({"properties": {key: value}})


@pytest.mark.parametrize("value", [0, 1024, "1024", None])
def test_a_size_may_be_a_number_a_text_or_unknown(value: object) -> None:
    node_rule.check_values({"properties": {"memory_mb": value, "cpus": "many"}})


@pytest.mark.parametrize(
    "document",
    [
        {"zork": []},
        {"links": {}},
        {"links": ["x"]},
        {"links": [{"id": "a"}]},
        {"networks": [{"id": "n", "type": "ipv4"}]},
        {"services": [{"address": "192.0.2.1"}]},
    ],
)
def test_network_data_must_have_the_known_form(document: object) -> None:
    with pytest.raises(InvalidValue, match="network_data"):
        node_rule.check_values({"network_data": document})


def test_network_data_of_the_known_form_is_fine() -> None:
    link = {"id": "port0", "type": "phy", "ethernet_mac_address": "aa:bb:cc:00:11:22"}
    network = {"id": "n0", "type": "ipv4_dhcp", "link": "port0", "network_id": "net"}
    service = {"type": "dns", "address": "192.0.2.53"}
    document = {"links": [link], "networks": [network], "services": [service]}
    node_rule.check_values({"network_data": document})


@pytest.mark.parametrize("flag", ["protected", "retired"])
def test_a_reason_needs_what_it_is_the_reason_of(flag: str) -> None:
    node_rule.check_reasons({flag: True, f"{flag}_reason": "so"})
    with pytest.raises(InvalidValue, match=f"{flag}_reason"):
        node_rule.check_reasons({flag: False, f"{flag}_reason": "so"})


@pytest.mark.parametrize("state", [S.DEPLOYING, S.DEPLOY_WAIT, S.CLEANING, S.CLEAN_WAIT, S.DELETING])
def test_a_node_on_its_way_is_not_updated(state: ProvisionState) -> None:
    node = a_node(provision_state=state, target_provision_state=S.AVAILABLE)
    with pytest.raises(Conflict, match="in progress"):
        update(node, extra={})


@pytest.mark.parametrize("state", [S.DEPLOY_FAILED, S.CLEAN_FAILED, S.INSPECT_FAILED, S.VERIFYING])
def test_a_node_that_failed_on_its_way_is_updated(state: ProvisionState) -> None:
    update(a_node(provision_state=state, target_provision_state=S.ACTIVE), extra={})


def test_an_instance_may_leave_a_node_in_maintenance_that_is_on_its_way() -> None:
    node = a_node(
        provision_state=S.DEPLOY_WAIT,
        target_provision_state=S.ACTIVE,
        instance_uuid=INSTANCE,
        maintenance=True,
    )
    update(node, instance_uuid=None, is_only_leaving=True)
    with pytest.raises(Conflict):
        update(node, extra={})


@pytest.mark.parametrize("changes", [{"boot_interface": "other"}, {"driver": "redfish"}])
def test_interfaces_and_driver_change_only_in_quiet_states_or_maintenance(changes: dict[str, str]) -> None:
    for state in (S.ENROLL, S.MANAGEABLE, S.AVAILABLE):
        update(a_node(provision_state=state, boot_interface="fake"), **changes)
    update(a_node(provision_state=S.ACTIVE, maintenance=True), **changes)
    with pytest.raises(Conflict):
        update(a_node(provision_state=S.ACTIVE), **changes)


def test_naming_the_present_interfaces_is_no_change() -> None:
    node = a_node(provision_state=S.ACTIVE, boot_interface="fake")
    update(node, boot_interface="fake", driver="fake-hardware")


def test_a_resource_class_has_no_maintenance_escape() -> None:
    with pytest.raises(Conflict, match="resource class"):
        update(
            a_node(provision_state=S.ACTIVE, maintenance=True, resource_class="iron"), resource_class="gold"
        )


def test_a_node_without_a_resource_class_gets_one_in_any_state() -> None:
    update(a_node(provision_state=S.ACTIVE), resource_class="gold")


def test_the_driver_stays_while_the_console_is_on() -> None:
    with pytest.raises(Conflict, match="console"):
        update(a_node(console_enabled=True), driver="redfish")


def test_an_instance_is_not_overwritten() -> None:
    node = a_node(instance_uuid=INSTANCE)
    update(node, instance_uuid=INSTANCE)
    update(node, instance_uuid=None)
    with pytest.raises(Conflict, match="instance_uuid"):
        update(node, instance_uuid=INSTANCE[:-1] + "9")


def test_only_deployed_nodes_can_be_protected_and_available_ones_not_retired() -> None:
    update(a_node(provision_state=S.ACTIVE), protected=True)
    update(a_node(provision_state=S.MANAGEABLE), retired=True)
    with pytest.raises(Conflict):
        update(a_node(provision_state=S.MANAGEABLE), protected=True)
    with pytest.raises(Conflict, match="manageable"):
        update(a_node(provision_state=S.AVAILABLE), retired=True)


@pytest.mark.parametrize("state", [S.ENROLL, S.MANAGEABLE, S.ADOPT_FAILED, S.AVAILABLE])
def test_a_quiet_node_can_be_deleted(state: ProvisionState) -> None:
    node_rule.check_delete(a_node(provision_state=state), allow_available=True)


def test_deleting_has_its_guards() -> None:
    def refused(kind: type[Exception], **fields: Any) -> None:
        with pytest.raises(kind):
            node_rule.check_delete(a_node(**fields), allow_available=False)

    refused(Conflict, provision_state=S.AVAILABLE)
    refused(Conflict, provision_state=S.ACTIVE)
    refused(Conflict, instance_uuid=INSTANCE)
    refused(Forbidden, protected=True, maintenance=True)
    node_rule.check_delete(
        a_node(provision_state=S.ACTIVE, instance_uuid=INSTANCE, maintenance=True), allow_available=False
    )


@pytest.mark.parametrize(
    ("before", "given", "after"),
    [
        ({}, {"instance_name": "a"}, {"instance_name": "a"}),
        ({}, {"instance_info": {"display_name": "a"}},
         {"instance_info": {"display_name": "a"}, "instance_name": "a"}),
        ({"instance_name": "a"}, {"instance_name": None, "instance_info": {"display_name": "b"}},
         {"instance_info": {"display_name": "b"}, "instance_name": "b"}),
        ({"instance_name": "a"}, {"instance_info": {}}, {"instance_info": {}}),
        ({"instance_name": "a"}, {"instance_info": {"display_name": "b"}},
         {"instance_info": {"display_name": "b"}}),
        ({}, {"instance_info": {"display_name": ["a"]}}, {"instance_info": {"display_name": ["a"]}}),
        ({}, {"extra": {}}, {"extra": {}}),
    ],
)  # fmt: skip
def test_an_instance_without_a_name_takes_its_display_name(
    before: dict[str, Any], given: dict[str, Any], after: dict[str, Any]
) -> None:
    assert node_rule.follow_display_name(a_node(**before), given) == after
