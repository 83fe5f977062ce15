"""What inspection makes of what BMCs tell, and leave out."""

import pytest

from bessemer.hardware.redfish.inspect import RedfishInspect, with_capability
from bessemer.hardware.redfish.management import RedfishManagement
from bessemer.kernel.error import DeviceError
from bessemer_lab.spec import DiskSpec, MachineSpec, NicSpec
from fakes.lab_bmc import lab_bmc
from fakes.scripted_bmc import SYSTEM, error, system_body
from fakes.task import make_task

GIB = 2**30


def link(name):
    return {name: {"@odata.id": f"{SYSTEM}/{name}"}}


def add_collection(bmc, name: str, *members: dict, body: dict | None = None) -> None:
    paths = [f"{SYSTEM}/{name}/{number}" for number in range(len(members))]
    bmc.resources[f"{SYSTEM}/{name}"] = {"Members": [{"@odata.id": path} for path in paths]}
    bmc.resources.update(zip(paths, members, strict=True))
    bmc.resources[SYSTEM] = {**bmc.resources[SYSTEM], **link(name), **(body or {})}


async def inspect(bmc, pool, **fields):
    return await RedfishInspect(pool).inspect(make_task(driver_info=bmc.driver_info(), **fields))


async def test_everything_a_virtual_server_has_is_found(pool, tmp_path) -> None:
    spec = MachineSpec(
        name="m",
        memory_mib=2048,
        processors=2,
        disks=(DiskSpec(size_gib=8), DiskSpec(size_gib=6)),
        nics=(NicSpec(mac="52:54:00:00:00:01"), NicSpec(mac="52:54:00:00:00:02")),
    )
    async with lab_bmc(tmp_path, spec) as lab:
        found = await inspect(lab, pool, properties={"capabilities": "boot_mode:bios,rack:7"})
    assert found.properties == {
        "cpus": 2,
        "cpu_arch": "x86_64",
        "memory_mb": 2048,
        "local_gb": 6,
        "vendor": "Bessemer",
        "capabilities": "rack:7,boot_mode:uefi",
    }
    assert found.macs == ("52:54:00:00:00:01", "52:54:00:00:00:02")
    inventory = found.inventory
    assert inventory["memory"] == {"physical_mb": 2048}
    assert inventory["cpu"]["count"] == 2
    assert sorted(disk["size"] for disk in inventory["disks"]) == [6 * GIB, 8 * GIB]
    assert [i["mac_address"] for i in inventory["interfaces"]] == list(found.macs)
    assert inventory["system_vendor"]["product_name"] == "Virtual Server"
    assert inventory["boot"] == {"current_boot_mode": "uefi"}


async def test_a_bmc_that_tells_nothing_leaves_the_properties_alone(scripted, pool) -> None:
    found = await inspect(scripted, pool)
    assert found.properties == {}
    assert found.macs == ()
    assert found.inventory["disks"] == []


@pytest.mark.parametrize("trouble", [error(500, "Broken."), error(404, "Gone."), error(501, "Not yet.")])
async def test_a_part_that_the_bmc_cannot_show_does_not_spoil_the_rest(scripted, pool, trouble) -> None:
    scripted.resources[SYSTEM] = system_body(
        MemorySummary={"TotalSystemMemoryGiB": 1.5}, **link("Storage"), **link("SimpleStorage")
    )
    scripted.on(f"GET {SYSTEM}/Storage", trouble)
    add_collection(scripted, "SimpleStorage", {"Devices": [{"Name": "sda", "CapacityBytes": 10 * GIB}]})
    found = await inspect(scripted, pool)
    assert found.properties == {"memory_mb": 1536, "local_gb": 10}


async def test_refused_rights_are_not_taken_for_a_missing_part(scripted, pool) -> None:
    scripted.resources[SYSTEM] = system_body(**link("Storage"))
    scripted.on(f"GET {SYSTEM}/Storage", error(403, "No."))
    with pytest.raises(DeviceError, match="does not allow"):
        await inspect(scripted, pool)


async def test_a_malformed_number_is_an_error_not_a_guess(scripted, pool) -> None:
    scripted.resources[SYSTEM] = system_body(MemorySummary={"TotalSystemMemoryGiB": "lots"})
    with pytest.raises(DeviceError, match="MemorySummary/TotalSystemMemoryGiB = 'lots'"):
        await inspect(scripted, pool)


async def test_drives_are_described_as_the_agent_would(scripted, pool) -> None:
    drives = [
        {
            "Id": "0",
            "Name": "Disk 0",
            "CapacityBytes": 100 * GIB,
            "MediaType": "SSD",
            "Model": "M",
            "SerialNumber": "S",
            "Manufacturer": "V",
            "Identifiers": [{"DurableName": "50:00:C5:00", "DurableNameFormat": "NAA"}],
        },
        {"Id": "1", "CapacityBytes": 2 * GIB, "MediaType": "HDD"},
        {"Id": "2", "CapacityBytes": None},
        {"Id": "3", "CapacityBytes": 50 * GIB, "Status": {"State": "Absent"}},
    ]
    paths = [f"{SYSTEM}/Drives/{number}" for number in range(4)]
    scripted.resources.update(zip(paths, drives, strict=True))
    add_collection(scripted, "Storage", {"Drives": [{"@odata.id": path} for path in paths]})
    found = await inspect(scripted, pool)
    assert found.inventory["disks"] == [
        {
            "name": "Disk 0",
            "size": 100 * GIB,
            "model": "M",
            "serial": "S",
            "vendor": "V",
            "rotational": False,
            "wwn": "0x5000c500",
        },
        {"name": "1", "size": 2 * GIB, "rotational": True},
    ]
    assert found.properties["local_gb"] == 100


@pytest.mark.parametrize(
    ("summary", "processors", "count"),
    [
        ({"LogicalProcessorCount": 64, "Count": 2}, [{"TotalThreads": 8}], 64),
        ({"Count": 2}, [{"TotalThreads": 16}, {"TotalThreads": 16}], 32),
        ({"Count": 2}, [{"TotalCores": 8}, {"TotalCores": 8}], 16),
        ({"Count": 2}, [], 2),
        ({}, [{}, {"ProcessorType": "GPU"}, {"Status": {"State": "Absent"}}], 1),
    ],
)
async def test_processors_are_counted_as_an_operating_system_would(
    *, scripted, pool, summary, processors, count
) -> None:
    add_collection(scripted, "Processors", *processors, body={"ProcessorSummary": summary})
    assert (await inspect(scripted, pool)).properties["cpus"] == count


async def test_cards_that_are_off_or_have_no_address_are_left_out(scripted, pool) -> None:
    add_collection(
        scripted,
        "EthernetInterfaces",
        {"Id": "1", "MACAddress": "AA-BB-CC-00-00-01", "LinkStatus": "LinkUp", "SpeedMbps": 1000},
        {"Id": "2", "MACAddress": "AA:BB:CC:00:00:02", "Status": {"State": "Disabled"}},
        {"Id": "3", "MACAddress": None},
        {"Id": "4", "MACAddress": "00:00:00:00:00:00"},
        {"Id": "5", "PermanentMACAddress": "AA:BB:CC:00:00:05", "MACAddress": "02:00:00:00:00:05"},
        {"Id": "6", "MACAddress": "aa:bb:cc:00:00:01"},
    )
    found = await inspect(scripted, pool)
    assert found.macs == ("aa:bb:cc:00:00:01", "aa:bb:cc:00:00:05")
    assert found.inventory["interfaces"][0] == {
        "name": "1",
        "mac_address": "aa:bb:cc:00:00:01",
        "has_carrier": True,
    }


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "boot_mode:uefi"),
        ("a:1,boot_mode:bios,b:2", "a:1,b:2,boot_mode:uefi"),
        ("a:1", "a:1,boot_mode:uefi"),
    ],
)
def test_one_capability_is_set_and_the_others_stay(before, after) -> None:
    assert with_capability(before, "boot_mode", "uefi") == after


async def test_sensors_of_the_chassis_are_read_and_absent_ones_left_out(scripted, pool) -> None:
    scripted.resources[SYSTEM] = system_body(Links={"Chassis": [{"@odata.id": "/redfish/v1/Chassis/1"}]})
    thermal = {"Thermal": {"@odata.id": "/redfish/v1/Chassis/1/Thermal"}}
    scripted.resources["/redfish/v1/Chassis/1"] = {"Id": "box", **thermal}
    good = {"State": "Enabled", "Health": "OK"}
    scripted.resources["/redfish/v1/Chassis/1/Thermal"] = {
        "Temperatures": [
            {"Name": "CPU", "ReadingCelsius": 41, "Status": good},
            {"Name": "CPU 2", "Status": {"State": "Absent"}},
        ],
        "Fans": [{"FanName": "Fan 1", "Reading": 5000, "ReadingUnits": "RPM", "Status": good}],
    }
    sensors = await RedfishManagement(pool).get_sensors(make_task(driver_info=scripted.driver_info()))
    assert sensors == {
        "Temperature": {
            "CPU@box": {"sensor_reading": 41, "units": "Celsius", "state": "Enabled", "health": "OK"}
        },
        "Fan": {"Fan 1@box": {"sensor_reading": 5000, "units": "RPM", "state": "Enabled", "health": "OK"}},
    }


@pytest.mark.parametrize(
    ("status", "health"),
    [
        ({"Health": "OK", "HealthRollup": "Critical"}, "Critical"),
        ({"Health": "Warning"}, "Warning"),
        ({}, None),
    ],
)
async def test_health_is_that_of_the_whole_machine_where_it_is_told(scripted, pool, status, health) -> None:
    scripted.resources[SYSTEM] = system_body(Status=status)
    task = make_task(driver_info=scripted.driver_info())
    assert await RedfishManagement(pool).get_health(task) == health
