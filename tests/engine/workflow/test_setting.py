"""Short operations, adoption, and what is read of a machine on the way."""

import pytest

from bessemer.domain.operation import JournalEvent, OperationState
from bessemer.domain.provision import ProvisionState
from bessemer.store.bios_setting import list_bios_setting_rows
from bessemer.store.firmware_component import list_firmware_component_rows

S = ProvisionState
NODE = "aaaaaaaa-0000-4000-8000-000000000001"


async def test_an_adopted_machine_is_active_and_its_power_untouched(site) -> None:
    async with site(node={"provision_state": S.MANAGEABLE, "power_state": "power on"}) as s:
        await s.ask("adopt")
        node = await s.settled()
    assert (node.provision_state, node.last_error, node.power_state) == (S.ACTIVE, None, "power on")
    assert "fake_power" not in node.driver_internal_info
    assert node.driver_internal_info["fake_boot"] == {"from": "disk"}


async def test_a_machine_that_could_not_be_rebuilt_is_not_adopted(site) -> None:
    async with site(node={"provision_state": S.MANAGEABLE, "instance_info": {}}) as s:
        await s.ask("adopt")
        node = await s.settled()
        assert node.provision_state is S.ADOPT_FAILED
        assert "image_source" in node.last_error
        await s.ask("manage")
        assert (await s.node()).provision_state is S.MANAGEABLE


async def test_bios_settings_and_firmware_are_kept_when_a_machine_is_verified(site) -> None:
    async with site() as s:
        await s.ask("manage")
        assert (await s.settled()).provision_state is S.MANAGEABLE
        async with s.database.read() as tx:
            settings = await list_bios_setting_rows(tx, NODE, ["name"])
            components = await list_firmware_component_rows(tx, NODE, ["component", "current_version"])
    assert "HyperThreading" in [row[0] for row in settings]
    assert ("bmc", "2.0") in [tuple(row) for row in components]


async def test_an_update_shows_in_the_firmware_that_is_kept(site) -> None:
    settings = [{"component": "bmc", "url": "http://images/bmc/2.5"}]
    step = {"interface": "firmware", "step": "update", "args": {"settings": settings}}
    async with site(node={"provision_state": S.MANAGEABLE}) as s:
        await s.ask("clean", clean_steps=[step])
        assert (await s.settled()).provision_state is S.MANAGEABLE
        async with s.database.read() as tx:
            components = await list_firmware_component_rows(tx, NODE, ["component", "current_version"])
    assert ("bmc", "2.5") in [tuple(row) for row in components]


async def test_settings_that_cannot_be_read_do_not_stop_a_cleaning_and_the_journal_says_so(site) -> None:
    faults = {"bios.get_settings": "refused", "firmware.get_components": "unreachable"}
    async with site(node={"provision_state": S.MANAGEABLE}, fake={"faults": faults}) as s:
        operation = await s.ask("provide")
        node = await s.settled()
        details = [e.detail for e in await s.journal(operation) if e.event is JournalEvent.DONE]
    assert (node.provision_state, node.last_error) == (S.AVAILABLE, None)
    assert any("BIOS settings could not be read" in detail for detail in details)


@pytest.mark.parametrize(
    ("kind", "args", "field", "value"),
    [
        ("boot mode", {"mode": "bios"}, "boot_mode", "bios"),
        ("secure boot", {"enabled": True}, "secure_boot", True),
        ("console", {"enabled": True}, "console_enabled", True),
    ],
)
async def test_a_change_of_a_setting_shows_on_the_node_and_changes_no_state(
    site, kind, args, field, value
) -> None:
    async with site(node={"provision_state": S.ACTIVE}) as s:
        await s.start(kind, **args)
        node = await s.settled()
        assert (getattr(node, field), node.provision_state, node.last_error) == (value, S.ACTIVE, None)
        await s.start(kind, **args)
        assert getattr(await s.settled(), field) == value


async def test_a_console_is_stopped_again(site) -> None:
    async with site(node={"provision_state": S.ACTIVE}) as s:
        await s.start("console", enabled=True)
        await s.start("console", enabled=False)
        node = await s.settled()
    assert (node.console_enabled, "fake_console" in node.driver_internal_info) == (False, False)


async def test_what_cannot_be_set_is_told_and_changes_nothing(site) -> None:
    async with site(node={"provision_state": S.ACTIVE}) as s:
        await s.start("boot mode", mode="bios")
        await s.start("secure boot", enabled=True)
        node = await s.settled()
        newest = (await s.operations())[0]
    assert (newest.state, node.secure_boot) == (OperationState.FAILED, None)
    assert "needs boot mode 'uefi'" in node.last_error


async def test_a_machine_without_a_console_says_so(site) -> None:
    async with site(node={"provision_state": S.ACTIVE, "console_interface": "no-console"}) as s:
        await s.start("console", enabled=True)
        node = await s.settled()
    assert node.console_enabled is False
    assert "no-console" in node.last_error
