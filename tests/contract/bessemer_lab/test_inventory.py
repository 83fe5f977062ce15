"""What a BMC tells of its machine."""

from typing import Any

from bessemer_lab.machine import Machine
from fakes.bmc_client import Client


async def read_members(client: Client, name: str) -> list[Any]:
    collection = await client.get(f"{client.machine.system_path}/{name}")
    assert collection["Members@odata.count"] == len(collection["Members"])
    return [await client.get(member["@odata.id"]) for member in collection["Members"]]


async def test_every_resource_is_reached_by_links_and_names_itself(client: Client) -> None:
    seen: set[str] = set()
    waiting = ["/redfish/v1/"]
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        body = await client.get(path)
        assert body["@odata.id"] == path
        assert body["@odata.type"].startswith("#")
        assert body["Name"]
        waiting += find_links(body)
    assert len(seen) > 25


def find_links(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["@odata.id"]] if "@odata.id" in value and "#" not in value["@odata.id"] else []
        return own + [link for part in value.values() for link in find_links(part)]
    return [link for part in value for link in find_links(part)] if isinstance(value, list) else []


async def test_the_summary_says_how_big_the_machine_is(client: Client) -> None:
    system = await client.get()
    assert system["UUID"] == client.machine.uuid
    assert system["MemorySummary"]["TotalSystemMemoryGiB"] == 2
    assert system["ProcessorSummary"]["LogicalProcessorCount"] == 2
    (processor,) = await read_members(client, "Processors")
    assert (processor["TotalThreads"], processor["InstructionSet"]) == (2, "x86-64")
    (memory,) = await read_members(client, "Memory")
    assert memory["CapacityMiB"] == 2048


async def test_network_interfaces_have_the_addresses_the_guest_sees(client: Client) -> None:
    first, second = await read_members(client, "EthernetInterfaces")
    assert (first["MACAddress"], first["LinkStatus"]) == ("52:54:00:aa:00:01", "LinkUp")
    assert (second["MACAddress"], second["LinkStatus"]) == (client.machine.macs[1], "NoLink")


async def test_drives_have_size_and_identity(client: Client) -> None:
    scsi, nvme = await read_members(client, "Storage")
    (drive,) = [await client.get(link["@odata.id"]) for link in scsi["Drives"]]
    assert (drive["CapacityBytes"], drive["SerialNumber"], drive["Model"]) == (10 << 30, "SER-0", "TEST-DISK")
    assert drive["Identifiers"] == [{"DurableName": "5000C50012345678", "DurableNameFormat": "NAA"}]
    assert (drive["MediaType"], drive["RotationSpeedRPM"]) == ("HDD", 7200)
    (drive,) = [await client.get(link["@odata.id"]) for link in nvme["Drives"]]
    assert (drive["CapacityBytes"], drive["MediaType"], drive["Protocol"]) == (20 << 30, "SSD", "NVMe")


async def test_simple_storage_has_the_same_disks(client: Client) -> None:
    devices = [device for part in await read_members(client, "SimpleStorage") for device in part["Devices"]]
    assert [device["CapacityBytes"] for device in devices] == [10 << 30, 20 << 30]


async def test_bios_attributes_change_at_the_next_boot(client: Client, machine: Machine) -> None:
    bios, settings = f"{machine.system_path}/Bios", f"{machine.system_path}/Bios/Settings"
    assert (await client.patch({"Attributes": {"NumLock": "Off"}}, settings)).status == 200
    assert (await client.get(bios))["Attributes"]["NumLock"] == "On"
    assert (await client.get(settings))["Attributes"]["NumLock"] == "Off"
    await machine.power_on()
    assert (await client.get(bios))["Attributes"]["NumLock"] == "Off"
    assert (await client.ask("POST", f"{bios}/Actions/Bios.ResetBios", {})).status == 204
    await machine.power_off()
    await machine.power_on()
    assert (await client.get(bios))["Attributes"]["NumLock"] == "On"


async def test_unknown_bios_attributes_and_values_are_refused(client: Client) -> None:
    settings = f"{client.machine.system_path}/Bios/Settings"
    assert (await client.patch({"Attributes": {"Turbo": "On"}}, settings)).message_id == "PropertyUnknown"
    answer = await client.patch({"Attributes": {"NumLock": "Maybe"}}, settings)
    assert answer.message_id == "PropertyValueNotInList"
    assert (await client.patch({"Attributes": "x"}, settings)).message_id == "PropertyValueTypeError"


async def test_secure_boot_takes_effect_at_the_next_power_on(client: Client, machine: Machine) -> None:
    path = f"{machine.system_path}/SecureBoot"
    assert (await client.get(path))["SecureBootMode"] == "UserMode"
    await client.patch({"SecureBootEnable": True}, path)
    assert (await client.get(path))["SecureBootCurrentBoot"] == "Disabled"
    await machine.power_on()
    assert (await client.get(path))["SecureBootCurrentBoot"] == "Enabled"
    action = (await client.get(path))["Actions"]["#SecureBoot.ResetKeys"]["target"]
    assert (await client.ask("POST", action, {"ResetKeysType": "DeleteAllKeys"})).status == 204
    assert (await client.get(path))["SecureBootMode"] == "SetupMode"


async def test_led_and_asset_tag_are_kept(client: Client) -> None:
    answer = await client.patch({"IndicatorLED": "Blinking", "AssetTag": "rack 7"})
    assert answer.status == 200
    system = await client.get()
    assert (system["IndicatorLED"], system["AssetTag"]) == ("Blinking", "rack 7")
