"""Vendors in figures: learned along the way, and few."""

import pytest

from bessemer.config.settings import RedfishSettings
from bessemer.hardware.redfish.access import read_access
from bessemer.hardware.redfish.failure import BmcRefused
from bessemer.hardware.redfish.pool import BmcPool
from bessemer.hardware.redfish.vendor import vendor_of
from bessemer.kernel.metric import REGISTRY, vendor_label
from fakes.scripted_bmc import SYSTEM, ScriptedBmc
from fakes.task import make_task


@pytest.mark.parametrize(
    ("body", "vendor"),
    [
        ({"@odata.type": "#ServiceRoot.v1_15_0.ServiceRoot", "Vendor": "HPE"}, "HPE"),
        ({"@odata.type": "#ComputerSystem.v1_20_0.ComputerSystem", "Manufacturer": "Dell Inc."}, "Dell Inc."),
        ({"@odata.type": "#Drive.v1_0_0.Drive", "Manufacturer": "Seagate"}, None),
        ({"@odata.type": "#ServiceRoot.v1_15_0.ServiceRoot", "Vendor": ["HPE"]}, None),
        ({}, None),
    ],
)
def test_a_vendor_is_told_by_the_service_root_or_the_system(body: dict, vendor: str | None) -> None:
    assert vendor_of(body) == vendor


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("Dell Inc.", "dell"), ("Hewlett Packard Enterprise", "hpe"), ("HPE", "hpe"),
        ("Supermicro", "supermicro"), ("A Garage", "other"), ("", "unknown"), (None, "unknown"),
    ],
)  # fmt: skip
def test_only_the_usual_vendors_have_labels_of_their_own(name: str | None, label: str) -> None:
    assert vendor_label(name) == label


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


async def test_calls_and_errors_are_counted_by_vendor(scripted: ScriptedBmc, pool: BmcPool) -> None:
    scripted.resources[SYSTEM]["Manufacturer"] = "Supermicro"
    scripted.resources[SYSTEM]["@odata.type"] = "#ComputerSystem.v1_20_0.ComputerSystem"
    node = make_task(driver_info=scripted.driver_info()).node
    bmc = pool.connection(read_access(node, RedfishSettings()))
    calls = {"vendor": "supermicro", "method": "GET"}
    before = value("bessemer_bmc_request_duration_seconds_count", **calls)
    await bmc.get(SYSTEM)
    await bmc.get(SYSTEM)
    with pytest.raises(BmcRefused) as refused:
        await bmc.get("/redfish/v1/Nothing")
    assert value("bessemer_bmc_request_duration_seconds_count", **calls) == before + 2
    assert value("bessemer_bmc_errors_total", vendor="supermicro", code=refused.value.code) == 1
