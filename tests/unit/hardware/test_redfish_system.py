"""Finding the system, resetting it, and overriding its boot, with BMCs of every temper."""

import pytest

from bessemer.domain.power import BootDevice, BootMode, PowerState, PowerTarget
from bessemer.hardware.redfish.management import RedfishManagement
from bessemer.hardware.redfish.power import RedfishPower
from bessemer.kernel.error import DeviceError, InvalidValue, Unsupported
from fakes.scripted_bmc import RESET, SYSTEM, error, system_body
from fakes.task import make_task

SYSTEMS = "/redfish/v1/Systems"


def task_of(scripted, **info):
    return make_task(driver_info=scripted.driver_info(**info))


def members(*paths):
    return {"Members": [{"@odata.id": path} for path in paths]}


def with_resets(*allowed, **changes):
    target = {"target": RESET, "ResetType@Redfish.AllowableValues": list(allowed)}
    return system_body(Actions={"#ComputerSystem.Reset": target}, **changes)


def with_boot(**boot):
    return system_body(Boot={"BootSourceOverrideEnabled": "Disabled", **boot})


# ---------------------------------------------------------------------- which system


async def test_the_only_system_needs_no_name_and_is_looked_for_once(scripted, pool) -> None:
    for _ in range(2):
        await RedfishPower(pool).get_power_state(task_of(scripted))
    assert scripted.count(f"GET {SYSTEMS}") == 1
    assert scripted.count(f"GET {SYSTEM}") == 2


async def test_of_several_systems_one_must_be_named(scripted, pool) -> None:
    scripted.resources[SYSTEMS] = members(SYSTEM, f"{SYSTEMS}/2")
    with pytest.raises(InvalidValue, match=r"has 2 systems.*Systems/1, /redfish/v1/Systems/2"):
        await RedfishPower(pool).get_power_state(task_of(scripted))
    named = task_of(scripted, redfish_system_id=SYSTEM)
    assert await RedfishPower(pool).get_power_state(named) == PowerState.ON


async def test_a_system_that_does_not_exist_is_answered_with_those_that_do(scripted, pool) -> None:
    with pytest.raises(
        InvalidValue, match=r"no system '/redfish/v1/Systems/9'.*one of: /redfish/v1/Systems/1"
    ):
        await RedfishPower(pool).get_power_state(task_of(scripted, redfish_system_id=f"{SYSTEMS}/9"))


async def test_a_bmc_without_systems_is_no_bmc_of_a_server(scripted, pool) -> None:
    scripted.resources[SYSTEMS] = members()
    with pytest.raises(InvalidValue, match=r"no system.*BMC of a server"):
        await RedfishPower(pool).get_power_state(task_of(scripted))


async def test_a_collection_is_read_over_all_its_pages(scripted, pool) -> None:
    scripted.resources[SYSTEMS] = {**members(SYSTEM), "Members@odata.nextLink": f"{SYSTEMS}/more"}
    scripted.resources[f"{SYSTEMS}/more"] = members(f"{SYSTEMS}/2")
    with pytest.raises(InvalidValue, match="has 2 systems"):
        await RedfishPower(pool).get_power_state(task_of(scripted))


# ---------------------------------------------------------------------- power


@pytest.mark.parametrize(
    ("reported", "state"),
    [
        ("On", PowerState.ON),
        ("Off", PowerState.OFF),
        ("PoweringOn", PowerState.OFF),
        ("PoweringOff", PowerState.ON),
        ("Paused", PowerState.ON),
    ],
)
async def test_a_machine_counts_as_arrived_only_when_it_has(scripted, pool, reported, state) -> None:
    scripted.resources[SYSTEM] = system_body(PowerState=reported)
    assert await RedfishPower(pool).get_power_state(task_of(scripted)) == state


@pytest.mark.parametrize("body", [system_body(PowerState="Sleeping"), system_body(PowerState=None)])
async def test_a_power_state_nobody_knows_is_an_error(scripted, pool, body) -> None:
    scripted.resources[SYSTEM] = body
    with pytest.raises(DeviceError, match=r"PowerState|Sleeping"):
        await RedfishPower(pool).get_power_state(task_of(scripted))


@pytest.mark.parametrize(
    ("allowed", "state", "target", "expected"),
    [
        (["On", "ForceOff"], "Off", PowerTarget.ON, "On"),
        (["ForceOn", "ForceOff"], "Off", PowerTarget.ON, "ForceOn"),
        (["PushPowerButton"], "Off", PowerTarget.ON, "PushPowerButton"),
        (["ForceOff"], "On", PowerTarget.OFF, "ForceOff"),
        (["GracefulShutdown"], "On", PowerTarget.SOFT_OFF, "GracefulShutdown"),
        (["PushPowerButton"], "On", PowerTarget.SOFT_OFF, "PushPowerButton"),
        (["PowerCycle", "ForceRestart"], "On", PowerTarget.REBOOT, "ForceRestart"),
        (["PowerCycle"], "On", PowerTarget.REBOOT, "PowerCycle"),
        (["GracefulRestart"], "On", PowerTarget.SOFT_REBOOT, "GracefulRestart"),
        (["On", "ForceRestart"], "Off", PowerTarget.REBOOT, "On"),
    ],
)
async def test_the_best_reset_that_the_bmc_allows_is_chosen(
    *, scripted, pool, allowed, state, target, expected
) -> None:
    scripted.resources[SYSTEM] = with_resets(*allowed, PowerState=state)
    scripted.on(f"POST {RESET}", 204)
    await RedfishPower(pool).request_power(task_of(scripted), target)
    assert scripted.bodies(f"POST {RESET}") == [{"ResetType": expected}]


async def test_a_reset_that_the_bmc_does_not_allow_is_answered_with_those_it_does(scripted, pool) -> None:
    scripted.resources[SYSTEM] = with_resets("On", "ForceOff")
    with pytest.raises(Unsupported, match=r"none of the resets GracefulRestart.*It offers: On, ForceOff"):
        await RedfishPower(pool).request_power(task_of(scripted), PowerTarget.SOFT_REBOOT)


async def test_allowed_resets_are_also_found_in_the_action_info(scripted, pool) -> None:
    action = {"target": RESET, "@Redfish.ActionInfo": f"{SYSTEM}/ResetActionInfo"}
    scripted.resources[SYSTEM] = system_body(Actions={"#ComputerSystem.Reset": action})
    parameter = {"Name": "ResetType", "AllowableValues": ["PowerCycle"]}
    scripted.resources[f"{SYSTEM}/ResetActionInfo"] = {"Parameters": [parameter]}
    scripted.on(f"POST {RESET}", 204)
    await RedfishPower(pool).request_power(task_of(scripted), PowerTarget.REBOOT)
    assert scripted.bodies(f"POST {RESET}") == [{"ResetType": "PowerCycle"}]


@pytest.mark.parametrize(
    ("state", "target"),
    [
        ("On", PowerTarget.ON),
        ("PoweringOn", PowerTarget.ON),
        ("Off", PowerTarget.OFF),
        ("Off", PowerTarget.SOFT_OFF),
        ("PoweringOff", PowerTarget.SOFT_OFF),
    ],
)
async def test_a_machine_on_its_way_is_not_asked_again(scripted, pool, state, target) -> None:
    scripted.resources[SYSTEM] = system_body(PowerState=state)
    await RedfishPower(pool).request_power(task_of(scripted), target)
    assert scripted.count(f"POST {RESET}") == 0


async def test_a_machine_that_shuts_down_too_slowly_can_be_forced(scripted, pool) -> None:
    scripted.resources[SYSTEM] = system_body(PowerState="PoweringOff")
    scripted.on(f"POST {RESET}", 204)
    await RedfishPower(pool).request_power(task_of(scripted), PowerTarget.OFF)
    assert scripted.bodies(f"POST {RESET}") == [{"ResetType": "ForceOff"}]


# ---------------------------------------------------------------------- boot override


async def test_the_mode_is_said_again_where_the_system_has_one(scripted, pool) -> None:
    scripted.resources[SYSTEM] = with_boot(BootSourceOverrideMode="UEFI")
    scripted.on(f"PATCH {SYSTEM}", 204)
    await RedfishManagement(pool).set_boot_device(task_of(scripted), BootDevice.PXE, persistent=False)
    wanted = {
        "BootSourceOverrideTarget": "Pxe",
        "BootSourceOverrideEnabled": "Once",
        "BootSourceOverrideMode": "UEFI",
    }
    assert scripted.bodies(f"PATCH {SYSTEM}") == [{"Boot": wanted}]


async def test_a_bmc_that_will_not_hear_of_the_mode_is_asked_without(scripted, pool) -> None:
    scripted.resources[SYSTEM] = with_boot(BootSourceOverrideMode="UEFI")
    scripted.on(f"PATCH {SYSTEM}", error(400, "No mode here.", "PropertyNotWritable"), 204)
    await RedfishManagement(pool).set_boot_device(task_of(scripted), BootDevice.DISK, persistent=True)
    assert "BootSourceOverrideMode" not in scripted.bodies(f"PATCH {SYSTEM}")[1]["Boot"]


async def test_a_cd_is_named_as_the_bmc_names_it(scripted, pool) -> None:
    allowed = {"BootSourceOverrideTarget@Redfish.AllowableValues": ["None", "Hdd", "UsbCd"]}
    scripted.resources[SYSTEM] = with_boot(**allowed)
    scripted.on(f"PATCH {SYSTEM}", 204)
    await RedfishManagement(pool).set_boot_device(task_of(scripted), BootDevice.CDROM, persistent=False)
    assert scripted.bodies(f"PATCH {SYSTEM}")[0]["Boot"]["BootSourceOverrideTarget"] == "UsbCd"


async def test_a_device_that_is_not_offered_is_refused_before_asking(scripted, pool) -> None:
    allowed = {"BootSourceOverrideTarget@Redfish.AllowableValues": ["None", "Hdd"]}
    scripted.resources[SYSTEM] = with_boot(**allowed)
    with pytest.raises(Unsupported, match=r"cannot boot from 'pxe'.*It offers: disk"):
        await RedfishManagement(pool).set_boot_device(task_of(scripted), BootDevice.PXE, persistent=False)
    assert scripted.count(f"PATCH {SYSTEM}") == 0


async def test_an_override_that_cannot_stay_is_refused(scripted, pool) -> None:
    allowed = {"BootSourceOverrideEnabled@Redfish.AllowableValues": ["Disabled", "Once"]}
    scripted.resources[SYSTEM] = with_boot(**allowed)
    with pytest.raises(Unsupported, match="cannot boot 'disk' persistently"):
        await RedfishManagement(pool).set_boot_device(task_of(scripted), BootDevice.DISK, persistent=True)


@pytest.mark.parametrize(
    ("boot", "device"),
    [
        ({"BootSourceOverrideEnabled": "Disabled", "BootSourceOverrideTarget": "Pxe"}, (None, None)),
        ({"BootSourceOverrideEnabled": "Once", "BootSourceOverrideTarget": "None"}, (None, None)),
        (
            {"BootSourceOverrideEnabled": "Once", "BootSourceOverrideTarget": "UsbCd"},
            (BootDevice.CDROM, False),
        ),
        (
            {"BootSourceOverrideEnabled": "Continuous", "BootSourceOverrideTarget": "Hdd"},
            (BootDevice.DISK, True),
        ),
        ({}, (None, None)),
    ],
)
async def test_the_boot_device_is_the_override_in_force(scripted, pool, boot, device) -> None:
    scripted.resources[SYSTEM] = system_body(Boot=boot)
    assert await RedfishManagement(pool).get_boot_device(task_of(scripted)) == device


async def test_a_mode_already_in_force_is_left_alone(scripted, pool) -> None:
    scripted.resources[SYSTEM] = with_boot(BootSourceOverrideMode="UEFI")
    await RedfishManagement(pool).set_boot_mode(task_of(scripted), BootMode.UEFI)
    assert scripted.count(f"PATCH {SYSTEM}") == 0


async def test_a_system_that_tells_no_mode_cannot_be_given_one(scripted, pool) -> None:
    assert await RedfishManagement(pool).get_boot_mode(task_of(scripted)) is None
    with pytest.raises(Unsupported, match="does not tell boot modes"):
        await RedfishManagement(pool).set_boot_mode(task_of(scripted), BootMode.BIOS)


async def test_a_machine_without_secure_boot_says_so(scripted, pool) -> None:
    assert await RedfishManagement(pool).get_secure_boot(task_of(scripted)) is None
    with pytest.raises(Unsupported, match="no Secure Boot"):
        await RedfishManagement(pool).set_secure_boot(task_of(scripted), enabled=True)
