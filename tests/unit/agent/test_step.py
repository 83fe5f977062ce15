import base64
import gzip
import hashlib
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bessemer_agent.context import Context, Machine
from bessemer_agent.disk import MIB, Disk
from bessemer_agent.error import (
    ConfigDriveError,
    DeviceNotFound,
    InvalidImage,
    InvalidRequest,
    NotFound,
    VersionMismatch,
)
from bessemer_agent.extension.image import install_bootloader
from bessemer_agent.inventory.block_device import BlockDevice
from bessemer_agent.partition import gpt
from bessemer_agent.partition.table import read_table
from bessemer_agent.progress import Progress
from bessemer_agent.settings import Settings
from bessemer_agent.step import current_versions, execute_step, list_steps
from bessemer_agent.step.table import Phase
from unit.agent.device_maker import PLAIN
from unit.agent.fake_child import FakeChild
from unit.agent.image_server import ImageServer
from unit.agent.table_maker import new_gpt

MakeDisk = Callable[..., Disk]
HINT = {"root_device": {"serial": "S3R14L"}}


def context_with(*disks: Disk, child: FakeChild | None = None, root: str = "/", **settings: Any) -> Context:
    devices = [_device(disk) for disk in disks]
    machine = Machine(lambda: devices, run=child or FakeChild(), root=root)
    return Context(Settings(image_download_connection_retries=0, **settings), machine)


def _device(disk: Disk) -> BlockDevice:
    return PLAIN._replace(name=disk.path, size=disk.size_bytes, tran="virtio")


def execute(context: Context, step: dict[str, Any], phase: Phase = Phase.DEPLOY, **node: Any) -> object:
    node = {"properties": HINT} | node
    return execute_step(
        phase, context, Progress(), step=step, node=node, ports=[], version=current_versions()
    )


def os_image(make_disk: MakeDisk) -> bytes:
    disk = make_disk(24 * MIB, fill=b"\0")
    table = new_gpt(disk)
    table.add_at_end(disk.size_bytes, 4 * MIB, gpt.ESP, "esp")
    table.write(disk)
    disk.write(20 * MIB, random.Random(5).randbytes(MIB))
    return disk.read(0, disk.size_bytes)


def image_info(server: ImageServer, body: bytes) -> dict[str, Any]:
    server.files["/os.gz"] = packed = gzip.compress(body, 1)
    return {
        "id": "os",
        "urls": [server.url("/os.gz")],
        "os_hash_algo": "sha512",
        "os_hash_value": hashlib.sha512(packed).hexdigest(),
        "disk_format": "raw",
    }


def config_drive() -> tuple[str, bytes]:
    descriptor = (b"\x01CD001\x01\0" + bytes(32) + b"config-2".ljust(32)).ljust(2048, b"\0")
    content = bytes(16 * 2048) + descriptor + b"hostname"
    return base64.b64encode(gzip.compress(content)).decode(), content


def test_the_steps_and_priorities_are_those_the_protocol_names() -> None:
    (steps,) = list_steps(Phase.CLEAN).steps.values()
    assert {step["step"]: step["priority"] for step in steps} == {
        "erase_devices_metadata": 99,
        "erase_devices": 10,
        "erase_devices_express": 0,
        "erase_pstore": 0,
        "clean_uefi_nvram": 0,
        "create_configuration": 0,
        "delete_configuration": 0,
    }
    assert {str(step["step"]) for step in steps if step["interface"] == "raid"} == {
        "create_configuration",
        "delete_configuration",
    }
    (steps,) = list_steps(Phase.DEPLOY).steps.values()
    assert {step["step"] for step in steps} == {
        "erase_devices_metadata",
        "clean_uefi_nvram",
        "apply_configuration",
        "write_image",
    }
    write_image = next(step for step in steps if step["step"] == "write_image")
    assert write_image["interface"] == "deploy"
    assert write_image["argsinfo"]["image_info"]["required"] is True  # type: ignore[index]


def test_steps_listed_by_another_version_are_not_run() -> None:
    with pytest.raises(VersionMismatch):
        execute_step(
            Phase.CLEAN,
            context_with(),
            Progress(),
            step={"step": "erase_pstore"},
            node={},
            ports=[],
            version={"generic_hardware_manager": "1.0"},
        )


def test_a_step_of_another_phase_is_not_found() -> None:
    with pytest.raises(NotFound, match="no deploy step 'erase_devices'"):
        execute(context_with(), {"step": "erase_devices"})


@pytest.mark.parametrize(
    ("args", "why"),
    [({}, "needs image_info"), ({"image_info": {}, "colour": 1}, "does not take colour"), ([1], "object")],
)
def test_a_steps_arguments_are_checked(args: object, why: str) -> None:
    with pytest.raises(InvalidRequest, match=why):
        execute(context_with(), {"step": "write_image", "args": args})


def test_an_image_with_config_drive_is_deployed(image_server: ImageServer, make_disk: MakeDisk) -> None:
    body, disk = os_image(make_disk), make_disk(200 * MIB)
    given, content = config_drive()
    context = context_with(disk)
    args = {"image_info": image_info(image_server, body), "configdrive": given}
    assert execute(context, {"step": "write_image", "args": args}) == (
        f"image (os) written to device {disk.path}"
    )
    table = read_table(disk)
    assert table is not None
    assert [part.name for part in table.partitions] == ["esp", "config-2"]
    config = table.partitions[1]
    assert disk.read(config.start, len(content)) == content
    assert disk.read(disk.size_bytes - 512, 8) == b"EFI PART"  # the backup table moved to the disk's end
    assert disk.read(4 * MIB, 18 * MIB) == body[4 * MIB : 22 * MIB]
    assert context.root_disk == disk.path
    assert set(context.partition_uuids) >= {"root uuid", "partitions"}


def test_hints_of_the_instance_outrank_those_of_the_node(
    image_server: ImageServer, make_disk: MakeDisk
) -> None:
    info = image_info(image_server, os_image(make_disk))
    first, second = make_disk(32 * MIB), make_disk(32 * MIB)
    context = context_with(first, second)
    instance = {"root_device": {"name": second.path}}
    execute(context, {"step": "write_image", "args": {"image_info": info}}, instance_info=instance)
    assert first.read(0, 16) == b"\xaa" * 16
    assert read_table(second) is not None


def test_nothing_is_written_when_something_is_wrong_from_the_start(
    image_server: ImageServer, make_disk: MakeDisk
) -> None:
    info, disk = image_info(image_server, os_image(make_disk)), make_disk(32 * MIB)
    context = context_with(disk)
    bad: list[tuple[type[Exception], dict[str, Any], dict[str, Any]]] = [
        (ConfigDriveError, {"image_info": info, "configdrive": "&&"}, {}),
        (InvalidImage, {"image_info": info | {"urls": []}}, {}),
        (InvalidRequest, {"image_info": "text"}, {}),
        (InvalidRequest, {"image_info": info, "configdrive": {"a": 1}}, {}),
        (DeviceNotFound, {"image_info": info}, {"properties": {"root_device": {"serial": "none"}}}),
    ]
    for error, args, node in bad:
        with pytest.raises(error):
            execute(context, {"step": "write_image", "args": args}, **node)
    assert disk.read(0, disk.size_bytes) == b"\xaa" * disk.size_bytes


def test_the_services_rules_reach_the_image_writer(image_server: ImageServer, make_disk: MakeDisk) -> None:
    info, disk = image_info(image_server, os_image(make_disk)), make_disk(32 * MIB)
    context = context_with(disk)
    context.config = {"permitted_image_formats": ["qcow2"]}
    with pytest.raises(InvalidImage, match="permits qcow2"):
        execute(context, {"step": "write_image", "args": {"image_info": info}})


def test_erasing_tells_how_and_remembers_what_reads_as_zeros(make_disk: MakeDisk) -> None:
    disk = make_disk(4 * MIB)
    context = context_with(disk)
    assert execute(context, {"step": "erase_devices"}, Phase.CLEAN) == {disk.path: "zeroed"}
    assert context.zeroed_disks == {disk.path}
    assert execute(context, {"step": "erase_devices_metadata"}, Phase.CLEAN) == {disk.path: "metadata wiped"}
    assert execute(context, {"step": "erase_devices_express"}, Phase.CLEAN) == {disk.path: "metadata wiped"}


def test_skipped_disks_are_not_erased(make_disk: MakeDisk) -> None:
    disk = make_disk(4 * MIB)
    properties = {"skip_block_devices": [{"name": disk.path}]}
    assert execute(context_with(disk), {"step": "erase_devices"}, Phase.CLEAN, properties=properties) == {}
    assert disk.read(0, 16) == b"\xaa" * 16


def test_crash_logs_are_removed_from_pstore(tmp_path: Path) -> None:
    folder = tmp_path / "sys/fs/pstore"
    folder.mkdir(parents=True)
    (folder / "dmesg-efi-1").write_text("oops")
    child = FakeChild({"mount": ""})
    assert execute(context_with(root=str(tmp_path), child=child), {"step": "erase_pstore"}, Phase.CLEAN) == 1
    assert list(folder.iterdir()) == []


def test_boot_entries_are_left_alone_under_bios(tmp_path: Path) -> None:
    context = context_with(root=str(tmp_path))
    assert execute(context, {"step": "clean_uefi_nvram"}, Phase.CLEAN) == []
    with pytest.raises(InvalidRequest, match="match_patterns"):
        execute(context, {"step": "clean_uefi_nvram", "args": {"match_patterns": "x"}}, Phase.CLEAN)


def test_under_bios_there_is_no_boot_loader_to_install(tmp_path: Path) -> None:
    context = context_with(root=str(tmp_path))
    assert "nothing to do" in install_bootloader(context, Progress(), target_boot_mode="uefi")


def test_a_disk_without_esp_is_an_error_unless_failures_are_ignored(
    tmp_path: Path, make_disk: MakeDisk
) -> None:
    from bessemer_agent.error import BootEntryError

    (tmp_path / "sys/firmware/efi").mkdir(parents=True)
    disk = make_disk(16 * MIB, fill=b"\0")
    new_gpt(disk)
    context = context_with(disk, root=str(tmp_path))
    context.root_disk = disk.path
    with pytest.raises(BootEntryError, match="no EFI system partition"):
        install_bootloader(context, Progress(), target_boot_mode="uefi")
    assert "ignored" in install_bootloader(context, Progress(), ignore_bootloader_failure=True)
