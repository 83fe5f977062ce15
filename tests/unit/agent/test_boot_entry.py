from pathlib import Path

import pytest

from bessemer_agent.boot_entry import (
    DISK_ENTRY_PATTERN,
    Loader,
    clean_boot_entries,
    ensure_boot_entries,
    ensure_boot_entry,
    find_loader,
    list_boot_entries,
)
from bessemer_agent.error import BootEntryError, ChildFailed
from unit.agent.fake_child import FakeChild

LISTING = """\
BootCurrent: 0003
Timeout: 0 seconds
BootOrder: 0003,0000,0001,0005
Boot0000* UiApp\tFvVol(7cb8bdc9-f8eb-4f34-aaea-3ee4af6516a1)/FvFile(462caa21)
Boot0001* UEFI Misc Device\tPciRoot(0x0)/Pci(0x3,0x0)N.....YM....R,Y.
Boot0003* Bessemer: debian\tHD(1,GPT,aaaa,0x800,0x1000)/File(\\EFI\\debian\\shimx64.efi)
Boot0005  debian\tHD(1,GPT,bbbb,0x800,0x1000)/File(\\EFI\\debian\\grubx64.efi)
Boot000A* Bessemer\tHD(1,GPT,cccc,0x800,0x1000)/File(\\EFI\\BOOT\\BOOTX64.EFI)
"""


def put(root: Path, path: str, data: bytes = b"MZ") -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_bytes(data)


@pytest.fixture(autouse=True)
def _on_x86(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    monkeypatch.setattr(os, "uname", lambda: os.uname_result(("Linux", "h", "6", "1", "x86_64")))


def test_the_removable_media_path_is_taken_without_regard_to_case(tmp_path: Path) -> None:
    put(tmp_path, "efi/boot/bootx64.efi")
    assert find_loader(tmp_path) == Loader("\\EFI\\boot\\bootx64.efi", "Bessemer")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le"])
def test_the_loader_the_image_recommends_comes_first(tmp_path: Path, encoding: str) -> None:
    put(tmp_path, "EFI/BOOT/BOOTX64.EFI")
    put(tmp_path, "EFI/debian/shimx64.efi")
    put(tmp_path, "EFI/debian/BOOTX64.CSV", "shimx64.efi,debian,,This is the boot entry\n".encode(encoding))
    assert find_loader(tmp_path) == Loader("\\EFI\\debian\\shimx64.efi", "Bessemer: debian")


def test_a_recommendation_that_is_not_there_or_leads_elsewhere_is_ignored(tmp_path: Path) -> None:
    put(tmp_path, "EFI/BOOT/BOOTX64.EFI")
    put(tmp_path, "EFI/a/BOOTX64.CSV", "gone.efi,a,,\n".encode("utf-16"))
    put(tmp_path, "EFI/b/BOOTX64.CSV", "..\\BOOT\\BOOTX64.EFI,b,,\n".encode("utf-16"))
    put(tmp_path, "EFI/c/BOOTX64.CSV", b"")
    assert find_loader(tmp_path).label == "Bessemer"


def test_a_partition_without_loader_is_an_error(tmp_path: Path) -> None:
    put(tmp_path, "EFI/BOOT/BOOTAA64.EFI")
    with pytest.raises(BootEntryError, match=r"BOOTX64\.EFI"):
        find_loader(tmp_path)
    with pytest.raises(BootEntryError):
        find_loader(tmp_path / "EFI")


def test_entries_are_listed_with_label_and_path() -> None:
    entries = list_boot_entries(FakeChild({"efibootmgr -v": LISTING}))
    assert [entry.number for entry in entries] == ["0000", "0001", "0003", "0005", "000A"]
    assert entries[3].label == "debian"
    assert entries[3].path.startswith("HD(1,GPT,bbbb")


def test_an_entry_is_made_and_former_ones_of_ours_are_removed() -> None:
    child = FakeChild({"efibootmgr -v": LISTING, "efibootmgr": ""})
    ensure_boot_entry("/dev/sda", 1, Loader("\\EFI\\BOOT\\BOOTX64.EFI", "Bessemer"), child)
    assert child.lines()[1:] == [
        "efibootmgr --bootnum 0003 --delete-bootnum",
        "efibootmgr --bootnum 000A --delete-bootnum",
        "efibootmgr --create --disk /dev/sda --part 1 --label Bessemer --loader \\EFI\\BOOT\\BOOTX64.EFI",
    ]


def test_a_full_variable_store_is_an_error_that_says_so() -> None:
    full = ChildFailed("efibootmgr: Could not prepare Boot variable: No space left on device")
    child = FakeChild({"efibootmgr -v": LISTING, "efibootmgr --create": full, "efibootmgr": ""})
    with pytest.raises(BootEntryError, match="No space left"):
        ensure_boot_entry("/dev/sda", 1, Loader("\\a.efi", "Bessemer"), child)


def test_cleaning_removes_entries_of_disks_and_keeps_the_firmwares_own() -> None:
    child = FakeChild({"efibootmgr -v": LISTING, "efibootmgr": ""})
    assert clean_boot_entries([DISK_ENTRY_PATTERN], child) == ["Bessemer: debian", "debian", "Bessemer"]
    assert "efibootmgr --bootnum 0000 --delete-bootnum" not in child.lines()


def test_cleaning_by_pattern_and_with_a_bad_one() -> None:
    child = FakeChild({"efibootmgr -v": LISTING, "efibootmgr": ""})
    assert clean_boot_entries(["^debian"], child) == ["debian"]
    with pytest.raises(BootEntryError, match="regular expression"):
        clean_boot_entries(["("], child)


def test_copies_on_several_disks_get_an_entry_each_the_first_disk_first() -> None:
    child = FakeChild({"efibootmgr -v": "", "efibootmgr": ""})
    ensure_boot_entries([("/dev/sda", 1), ("/dev/sdb", 1)], Loader("\\a.efi", "Bessemer"), child)
    made = [line for line in child.lines() if "--create" in line]
    assert ["/dev/sdb" in made[0], "/dev/sda" in made[1], len(made)] == [True, True, 2]
