"""The real ramdisk in a real (virtual) machine, against a service that is a fake.

Everything here is what a service does over the wire; what became of it is looked at from outside, in the
machine's disk and firmware files.
"""

import base64
import gzip
import hashlib
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api.agent.agent_client import AgentClient
from api.agent.fake_service import FakeService, running_fake_service
from bessemer_agent.disk import open_disk
from bessemer_agent.partition.gpt import read_gpt
from lab.agent.image_maker import IMAGE_BYTES, compress_zstd, convert_qcow2, make_image, make_iso
from lab.agent.virtual_machine import VirtualMachine, free_port, missing_tools
from unit.agent.image_server import ImageServer, running_image_server

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(bool(missing_tools()), reason=f"not installed: {', '.join(missing_tools())}"),
]
TOKEN = "token-from-the-iso"
NODE = {"uuid": "n", "properties": {"root_device": {"serial": "DISK-A"}}}
_BUILD = Path(__file__).parents[3] / "agent/image/build.py"
#: Seconds the issue allows from power on to the first heartbeat; measured 9 to 23, by how busy the host is.
_BOOT_LIMIT_S = 60.0


class Lab:
    """The machine, the service it found, the server images come from, and a client of the agent."""

    def __init__(
        self, machine: VirtualMachine, service: FakeService, images: ImageServer, client: AgentClient
    ) -> None:
        self.machine = machine
        self.service = service
        self.images = images
        self.client = client

    def url(self, path: str, body: bytes) -> str:
        """Publish a file; its URL as the machine sees it (10.0.2.2 is the host's loopback)."""
        self.images.files[path] = body
        return f"http://10.0.2.2:{self.images.server_port}{path}"

    def run(self, name: str, **params: Any) -> Any:
        """Run a command that must succeed; what it gives."""
        result = self.client.command(name, timeout_s=80.0, **params)
        assert result["command_status"] == "SUCCEEDED", result["command_error"]
        return result["command_result"]

    def deploy(self, path: str, image: Path, disk_format: str, configdrive: str | None) -> str:
        """Write an image as the service does."""
        body = image.read_bytes()
        info = {
            "id": "image-1",
            "urls": [self.url(path, body)],
            "os_hash_algo": "sha512",
            "os_hash_value": hashlib.sha512(body).hexdigest(),
            "disk_format": disk_format,
        }
        args = {"image_info": info, "configdrive": configdrive}
        step = {"interface": "deploy", "step": "write_image", "args": args}
        return str(self.run("deploy.execute_deploy_step", step=step, node=NODE, ports=[])["deploy_result"])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("ramdisk")


@pytest.fixture(scope="module")
def image(folder: Path) -> Path:
    return make_image(folder)


@pytest.fixture(scope="module")
def lab(folder: Path) -> Iterator[Lab]:
    output = folder / "built"
    subprocess.run([sys.executable, str(_BUILD), "--kernel", "cloud", "--output", str(output)], check=True)
    with running_fake_service() as service, running_image_server() as images:
        service.token = None  # as with a token given on virtual media
        port = free_port()
        config = [
            "[DEFAULT]",
            f"api_url = http://10.0.2.2:{service.server_port}",
            f"agent_token = {TOKEN}",
            "advertise_host = 127.0.0.1",
            f"advertise_port = {port}",
        ]
        files = {"etc/ironic-python-agent.d/service.conf": "\n".join(config) + "\n"}
        machine = VirtualMachine(
            folder,
            vmlinuz=output / "vmlinuz",
            initrd=output / "initrd",
            command_line="console=ttyS0 quiet boot_method=vmedia",
            agent_port=port,
            cdrom=make_iso(folder, "VMEDIA_BOOT_ISO", files),
        )
        started = time.monotonic()
        try:
            heartbeat = service.heartbeats.get(timeout=_BOOT_LIMIT_S)
            print(f"first heartbeat {time.monotonic() - started:.1f} s after power on")
            client = AgentClient(heartbeat["callback_url"], TOKEN, heartbeat["agent_verify_ca"])
            client.wait_until_answering()
            yield Lab(machine, service, images, client)
        finally:
            machine.kill()
            print(machine.console_text()[-8000:])


def config_drive(folder: Path, hostname: str) -> tuple[str, bytes]:
    iso = make_iso(folder, "config-2", {"openstack/latest/meta_data.json": f'{{"hostname": "{hostname}"}}'})
    content = iso.read_bytes()
    return base64.b64encode(gzip.compress(content)).decode(), content


def assert_deployed(lab: Lab, image: Path, drive: bytes) -> None:
    with open_disk(str(lab.machine.disk)) as disk:
        table = read_gpt(disk)
        assert table is not None
        assert [part.name for part in table.partitions][1:] == ["root", "config-2"]
        expected = image.read_bytes()
        for partition in table.partitions[:2]:
            start, end = partition.start, partition.start + partition.size
            assert disk.read(start, partition.size) == expected[start:end], partition
        assert disk.read(table.partitions[2].start, len(drive)) == drive
        assert disk.read(disk.size_bytes - 512, 8) == b"EFI PART"
    verdict = subprocess.run(
        ["sgdisk", "-v", str(lab.machine.disk)], capture_output=True, text=True, check=True
    )
    assert "No problems found" in verdict.stdout


def test_the_inventory_shows_the_machine_as_it_was_built(lab: Lab) -> None:
    inventory = lab.run("poll.get_hardware_info")
    disks = {disk["serial"]: disk for disk in inventory["disks"]}
    assert set(disks) == {"DISK-A", "NVME-A"}
    assert disks["DISK-A"]["wwn"] == "0x5000c50015ea71ac"
    assert disks["DISK-A"]["rotational"] is False
    assert disks["NVME-A"]["tran"] == "nvme"
    (nic,) = inventory["interfaces"]
    assert nic["mac_address"] == "52:54:00:be:55:01"
    assert nic["ipv4_address"] == "10.0.2.15"
    assert inventory["boot"]["current_boot_mode"] == "uefi"
    assert inventory["memory"]["physical_mb"] == 1024


def test_disks_are_erased_by_what_they_can(lab: Lab) -> None:
    listed = lab.run("clean.get_clean_steps", node=NODE, ports=[])
    (steps,) = listed["clean_steps"].values()
    assert {step["step"]: step["priority"] for step in steps}["erase_devices_metadata"] == 99
    for path in (lab.machine.disk, lab.machine.nvme):
        with path.open("r+b") as stream:
            stream.seek(512 * 1024**2)
            stream.write(b"secret" * 1000)
    version = listed["hardware_manager_version"]
    step = {"interface": "deploy", "step": "erase_devices"}
    given = {"step": step, "node": NODE, "ports": [], "clean_version": version}
    done = lab.run("clean.execute_clean_step", **given)["clean_result"]
    assert done["/dev/sda"] == "discarded and zeroed"
    assert done["/dev/nvme0n1"].startswith("NVMe format")
    for path in (lab.machine.disk, lab.machine.nvme):
        with path.open("rb") as stream:
            stream.seek(512 * 1024**2)
            assert stream.read(6000) == bytes(6000)


def test_a_zstd_image_with_config_drive_is_deployed_and_its_metadata_wiped_again(
    lab: Lab, image: Path, folder: Path
) -> None:
    given, drive = config_drive(folder, "first")
    told = lab.deploy("/os.raw.zst", compress_zstd(image), "raw", given)
    assert told == "image (image-1) written to device /dev/sda"
    assert_deployed(lab, image, drive)
    assert lab.run("standby.get_partition_uuids")["partitions"].keys() == {"1", "2"}
    step = {"interface": "deploy", "step": "erase_devices_metadata"}
    lab.run("clean.execute_clean_step", step=step, node=NODE, ports=[])
    with lab.machine.disk.open("rb") as stream:
        assert stream.read(1024**2) == bytes(1024**2)
        stream.seek(-(1024**2), 2)
        assert stream.read() == bytes(1024**2)


def test_a_qcow2_image_is_deployed_and_the_firmware_told_to_boot_it(
    lab: Lab, image: Path, folder: Path
) -> None:
    given, drive = config_drive(folder, "second")
    lab.deploy("/os.qcow2", convert_qcow2(image), "qcow2", given)
    assert_deployed(lab, image, drive)
    for _ in range(2):  # the second time replaces the entry of the first
        told = lab.run("image.install_bootloader", root_uuid="0x0", target_boot_mode="uefi")
        assert "\\EFI\\testos\\shimx64.efi" in told["result"]
    lab.run("standby.sync")
    variables = lab.machine.variables.read_bytes()
    assert "Bessemer: testos".encode("utf-16-le") in variables
    assert "\\EFI\\testos\\shimx64.efi".encode("utf-16-le") in variables


def test_a_wrong_checksum_fails_and_leaves_nothing_to_boot(lab: Lab, image: Path) -> None:
    body = compress_zstd(image).read_bytes()
    info = {"id": "x", "urls": [lab.url("/bad.zst", body)], "checksum": "0" * 64, "disk_format": "raw"}
    step = {"interface": "deploy", "step": "write_image", "args": {"image_info": info}}
    result = lab.client.command("deploy.execute_deploy_step", step=step, node=NODE, ports=[])
    assert result["command_status"] == "FAILED"
    assert result["command_error"]["type"] == "ImageChecksumMismatch"
    with lab.machine.disk.open("rb") as stream:
        assert stream.read(1024**2) == bytes(1024**2)


def test_logs_come_without_the_token_and_the_console_never_had_it(lab: Lab) -> None:
    packed = base64.b64decode(lab.run("log.collect_system_logs")["system_logs"])
    assert TOKEN.encode() not in gzip.decompress(packed)
    console = lab.machine.console_text()
    assert "bessemer-agent: serving commands" in console
    assert TOKEN not in console


def test_the_machine_turns_itself_off_when_told(lab: Lab) -> None:
    lab.run("standby.power_off")
    assert lab.machine.wait(30) == 0
    assert lab.machine.disk.stat().st_size > IMAGE_BYTES
