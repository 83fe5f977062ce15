import json
import os
from collections.abc import Callable

import pytest

from bessemer_agent.context import Context, Machine
from bessemer_agent.disk import MIB, Disk, open_disk
from bessemer_agent.erase import Options, list_erasable, read_options
from bessemer_agent.erase.ata import Security, erase_ata, parse_security, unlock_ata
from bessemer_agent.erase.device import Erased, Eraser, for_each_device
from bessemer_agent.erase.guard import refuse_shared_filesystem
from bessemer_agent.erase.metadata import wipe_metadata
from bessemer_agent.erase.nvme import erase_nvme
from bessemer_agent.erase.overwrite import verify_zeros
from bessemer_agent.error import ChildFailed, DeviceError, EraseFailed
from bessemer_agent.inventory.block_device import BlockDevice
from bessemer_agent.progress import Progress
from bessemer_agent.settings import Settings
from bessemer_agent.step import current_versions, execute_step
from bessemer_agent.step.table import Phase
from unit.agent.device_maker import PLAIN
from unit.agent.fake_child import FakeChild
from unit.agent.table_maker import new_gpt, put_mbr

MakeDisk = Callable[..., Disk]
HDPARM = """
/dev/sda:

ATA device, with non-removable media
Security:
	Master password revision code = 65534
		supported
	not	enabled
	not	locked
	not	frozen
	not	expired: security count
		supported: enhanced erase
	2min for SECURITY ERASE UNIT. 4min for ENHANCED SECURITY ERASE UNIT.
Logical Unit WWN Device Identifier: 5000c50015ea71ac
"""


def nvme_identity(**fields: int) -> str:
    return json.dumps({"nn": 1, "oacs": 0, "fna": 0, "sanicap": 0} | fields)


def device_of(disk: Disk, **changes: object) -> BlockDevice:
    return PLAIN._replace(name=disk.path, size=disk.size_bytes, tran="virtio")._replace(**changes)  # type: ignore[arg-type]


def counted_nothing(size_bytes: int) -> None:
    assert size_bytes >= 0


def test_metadata_is_wiped_from_partitions_and_disk_and_data_is_left(make_disk: MakeDisk) -> None:
    disk = make_disk(128 * MIB)
    put_mbr(disk, (0x83, 8 * 2048, 100 * 2048))
    wipe_metadata(disk)
    for start in (0, 8 * MIB, 107 * MIB, 127 * MIB, 64 * MIB, 72 * MIB):
        assert disk.read(start, 4096) == bytes(4096), start
    assert disk.read(20 * MIB, MIB) == b"\xaa" * MIB


def test_wiping_metadata_twice_is_the_same_as_once(make_disk: MakeDisk) -> None:
    disk = make_disk(16 * MIB, fill=b"\0")
    new_gpt(disk)
    wipe_metadata(disk)
    wipe_metadata(disk)
    assert not disk.read(0, disk.size_bytes).strip(b"\0")


def test_a_damaged_partition_table_does_not_keep_a_disk_from_being_wiped(make_disk: MakeDisk) -> None:
    disk = make_disk(16 * MIB, fill=b"\0")
    new_gpt(disk)
    disk.write(512 + 30, b"\xff")
    disk.write(disk.size_bytes - 512 + 30, b"\xff")
    wipe_metadata(disk)
    assert not disk.read(0, MIB).strip(b"\0")


@pytest.mark.parametrize("name", ["gfs2", "vmfs", "type"])
def test_a_shared_cluster_file_system_is_not_erased(make_disk: MakeDisk, name: str) -> None:
    disk = make_disk(16 * MIB, fill=b"\0")
    if name == "type":
        put_mbr(disk, (0xFB, 2048, 4096))
    else:
        put_mbr(disk, (0x83, 2048, 8192))
        at, magic = (65536, "01161970") if name == "gfs2" else (MIB, "0dd001c0")
        disk.write(MIB + at, bytes.fromhex(magic))
    with pytest.raises(EraseFailed, match="ipa-guard-special-filesystems=false"):
        refuse_shared_filesystem(disk)
    eraser = Eraser(Options(), FakeChild(), open_disk)
    with pytest.raises(EraseFailed, match="other machines"):
        eraser.erase(device_of(disk), counted_nothing)


def test_a_disk_without_abilities_is_overwritten_with_zeros(make_disk: MakeDisk) -> None:
    disk = make_disk(8 * MIB)
    done: list[int] = []
    erased = Eraser(Options(), FakeChild(), open_disk).erase(device_of(disk), done.append)
    assert erased == Erased("zeroed", is_zeroed=True)
    assert not disk.read(0, disk.size_bytes).strip(b"\0")
    assert sum(done) == disk.size_bytes


def test_random_passes_come_before_the_zeros_and_count(make_disk: MakeDisk) -> None:
    disk = make_disk(4 * MIB)
    done: list[int] = []
    erased = Eraser(Options(random_passes=2), FakeChild(), open_disk).erase(device_of(disk), done.append)
    assert erased.method == "overwritten 2 times, zeroed"
    assert sum(done) == 3 * disk.size_bytes


def test_without_zeroing_the_disk_ends_random_and_is_not_known_zero(make_disk: MakeDisk) -> None:
    disk = make_disk(4 * MIB)
    options = Options(random_passes=1, is_zeroing=False)
    erased = Eraser(options, FakeChild(), open_disk).erase(device_of(disk), counted_nothing)
    assert not erased.is_zeroed
    assert disk.read(0, 4096) not in (bytes(4096), b"\xaa" * 4096)


def test_zeros_that_did_not_arrive_are_noticed(make_disk: MakeDisk) -> None:
    disk = make_disk(16 * MIB, fill=b"\0")
    verify_zeros(disk)
    disk.write(disk.size_bytes - 10, b"x")
    with pytest.raises(EraseFailed, match="does not read as zeros"):
        verify_zeros(disk)


@pytest.mark.parametrize(
    ("identity", "command", "told"),
    [
        (nvme_identity(sanicap=3), "nvme sanitize /dev/nvme0 --sanact=4", "sanitize, cryptographic"),
        (nvme_identity(sanicap=2), "nvme sanitize /dev/nvme0 --sanact=2", "sanitize, block"),
        (nvme_identity(sanicap=3, nn=2, oacs=2), "nvme format /dev/nvme0n1 --ses=1 --force", "user data"),
        (nvme_identity(oacs=2, fna=4), "nvme format /dev/nvme0n1 --ses=2 --force", "cryptographic"),
    ],
)
def test_nvme_drives_erase_themselves_by_what_they_can_best(identity: str, command: str, told: str) -> None:
    logs = ["\0\0\2\0", "\xff\xff\1\0"]
    child = FakeChild(
        {
            "nvme id-ctrl": identity,
            "nvme get-log": lambda argv: logs.pop(0),
            "nvme sanitize": "",
            "nvme format": "",
        }
    )
    pauses: list[float] = []
    method = erase_nvme("/dev/nvme0n1", child, pauses.append)
    assert method is not None
    assert told in method
    assert command in child.lines()
    assert len(pauses) == ("sanitize" in command)


def test_a_sanitize_that_fails_is_an_error() -> None:
    child = FakeChild(
        {"nvme id-ctrl": nvme_identity(sanicap=1), "nvme get-log": "\0\0\3\0", "nvme sanitize": ""}
    )
    with pytest.raises(EraseFailed, match="sanitize failed"):
        erase_nvme("/dev/nvme0n1", child)


def test_an_nvme_drive_that_can_do_neither_is_left_to_the_next_method() -> None:
    assert erase_nvme("/dev/nvme0n1", FakeChild({"nvme id-ctrl": nvme_identity()})) is None
    assert erase_nvme("/dev/nvme0n1", FakeChild()) is None


def test_the_security_section_of_hdparm_is_understood() -> None:
    security = parse_security(HDPARM)
    assert security == Security(
        is_supported=True,
        is_enabled=False,
        is_locked=False,
        is_frozen=False,
        has_enhanced=True,
        estimate_s=240.0,
    )
    assert parse_security("/dev/sda:\nno such section") is None


def test_an_ata_drive_is_erased_with_its_enhanced_command() -> None:
    child = FakeChild({"hdparm -I": HDPARM, "hdparm --user-master": ""})
    assert erase_ata("/dev/sda", child) == "ATA enhanced secure erase"
    assert child.lines()[1:] == [
        "hdparm --user-master u --security-set-pass NULL /dev/sda",
        "hdparm --user-master u --security-erase-enhanced NULL /dev/sda",
    ]


@pytest.mark.parametrize("change", [("not\tfrozen", "\tfrozen"), ("\t\tsupported\n", "\tnot\tsupported\n")])
def test_a_frozen_or_unable_ata_drive_is_left_to_the_next_method(change: tuple[str, str]) -> None:
    assert erase_ata("/dev/sda", FakeChild({"hdparm -I": HDPARM.replace(*change)})) is None


LOCKED = HDPARM.replace("not\tlocked", "\tlocked")


class LockedDisk(Disk):
    """A drive that answers no read until its password was given."""

    def __init__(self, disk: Disk, child: FakeChild) -> None:
        super().__init__(disk.path, os.dup(disk._fd))
        self._child = child

    def read(self, offset: int, length: int) -> bytes:
        if f"hdparm --user-master u --security-unlock NULL {self.path}" not in self._child.lines():
            raise DeviceError(f"{self.path}: Input/output error")
        return super().read(offset, length)


@pytest.mark.parametrize("step", ["erase_devices", "erase_devices_express", "erase_devices_metadata"])
def test_a_drive_that_an_interrupted_erasure_left_locked_is_erased(make_disk: MakeDisk, step: str) -> None:
    disk = make_disk(8 * MIB)
    child = FakeChild(
        {"hdparm -I": lambda argv: HDPARM if "unlock" in str(child.calls) else LOCKED, "hdparm": ""}
    )
    device = device_of(disk, tran="sata")
    machine = Machine(lambda: [device], run=child, open_disk=lambda path: LockedDisk(disk, child))
    done = execute_step(
        Phase.CLEAN, Context(Settings(), machine), Progress(), step={"step": step}, node={}, ports=[],
        version=current_versions(),
    )  # fmt: skip
    assert done == {disk.path: "ATA enhanced secure erase" if step == "erase_devices" else "metadata wiped"}
    assert child.lines()[2] == f"hdparm --user-master u --security-disable NULL {disk.path}"


def test_a_drive_with_another_password_is_left_locked() -> None:
    child = FakeChild({"hdparm -I": LOCKED, "hdparm": ChildFailed("bad password")})
    unlock_ata("/dev/sda", child)
    assert len(child.calls) == 2


def test_a_drive_that_is_not_locked_is_only_looked_at() -> None:
    for child in (FakeChild({"hdparm -I": HDPARM}), FakeChild()):
        unlock_ata("/dev/sda", child)
        assert len(child.calls) == 1


def test_a_failed_ata_erase_takes_the_password_off_and_is_an_error() -> None:
    child = FakeChild(
        {
            "hdparm -I": HDPARM,
            "hdparm --user-master u --security-erase": ChildFailed("I/O error"),
            "hdparm": "",
        }
    )
    with pytest.raises(EraseFailed, match="I/O error"):
        erase_ata("/dev/sda", child)
    assert child.lines()[-1] == "hdparm --user-master u --security-disable NULL /dev/sda"


def test_a_failed_secure_erase_ends_the_step_unless_the_node_allows_to_go_on(make_disk: MakeDisk) -> None:
    disk = make_disk(4 * MIB)
    answers: dict[str, str | Exception] = {
        "hdparm -I": HDPARM,
        "hdparm --user-master u --security-erase": ChildFailed("I/O error"),
        "hdparm": "",
    }
    device = device_of(disk, tran="sata")
    with pytest.raises(EraseFailed):
        Eraser(Options(), FakeChild(dict(answers)), open_disk).erase(device, counted_nothing)
    assert disk.read(0, 16) == b"\xaa" * 16
    lenient = Eraser(Options(may_continue=True), FakeChild(dict(answers)), open_disk)
    assert lenient.erase(device, counted_nothing).is_zeroed


def test_secure_erase_can_be_switched_off(make_disk: MakeDisk) -> None:
    disk = make_disk(4 * MIB)
    child = FakeChild()
    options = Options(is_ata_enabled=False, is_nvme_enabled=False)
    for tran in ("sata", "nvme"):
        Eraser(options, child, open_disk).erase(device_of(disk, tran=tran), counted_nothing)
    assert child.calls == []


def test_express_erasure_wipes_metadata_where_the_drive_has_no_fast_way(make_disk: MakeDisk) -> None:
    disk = make_disk(8 * MIB)
    erased = Eraser(Options(), FakeChild(), open_disk).erase_express(device_of(disk), wipe_metadata)
    assert erased.method == "metadata wiped"
    assert disk.read(4 * MIB, 16) == b"\xaa" * 16


def test_express_erasure_lets_nvme_drives_do_it(make_disk: MakeDisk) -> None:
    disk = make_disk(8 * MIB)
    child = FakeChild({"nvme id-ctrl": nvme_identity(oacs=2), "nvme format": ""})
    eraser = Eraser(Options(), child, open_disk)
    assert "NVMe format" in eraser.erase_express(device_of(disk, tran="nvme"), wipe_metadata).method


def test_all_disks_are_tried_and_the_failures_named() -> None:
    devices = [PLAIN._replace(name=f"/dev/sd{letter}") for letter in "abc"]
    seen: list[str] = []

    def work(device: BlockDevice) -> Erased:
        seen.append(device.name)
        if device.name == "/dev/sdb":
            raise DeviceError("it is broken")
        return Erased("zeroed", is_zeroed=True)

    with pytest.raises(EraseFailed, match=r"^/dev/sdb: it is broken$"):
        for_each_device(devices, work, concurrency=1)
    assert seen == ["/dev/sda", "/dev/sdb", "/dev/sdc"]


def test_an_error_nobody_foresaw_is_a_disk_not_erased() -> None:
    def work(device: BlockDevice) -> Erased:
        raise ZeroDivisionError(device.name)

    with pytest.raises(EraseFailed, match="/dev/sda"):
        for_each_device([PLAIN], work, 1)


def test_disks_are_erased_at_the_same_time() -> None:
    import threading

    both = threading.Barrier(2, timeout=60)

    def work(device: BlockDevice) -> Erased:
        both.wait()
        return Erased(device.name, is_zeroed=False)

    done = for_each_device([PLAIN, PLAIN._replace(name="/dev/sdb")], work, concurrency=4)
    assert set(done) == {"/dev/sda", "/dev/sdb"}


def test_no_disks_is_nothing_to_do() -> None:
    assert for_each_device([], lambda device: Erased("", is_zeroed=False), 4) == {}


def test_read_only_removable_and_skipped_disks_are_not_erasable() -> None:
    devices = [
        PLAIN,
        PLAIN._replace(name="/dev/sdb", is_read_only=True),
        PLAIN._replace(name="/dev/sdc", is_removable=True),
        PLAIN._replace(name="/dev/sdd", serial="KEEP"),
    ]
    node = {"properties": {"skip_block_devices": [{"serial": "keep"}]}}
    assert list_erasable(devices, node) == [PLAIN]


def test_options_are_read_from_the_nodes_internal_info() -> None:
    info = {
        "agent_erase_devices_iterations": 3,
        "agent_erase_devices_zeroize": False,
        "agent_continue_if_secure_erase_failed": "True",
        "agent_enable_ata_secure_erase": False,
        "agent_enable_nvme_secure_erase": None,
        "disk_erasure_concurrency": 0,
    }
    assert read_options({"driver_internal_info": info}) == Options(
        random_passes=3,
        is_zeroing=False,
        is_ata_enabled=False,
        is_nvme_enabled=True,
        may_continue=True,
        concurrency=1,
    )
    assert read_options({}) == Options()
