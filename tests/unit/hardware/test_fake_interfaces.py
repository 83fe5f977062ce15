"""Fakes answer truthfully: what was set is what is told, and what cannot be is refused."""

import pytest

from bessemer.config.settings import FakeSettings
from bessemer.domain.interface import InterfaceType
from bessemer.domain.power import BootMode
from bessemer.domain.step import HardwareStep, StepKind
from bessemer.hardware.absent import NoBios, NoConsole, NoFirmware, NoInspect, NoRaid, NoRescue, NoVendor
from bessemer.hardware.fake.behaviour import Behaviour
from bessemer.hardware.fake.bios import FakeBios
from bessemer.hardware.fake.console import FakeConsole
from bessemer.hardware.fake.firmware import FakeFirmware
from bessemer.hardware.fake.inspect import FakeInspect
from bessemer.hardware.fake.management import FakeManagement
from bessemer.hardware.fake.network import FakeNetwork
from bessemer.hardware.fake.raid import FakeRaid
from bessemer.hardware.fake.rescue import FakeRescue
from bessemer.hardware.fake.storage import FakeStorage
from bessemer.hardware.fake.vendor import FakeVendor
from bessemer.kernel.error import Conflict, InvalidValue, Unsupported
from bessemer.network.noop import NoopNetwork
from bessemer.storage.noop import NoopStorage
from fakes.clock import FakeClock
from fakes.task import make_task

MAC = "52:54:00:12:34:56"
RAID1 = {"size_gb": 100, "raid_level": "1", "is_root_volume": True}
RAID5 = {"size_gb": "MAX", "raid_level": "5"}


@pytest.fixture
def behaviour() -> Behaviour:
    return Behaviour(FakeSettings(), FakeClock())


def a_step(interface: InterfaceType, name: str, **args) -> HardwareStep:
    return HardwareStep(interface=interface, step=name, args=args)


# ---------------------------------------------------------------------- BIOS


async def bios_value(bios, task, name: str) -> str:
    return next(s["value"] for s in await bios.get_settings(task) if s["name"] == name)


async def test_bios_settings_change_and_go_back_to_the_factorys(behaviour) -> None:
    bios, task = FakeBios(behaviour), make_task()
    change = [{"name": "HyperThreading", "value": "Disabled"}, {"name": "NumaNodesPerSocket", "value": 4}]
    await bios.execute(task, a_step(InterfaceType.BIOS, "apply_configuration", settings=change))
    assert await bios_value(bios, task, "HyperThreading") == "Disabled"
    assert await bios_value(bios, task, "NumaNodesPerSocket") == "4"
    await bios.execute(task, a_step(InterfaceType.BIOS, "factory_reset"))
    assert await bios_value(bios, task, "HyperThreading") == "Enabled"


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"name": "Turbo", "value": "on"}, "no BIOS setting 'Turbo'"),
        ({"name": "HyperThreading", "value": "Maybe"}, "cannot be 'Maybe'"),
        ({"name": "NumaNodesPerSocket", "value": "9"}, "from 1 to 8"),
        ({"name": "NumaNodesPerSocket", "value": "many"}, "cannot be 'many'"),
        ({"name": "SerialNumber", "value": "1"}, "read-only"),
        ({"name": "HyperThreading"}, "objects with 'name' and 'value'"),
        ("HyperThreading", "objects with 'name' and 'value'"),
    ],
)
async def test_bios_settings_that_cannot_be_are_refused_and_change_nothing(
    behaviour, setting, message
) -> None:
    bios, task = FakeBios(behaviour), make_task()
    good = {"name": "HyperThreading", "value": "Disabled"}
    with pytest.raises(InvalidValue, match=message):
        await bios.execute(task, a_step(InterfaceType.BIOS, "apply_configuration", settings=[good, setting]))
    assert await bios_value(bios, task, "HyperThreading") == "Enabled"


# ---------------------------------------------------------------------- firmware


async def test_firmware_versions_follow_the_images_flashed(behaviour) -> None:
    firmware, task = FakeFirmware(behaviour), make_task()
    update = [{"component": "bmc", "url": "http://x/bmc/2.7"}]
    await firmware.execute(task, a_step(InterfaceType.FIRMWARE, "update", settings=update))
    bmc = next(c for c in await firmware.get_components(task) if c["component"] == "bmc")
    assert (bmc["initial_version"], bmc["current_version"], bmc["last_version_flashed"]) == (
        "2.0",
        "2.7",
        "2.7",
    )


@pytest.mark.parametrize(
    "settings",
    [
        [],
        [{"component": "gpu", "url": "http://x"}],
        [{"component": "bmc"}],
        [{"component": "bmc", "url": "u", "x": 1}],
    ],
)
async def test_firmware_updates_that_name_nothing_to_update_are_refused(behaviour, settings) -> None:
    step = a_step(InterfaceType.FIRMWARE, "update", settings=settings)
    with pytest.raises(InvalidValue, match=r"[Ff]irmware"):
        await FakeFirmware(behaviour).execute(make_task(), step)


# ---------------------------------------------------------------------- RAID


@pytest.fixture
def raid(behaviour) -> FakeRaid:
    return FakeRaid(behaviour, FakeClock())


async def test_logical_disks_are_made_as_asked_and_deleted(raid) -> None:
    task = make_task(target_raid_config={"logical_disks": [RAID1, RAID5]})
    await raid.execute(task, a_step(InterfaceType.RAID, "create_configuration"))
    made = task.node.raid_config["logical_disks"]
    assert [disk["raid_level"] for disk in made] == ["1", "5"]
    assert len({disk["volume_id"] for disk in made}) == 2
    assert task.node.raid_config["last_updated"].startswith("2026-")
    await raid.execute(task, a_step(InterfaceType.RAID, "delete_configuration"))
    assert task.node.raid_config == {}


async def test_volumes_can_be_added_in_two_goes(raid) -> None:
    task = make_task(target_raid_config={"logical_disks": [RAID1, RAID5]})
    await raid.execute(task, a_step(InterfaceType.RAID, "create_configuration", create_nonroot_volumes=False))
    assert [d["raid_level"] for d in task.node.raid_config["logical_disks"]] == ["1"]
    more = a_step(InterfaceType.RAID, "create_configuration", create_root_volume=False, delete_existing=False)
    await raid.execute(task, more)
    assert [d["raid_level"] for d in task.node.raid_config["logical_disks"]] == ["1", "5"]


async def test_a_configuration_given_with_the_step_becomes_the_target(raid) -> None:
    task = make_task()
    config = {"logical_disks": [RAID1]}
    await raid.execute(task, a_step(InterfaceType.RAID, "apply_configuration", raid_config=config))
    assert task.node.target_raid_config == config
    assert task.node.raid_config["logical_disks"][0]["raid_level"] == "1"


async def test_there_must_be_something_to_create(raid) -> None:
    with pytest.raises(InvalidValue, match="no target RAID configuration"):
        await raid.execute(make_task(), a_step(InterfaceType.RAID, "create_configuration"))


@pytest.mark.parametrize("config", [{"logical_disks": []}, {"logical_disks": [{**RAID1, "raid_level": "9"}]}])
async def test_a_raid_configuration_that_cannot_be_is_refused_before_anything_is_made(raid, config) -> None:
    task = make_task()
    with pytest.raises(InvalidValue, match=r"RAID|raid_level"):
        await raid.execute(task, a_step(InterfaceType.RAID, "apply_configuration", raid_config=config))
    assert task.node.raid_config == {}


def test_every_property_of_a_logical_disk_is_described_and_accepted(raid) -> None:
    full = {
        **RAID1,
        "controller": "c",
        "disk_type": "ssd",
        "interface_type": "sas",
        "number_of_physical_disks": 2,
        "physical_disks": ["a", "b"],
        "share_physical_disks": True,
        "volume_name": "root",
    }
    raid.validate_raid_config(make_task(), {"logical_disks": [full]})
    assert set(full) == set(raid.logical_disk_properties())


# ---------------------------------------------------------------------- network


async def test_vifs_are_attached_to_free_ports_and_listed_until_detached(behaviour) -> None:
    network, task = FakeNetwork(behaviour), make_task(MAC, "52:54:00:12:34:57")
    await network.vif_attach(task, {"id": "a"})
    await network.vif_attach(task, {"id": "b"})
    assert list(await network.vif_list(task)) == [{"id": "a"}, {"id": "b"}]
    with pytest.raises(InvalidValue, match="no free port"):
        await network.vif_attach(task, {"id": "c"})
    await network.vif_detach(task, "a")
    await network.vif_attach(task, {"id": "c"})
    assert sorted(vif["id"] for vif in await network.vif_list(task)) == ["b", "c"]


async def test_vifs_that_cannot_be_are_refused(behaviour) -> None:
    network, task = FakeNetwork(behaviour), make_task(MAC)
    await network.vif_attach(task, {"id": "a"})
    with pytest.raises(Conflict, match="already attached"):
        await network.vif_attach(task, {"id": "a"})
    with pytest.raises(InvalidValue, match="not attached"):
        await network.vif_detach(task, "b")
    with pytest.raises(InvalidValue, match="needs an id"):
        await network.vif_attach(task, {})


async def test_a_port_in_use_keeps_its_address(behaviour) -> None:
    network, task = FakeNetwork(behaviour), make_task(MAC)
    other = make_task("52:54:00:00:00:99").ports[0]
    await network.port_changed(task, task.ports[0], other)
    await network.vif_attach(task, {"id": "a"})
    with pytest.raises(Conflict, match="detach it"):
        await network.port_changed(task, task.ports[0], other)


async def test_the_noop_network_attaches_anything_and_lists_nothing() -> None:
    network, task = NoopNetwork(), make_task(MAC)
    for purpose in ("provisioning", "cleaning"):
        await network.add_network(task, purpose)
        await network.remove_network(task, purpose)
    await network.configure_tenant_networks(task)
    await network.unconfigure_tenant_networks(task)
    await network.vif_attach(task, {"id": "a"})
    await network.vif_detach(task, "never attached")
    assert await network.vif_list(task) == []
    assert task.node.driver_internal_info == {}


# ---------------------------------------------------------------------- the rest


async def test_vendor_methods_answer_with_what_they_were_given(behaviour) -> None:
    vendor, task = FakeVendor(behaviour), make_task()
    assert not vendor.methods()["third_method_sync"].is_async
    assert not vendor.methods()["fourth_method_shared_lock"].require_exclusive_lock
    for name in vendor.methods():
        assert await vendor.call(task, name, "post", {"a": 1}) == {"method": name, "args": {"a": 1}}
    assert vendor.driver_methods() == {}


async def test_vendor_methods_that_do_not_exist_are_refused(behaviour) -> None:
    vendor, task = FakeVendor(behaviour), make_task()
    with pytest.raises(InvalidValue, match=r"no vendor method 'x'.*first_method"):
        await vendor.call(task, "x", "POST", {})
    with pytest.raises(InvalidValue, match="takes POST only"):
        await vendor.call(task, "first_method", "GET", {})
    with pytest.raises(Unsupported):
        await vendor.call_driver("x", "POST", {})


async def test_a_console_shows_where_it_is_while_it_is_started(behaviour) -> None:
    console, task = FakeConsole(behaviour), make_task()
    with pytest.raises(Conflict, match="not started"):
        await console.get_console(task)
    await console.start(task)
    assert set(await console.get_console(task)) == {"type", "url"}
    await console.stop(task)
    with pytest.raises(Conflict):
        await console.get_console(task)


async def test_rescue_and_volumes_leave_nothing_behind(behaviour) -> None:
    task = make_task()
    rescue, storage = FakeRescue(behaviour), FakeStorage(behaviour)
    await rescue.rescue(task)
    await storage.attach_volumes(task)
    assert task.node.driver_internal_info
    await storage.detach_volumes(task)
    await rescue.unrescue(task)
    await rescue.clean_up(task)
    assert task.node.driver_internal_info == {}
    assert storage.should_write_image(task)
    assert NoopStorage().should_write_image(task)


async def test_inspection_confirms_what_is_known(behaviour) -> None:
    found = await FakeInspect(behaviour).inspect(make_task(MAC, properties={"memory_mb": 2048}))
    assert found.properties["memory_mb"] == 2048
    assert found.properties["cpu_arch"] == "x86_64"
    assert found.macs == [MAC]


async def test_secure_boot_needs_uefi(behaviour) -> None:
    management, task = FakeManagement(behaviour), make_task()
    await management.set_boot_mode(task, BootMode.BIOS)
    with pytest.raises(InvalidValue, match="needs boot mode 'uefi'"):
        await management.set_secure_boot(task, enabled=True)


@pytest.mark.parametrize(
    "call",
    [
        lambda task: NoBios().get_settings(task),
        lambda task: NoConsole().start(task),
        lambda task: NoConsole().stop(task),
        lambda task: NoConsole().get_console(task),
        lambda task: NoFirmware().get_components(task),
        lambda task: NoInspect().inspect(task),
        lambda task: NoRescue().rescue(task),
        lambda task: NoRescue().unrescue(task),
        lambda task: NoVendor().call(task, "x", "POST", {}),
        lambda task: NoVendor().call_driver("x", "POST", {}),
        lambda task: NoRaid().execute(task, a_step(InterfaceType.RAID, "create_configuration")),
    ],
)
async def test_what_a_machine_does_not_have_is_refused_by_name(call) -> None:
    with pytest.raises(Unsupported, match="no-"):
        await call(make_task())


@pytest.mark.parametrize(
    "interface", [NoBios(), NoConsole(), NoFirmware(), NoInspect(), NoRaid(), NoRescue(), NoVendor()]
)
def test_an_absent_interface_is_not_there_rather_than_broken(interface) -> None:
    with pytest.raises(Unsupported, match=f"'{interface.name}'"):
        interface.validate(make_task())
    assert all(interface.steps(kind) == () for kind in StepKind)
    assert interface.properties() == {}
