"""Inserting images: what BMCs want to hear, what they say when it fails, and what must not be repeated."""

import re

import pytest
from aiohttp import web

from bessemer.config.settings import ConductorSettings
from bessemer.hardware.interface import RamdiskBoot
from bessemer.hardware.redfish.access import read_access
from bessemer.hardware.redfish.boot import RedfishVirtualMediaBoot
from bessemer.hardware.redfish.management import RedfishManagement
from bessemer.hardware.redfish.system import read_system
from bessemer.hardware.redfish.virtual_media import read_media
from bessemer.kernel.error import DeadlineExceeded, DeviceRefused, InvalidValue
from fakes.http_server import image_server
from fakes.scripted_bmc import SYSTEM, error, system_body
from fakes.task import make_task

KEY = "k0Ks3cretk3ywhichopensthebootfiles"
URL = f"http://192.0.2.1/boot/{KEY}/agent.iso"
MEDIA = f"{SYSTEM}/VirtualMedia"
CD = f"{MEDIA}/Cd"
INSERT = f"{CD}/Actions/VirtualMedia.InsertMedia"
EJECT = f"{CD}/Actions/VirtualMedia.EjectMedia"
MANAGER = "/redfish/v1/Managers/bmc"


def add_cd(bmc, *, has_actions: bool = True, collection: str = MEDIA, **changes) -> None:
    """Give the BMC a CD drive that works: inserting and ejecting show."""
    drive = {"Id": "Cd", "MediaTypes": ["CD", "DVD"], "Inserted": False, "Image": None, **changes}
    if has_actions:
        drive["Actions"] = {
            "#VirtualMedia.InsertMedia": {"target": INSERT},
            "#VirtualMedia.EjectMedia": {"target": EJECT},
        }
    bmc.resources[collection] = {"Members": [{"@odata.id": CD}]}
    bmc.resources[CD] = drive

    async def insert(request: web.Request) -> web.Response:
        drive.update(Inserted=True, Image=(await request.json())["Image"])
        return web.Response(status=204)

    async def eject(request: web.Request) -> web.Response:
        drive.update(Inserted=False, Image=None)
        return web.Response(status=204)

    async def patch(request: web.Request) -> web.Response:
        drive.update(await request.json())
        return web.Response(status=204)

    bmc.on(f"POST {INSERT}", insert)
    bmc.on(f"POST {EJECT}", eject)
    bmc.on(f"PATCH {CD}", patch)
    bmc.resources[SYSTEM] = system_body(VirtualMedia={"@odata.id": collection})


async def attach(pool, bmc, url: str = URL) -> None:
    await RedfishManagement(pool).attach_virtual_media(make_task(driver_info=bmc.driver_info()), "cdrom", url)


async def test_the_image_goes_in_and_is_waited_for(scripted, pool) -> None:
    add_cd(scripted)
    await attach(pool, scripted)
    assert scripted.bodies(f"POST {INSERT}") == [{"Image": URL, "Inserted": True, "WriteProtected": True}]
    assert scripted.resources[CD]["Inserted"]


async def test_what_is_in_the_drive_is_taken_out_first(scripted, pool) -> None:
    add_cd(scripted, Inserted=True, Image="http://192.0.2.1/old.iso")
    await attach(pool, scripted)
    order = [asked.path for asked in scripted.asked if asked.method == "POST"]
    assert order == [EJECT, INSERT]


async def test_a_drive_without_actions_is_changed_directly(scripted, pool) -> None:
    add_cd(scripted, has_actions=False)
    await attach(pool, scripted)
    await RedfishManagement(pool).detach_virtual_media(make_task(driver_info=scripted.driver_info()), None)
    assert scripted.bodies(f"PATCH {CD}") == [
        {"Image": URL, "Inserted": True, "WriteProtected": True},
        {"Image": None, "Inserted": False},
    ]


async def test_a_drive_that_leaves_inserted_open_has_it_when_it_has_an_image(scripted, pool) -> None:
    add_cd(scripted, Inserted=None, Image="http://192.0.2.1/old.iso")
    found = await RedfishManagement(pool).get_virtual_media(make_task(driver_info=scripted.driver_info()))
    assert found[0]["inserted"] is True


async def test_drives_of_the_manager_serve_where_the_system_has_none(scripted, pool) -> None:
    add_cd(scripted, collection=f"{MANAGER}/VirtualMedia")
    links = {"ManagedBy": [{"@odata.id": MANAGER}]}
    scripted.resources[SYSTEM] = system_body(Links=links)
    scripted.resources[MANAGER] = {"VirtualMedia": {"@odata.id": f"{MANAGER}/VirtualMedia"}}
    await attach(pool, scripted)
    assert scripted.resources[CD]["Image"] == URL


async def test_a_bmc_without_a_cd_drive_names_those_it_has(scripted, pool) -> None:
    add_cd(scripted, MediaTypes=["Floppy", "USBStick"])
    with pytest.raises(InvalidValue, match=r"can serve as 'cdrom'.*Floppy, USBStick"):
        await attach(pool, scripted)


async def test_parameters_that_a_bmc_does_not_know_are_left_out(scripted, pool) -> None:
    add_cd(scripted)
    works = scripted.script[f"POST {INSERT}"][0]
    scripted.on(f"POST {INSERT}", error(400, "Inserted?", "ActionParameterUnknown"), works)
    await attach(pool, scripted)
    assert scripted.bodies(f"POST {INSERT}")[1] == {"Image": URL}


async def test_parameters_that_a_bmc_misses_are_added(scripted, pool) -> None:
    add_cd(scripted)
    works = scripted.script[f"POST {INSERT}"][0]
    missing = error(400, "TransferProtocolType!", "ActionParameterMissing")
    scripted.on(f"POST {INSERT}", missing, missing, works)
    await attach(pool, scripted)
    last = {"Image": URL, "TransferProtocolType": "HTTP", "TransferMethod": "Stream"}
    assert scripted.bodies(f"POST {INSERT}")[2] == last


async def test_an_image_that_cannot_be_fetched_fails_once_in_the_words_of_the_bmc(scripted, pool) -> None:
    add_cd(scripted)
    scripted.on(f"POST {INSERT}", error(400, f"Cannot fetch {URL}: 404.", "ResourceAtUriUnauthorized"))
    with pytest.raises(DeviceRefused, match=r"Cannot fetch http://192\.0\.2\.1/\.\.\.: 404") as caught:
        await attach(pool, scripted)
    assert KEY not in str(caught.value)
    assert KEY not in repr(caught.value)
    assert scripted.count(f"POST {INSERT}") == 1


@pytest.mark.parametrize("shown", [URL, f"/boot/{KEY}/agent.iso", KEY])
async def test_keys_in_the_url_do_not_show_however_the_bmc_repeats_them(scripted, pool, shown) -> None:
    add_cd(scripted)
    scripted.on(f"POST {INSERT}", error(500, f"I could not get '{shown}'."))
    with pytest.raises(Exception, match="I could not get") as caught:
        await attach(pool, scripted)
    assert KEY not in str(caught.value)


async def test_keys_in_the_address_of_our_own_medium_do_not_show_in_a_list(scripted, pool) -> None:
    add_cd(scripted, Inserted=True, Image=URL, ImageName=f"{KEY}.iso")
    task = make_task(driver_info=scripted.driver_info(), driver_internal_info={"boot_key": KEY})
    [drive] = await RedfishManagement(pool).get_virtual_media(task)
    assert drive["image"] == "http://192.0.2.1/boot/******/agent.iso"
    assert drive["image_name"] == "******.iso"


async def test_an_empty_drive_is_listed_without_an_image(scripted, pool) -> None:
    add_cd(scripted)
    [drive] = await RedfishManagement(pool).get_virtual_media(make_task(driver_info=scripted.driver_info()))
    assert (drive["inserted"], drive["image"], drive["image_name"]) == (False, None, None)


async def test_a_drive_that_never_fills_is_given_up_with_a_question(scripted, pool) -> None:
    add_cd(scripted)
    scripted.on(f"POST {INSERT}", 204)
    access = read_access(make_task(driver_info=scripted.driver_info()).node, pool.settings)
    drive = (await read_media(await read_system(pool.connection(access), access)))[0]
    with pytest.raises(DeadlineExceeded, match=r"did not report.*within 0\.2 s.*reach http://192\.0\.2\.1/"):
        await drive.insert(URL, timeout_s=0.2)


async def test_a_bmc_that_goes_on_in_a_task_is_followed_to_its_failure(scripted, pool) -> None:
    add_cd(scripted)
    monitor = "/redfish/v1/TaskService/Tasks/7"
    scripted.on(f"POST {INSERT}", web.Response(status=202, headers={"Location": monitor}))
    failed = {"TaskState": "Exception", "Messages": [{"Message": "The server said 403."}]}
    scripted.resources[monitor] = failed
    with pytest.raises(DeviceRefused, match=r"gave up inserting the virtual medium: The server said 403\."):
        await attach(pool, scripted)


def add_task(bmc, *, origin: str = "") -> str:
    """Let inserting go on in a task; the path of its monitor, which the BMC names at ``origin``."""
    monitor = "/redfish/v1/TaskService/Tasks/7"
    works = bmc.script[f"POST {INSERT}"][0]

    async def later(request: web.Request) -> web.Response:
        await works(request)
        return web.Response(status=202, headers={"Location": origin + monitor})

    bmc.on(f"POST {INSERT}", later)
    return monitor


async def test_a_task_whose_monitor_says_only_that_it_is_not_done_is_followed_to_its_end(
    scripted, pool
) -> None:
    add_cd(scripted)
    monitor = add_task(scripted)
    failed = {"TaskState": "Exception", "Messages": [{"Message": "The server said 403."}]}
    not_done = web.Response(status=202)
    scripted.on(f"GET {monitor}", not_done, not_done, failed)
    with pytest.raises(DeviceRefused, match=r"gave up inserting the virtual medium: The server said 403\."):
        await attach(pool, scripted)
    assert scripted.count(f"GET {monitor}") == 3


@pytest.mark.parametrize(
    "ending", [{"TaskState": "Completed"}, web.Response(status=204), error(404, "Gone.")]
)
async def test_a_task_that_ends_well_or_is_forgotten_is_over(scripted, pool, ending) -> None:
    add_cd(scripted)
    monitor = add_task(scripted)
    scripted.on(f"GET {monitor}", ending)
    await attach(pool, scripted)
    assert scripted.count(f"GET {monitor}") == 1


async def test_a_task_that_the_bmc_names_by_another_of_its_addresses_is_followed(scripted, pool) -> None:
    add_cd(scripted)
    monitor = add_task(scripted, origin="https://10.0.0.9")
    scripted.on(f"GET {monitor}", {"TaskState": "Exception", "Messages": [{"Message": "403."}]})
    with pytest.raises(DeviceRefused, match=r"gave up inserting the virtual medium: 403"):
        await attach(pool, scripted)


async def test_a_task_at_an_address_that_is_none_is_left_to_itself(scripted, pool) -> None:
    add_cd(scripted)
    add_task(scripted, origin="https://[bmc]")
    await attach(pool, scripted)
    assert scripted.resources[CD]["Image"] == URL


# ---------------------------------------------------------------------- booting from it


def a_boot(pool, **settings) -> RedfishVirtualMediaBoot:
    return RedfishVirtualMediaBoot(pool, ConductorSettings(**settings))


async def test_the_medium_is_inserted_before_the_boot_is_set(scripted, pool) -> None:
    """Some BMCs have no CD to boot from until there is one in the drive."""
    add_cd(scripted)
    scripted.on(f"PATCH {SYSTEM}", 204)
    await a_boot(pool).prepare_ramdisk(make_task(driver_info=scripted.driver_info()), RamdiskBoot(URL))
    order = [asked.path for asked in scripted.asked if asked.method in ("POST", "PATCH")]
    assert order == [INSERT, SYSTEM]


async def test_where_the_disk_cannot_be_named_the_override_is_taken_back(scripted, pool) -> None:
    add_cd(scripted)
    allowed = {"BootSourceOverrideTarget@Redfish.AllowableValues": ["None", "Cd"]}
    boot = {"BootSourceOverrideEnabled": "Once", "BootSourceOverrideTarget": "Cd", **allowed}
    scripted.resources[SYSTEM]["Boot"] = boot
    scripted.on(f"PATCH {SYSTEM}", 204)
    await a_boot(pool).prepare_instance(make_task(driver_info=scripted.driver_info()))
    assert scripted.bodies(f"PATCH {SYSTEM}") == [{"Boot": {"BootSourceOverrideEnabled": "Disabled"}}]


async def test_a_bmc_that_cannot_take_an_override_back_is_pointed_at_the_disk(scripted, pool) -> None:
    add_cd(scripted)
    scripted.resources[SYSTEM]["Boot"] = {
        "BootSourceOverrideEnabled": "Continuous",
        "BootSourceOverrideTarget": "Cd",
    }
    scripted.on(f"PATCH {SYSTEM}", error(400, "No."), 204)
    await a_boot(pool).clean_up_ramdisk(make_task(driver_info=scripted.driver_info()))
    assert scripted.bodies(f"PATCH {SYSTEM}")[1]["Boot"]["BootSourceOverrideTarget"] == "Hdd"


async def test_a_real_bmc_that_cannot_fetch_the_image_says_why(lab, pool) -> None:
    async with image_server() as server:
        url = f"{server.base_url}/boot/{KEY}/missing.iso"
        task = make_task(driver_info=lab.driver_info())
        with pytest.raises(DeviceRefused, match="404") as caught:
            await a_boot(pool).prepare_ramdisk(task, RamdiskBoot(url))
    assert re.search(re.escape(server.base_url), str(caught.value))
    assert KEY not in str(caught.value)


# ---------------------------------------------------------------------- settings


def test_something_to_boot_the_agent_from_is_required(pool) -> None:
    info = {"redfish_address": "https://bmc"}
    with pytest.raises(InvalidValue, match="no deploy_kernel"):
        a_boot(pool).validate(make_task(driver_info=info))
    with pytest.raises(InvalidValue, match="no deploy_ramdisk"):
        a_boot(pool).validate(make_task(driver_info={**info, "deploy_kernel": "file:///k"}))
    a_boot(pool).validate(make_task(driver_info={**info, "deploy_iso": "http://x/agent.iso"}))
    configured = a_boot(pool, deploy_kernel="/k", deploy_ramdisk="/r")
    configured.validate(make_task(driver_info=info))


def test_boot_settings_that_are_not_text_are_refused(pool) -> None:
    info = {"redfish_address": "https://bmc", "deploy_iso": 5}
    with pytest.raises(InvalidValue, match="deploy_iso must be text"):
        a_boot(pool).validate(make_task(driver_info=info))
