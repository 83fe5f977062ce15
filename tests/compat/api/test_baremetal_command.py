"""What the tour of the ``baremetal`` command leaves out: waiting, older versions, errors in our words."""

import time
from typing import Any

import pytest

from fakes.baremetal_command import Baremetal, CommandFailed


def create(baremetal: Baremetal, name: str, *more: str) -> dict[str, Any]:
    node: dict[str, Any] = baremetal(
        "node", "create", "--driver", "fake-hardware", "--name", name, *more, json_output=True
    )
    return node


def show(baremetal: Baremetal, name: str) -> dict[str, Any]:
    node: dict[str, Any] = baremetal("node", "show", name, json_output=True)
    return node


def wait_for(baremetal: Baremetal, name: str, field: str, value: str) -> None:
    """Look until it is there; the command's own wait looks every ten seconds."""
    deadline = time.monotonic() + 60
    node = show(baremetal, name)
    while node[field] != value or node["target_power_state"] is not None:
        assert time.monotonic() < deadline, f"{field} is {node[field]}, not {value}: {node['last_error']}"
        node = show(baremetal, name)


def test_an_error_of_ours_reaches_the_person_who_asked(baremetal: Baremetal) -> None:
    with pytest.raises(CommandFailed, match="Enabled drivers: fake-hardware, redfish"):
        baremetal("node", "create", "--driver", "zork")


def test_an_older_client_is_understood(baremetal: Baremetal) -> None:
    create(baremetal, "older")
    for version in ("1.6", "1.30", "1.61"):
        node = baremetal("--os-baremetal-api-version", version, "node", "show", "older", json_output=True)
        assert node["name"] == "older"
    baremetal("node", "delete", "older")


def test_an_allocation_is_granted_deployed_and_ended_with_the_instance(baremetal: Baremetal) -> None:
    node = create(baremetal, "allocated", "--resource-class", "given")
    for verb, state in (("manage", "manageable"), ("provide", "available")):
        baremetal("node", verb, "allocated")
        wait_for(baremetal, "allocated", "provision_state", state)
    made = baremetal(
        "allocation",
        "create",
        "--resource-class",
        "given",
        "--name",
        "mine",
        "--wait",
        "60",
        json_output=True,
    )
    assert (made["state"], made["node_uuid"]) == ("active", node["uuid"])
    baremetal("allocation", "set", "mine", "--extra", "a=1", "--name", "yours")
    baremetal("allocation", "unset", "yours", "--extra", "a")
    shown = baremetal("allocation", "show", "yours", json_output=True)
    assert (shown["uuid"], shown["extra"]) == (made["uuid"], {})
    baremetal("node", "deploy", "allocated")
    wait_for(baremetal, "allocated", "provision_state", "active")
    with pytest.raises(CommandFailed, match="needs its allocation"):
        baremetal("allocation", "delete", "yours")
    baremetal("node", "undeploy", "allocated")
    wait_for(baremetal, "allocated", "provision_state", "available")
    listed = baremetal("allocation", "list", "--resource-class", "given", json_output=True)
    assert (listed, show(baremetal, "allocated")["allocation_uuid"]) == ([], None)
    with pytest.raises(CommandFailed, match="No node has"):
        baremetal("allocation", "create", "--resource-class", "none", "--name", "vain", "--wait", "60")
    baremetal("allocation", "delete", "vain")
    baremetal("node", "manage", "allocated", "--wait", "60")
    baremetal("node", "delete", "allocated")
