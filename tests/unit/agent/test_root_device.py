import pytest

from bessemer_agent.error import DeviceNotFound, InvalidRequest
from bessemer_agent.root_device import GIB, choose_root_device, find_devices, parse_hints, without_skipped
from unit.agent.device_maker import PLAIN

SMALL = PLAIN._replace(name="/dev/sdb", size=10 * GIB + 5, serial="OTHER", rotational=False, vendor=None)


@pytest.mark.parametrize(
    "hints",
    [
        {"size": 100},
        {"size": "100"},
        {"size": "== 100"},
        {"size": "= 90"},
        {"size": ">= 100"},
        {"size": ">=100"},
        {"size": "> 99"},
        {"size": "< 101"},
        {"size": "<= 100"},
        {"size": "!= 10"},
        {"size": "<or> 100 <or> 200"},
        {"model": "superdisk 9000"},
        {"model": "SuperDisk%209000"},
        {"model": "s== SuperDisk 9000"},
        {"model": "s!= other"},
        {"model": "s> a"},
        {"model": "s>= superdisk 9000"},
        {"model": "s< z"},
        {"model": "s<= superdisk 9000"},
        {"model": "<in> disk"},
        {"model": "<all-in> super <all-in> 9000"},
        {"model": "<or> other <or> SuperDisk 9000"},
        {"rotational": True},
        {"rotational": "yes"},
        {"wwn": "0x5000C50015EA71AC", "serial": "s3r14l"},
        {"name": "/dev/sda", "hctl": "1:0:0:0", "by_path": "/dev/disk/by-path/pci-0000:00:07.0"},
        {"wwn_with_extension": "0x5000c50015ea71aceui", "wwn_vendor_extension": "eui", "tran": "sata"},
    ],
)
def test_a_device_that_has_what_every_hint_asks_for_matches(hints: dict[str, object]) -> None:
    assert find_devices([PLAIN], hints) == [PLAIN]


@pytest.mark.parametrize(
    "hints",
    [
        {"size": 99},
        {"size": "> 100"},
        {"size": "= 101"},
        {"model": "superdisk"},
        {"model": "<all-in> super <all-in> mini"},
        {"model": "<or> a <or> b"},
        {"rotational": False},
        {"model": "superdisk 9000", "serial": "wrong"},
    ],
)
def test_a_device_that_misses_one_hint_does_not_match(hints: dict[str, object]) -> None:
    assert find_devices([PLAIN], hints) == []


def test_an_attribute_the_device_does_not_have_never_matches() -> None:
    assert find_devices([SMALL], {"vendor": "s!= acme"}) == []


def test_a_size_hint_counts_whole_gibibytes() -> None:
    assert find_devices([SMALL], {"size": 10}) == [SMALL]


@pytest.mark.parametrize(
    ("hints", "why"),
    [
        ({"colour": "red"}, "unknown root device hint 'colour'"),
        ({"size": "large"}, "compares numbers"),
        ({"size": ">="}, "lacks a value"),
        ({"rotational": "maybe"}, "true or false"),
        ({"model": "<or> a <or>"}, "lacks a value"),
    ],
)
def test_a_hint_that_makes_no_sense_is_refused(hints: dict[str, object], why: str) -> None:
    with pytest.raises(InvalidRequest, match=why):
        parse_hints(hints)


def test_without_hints_the_smallest_disk_of_at_least_four_gib_is_taken() -> None:
    tiny = PLAIN._replace(name="/dev/sdc", size=4 * GIB - 1)
    assert choose_root_device([PLAIN, SMALL, tiny], None) == SMALL


def test_of_equally_small_disks_the_first_by_name_is_taken() -> None:
    twin = SMALL._replace(name="/dev/sdaa")
    assert choose_root_device([SMALL, twin], {}) == twin


def test_removable_read_only_and_skipped_disks_are_not_taken() -> None:
    stick = SMALL._replace(name="/dev/sdc", is_removable=True)
    sealed = SMALL._replace(name="/dev/sdd", is_read_only=True)
    assert choose_root_device([PLAIN, SMALL, stick, sealed], None, skip=[{"serial": "other"}]) == PLAIN


def test_hints_choose_among_disks_of_any_size() -> None:
    assert choose_root_device([SMALL, PLAIN], {"serial": "S3R14L"}) == PLAIN


def test_no_fitting_disk_is_an_error_that_lists_the_disks() -> None:
    with pytest.raises(DeviceNotFound, match=r"serial.*nothing.*/dev/sda \(100\.0 GiB\)"):
        choose_root_device([PLAIN], {"serial": "nothing"})
    with pytest.raises(DeviceNotFound, match="none"):
        choose_root_device([], None)


def test_a_skip_entry_that_names_a_raid_volume_skips_no_disk() -> None:
    assert without_skipped([PLAIN], [{"volume_name": "large"}]) == [PLAIN]


def test_all_hints_of_a_skip_entry_must_match() -> None:
    assert without_skipped([PLAIN, SMALL], [{"name": "/dev/sda", "vendor": "other"}]) == [PLAIN, SMALL]
    assert without_skipped([PLAIN, SMALL], [{"name": "/dev/sda", "vendor": "acme"}]) == [SMALL]


def test_a_serial_hint_matches_any_number_the_drive_is_known_by() -> None:
    drive = PLAIN._replace(serial="DISK-A", serials=("DISK-A", "5000c50015ea71ac", "0QEMU_DISK-A"))
    for serial in ("disk-a", "5000C50015EA71AC", "0qemu_disk-a"):
        assert find_devices([drive], {"serial": serial}) == [drive]
    assert find_devices([drive], {"serial": "other"}) == []
