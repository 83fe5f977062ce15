"""Paths of Redfish resources as figures and traces name them: few, whatever the machines are called."""

import pytest

from bessemer.hardware.redfish.template import path_template


@pytest.mark.parametrize(
    ("path", "template"),
    [
        ("/redfish/v1", "/redfish/v1"),
        ("/redfish/v1/", "/redfish/v1"),
        ("/redfish/v1/Systems", "/redfish/v1/Systems"),
        ("/redfish/v1/Systems/Self", "/redfish/v1/Systems/{id}"),
        ("/redfish/v1/Systems/437XR1138R2?$expand=.", "/redfish/v1/Systems/{id}"),
        (
            "/redfish/v1/Systems/1/Actions/ComputerSystem.Reset",
            "/redfish/v1/Systems/{id}/Actions/ComputerSystem.Reset",
        ),
        (
            "/redfish/v1/Systems/System.Embedded.1/Storage/RAID.Slot.1-1/Volumes/Disk.Virtual.0:RAID.Slot.1-1",
            "/redfish/v1/Systems/{id}/Storage/{id}/Volumes/{id}",
        ),
        ("/redfish/v1/Managers/BMC/VirtualMedia/Cd", "/redfish/v1/Managers/{id}/VirtualMedia/{id}"),
        ("/redfish/v1/Oem/Vendor/Thing-4711/State", "/redfish/v1/Oem/Vendor/{id}/State"),
        ("/redfish/v1/TaskService/Tasks/abc", "/redfish/v1/TaskService/Tasks/{id}"),
        ("/" + "a/" * 40, "other"),
    ],
)
def test_a_path_is_told_without_what_differs_between_machines(path: str, template: str) -> None:
    assert path_template(path) == template
