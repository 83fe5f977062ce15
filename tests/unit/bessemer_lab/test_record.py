"""What is remembered of a machine."""

import stat
from pathlib import Path

import pytest

from bessemer_lab.boot import BootSetting, OverrideEnabled
from bessemer_lab.error import LabError
from bessemer_lab.record import MachineRecord, Media, find_record, save_record
from bessemer_lab.spec import BootDevice, Firmware


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    record = MachineRecord(
        uuid="4f1c8c5e-7f0e-4a52-9d0a-6a1d9c1f0b11",
        bmc_port=1,
        boot=BootSetting(firmware=Firmware.BIOS, enabled=OverrideEnabled.CONTINUOUS, target=BootDevice.PXE),
        media=Media(url="http://host/a.iso?x=1", path="/lab/a.iso"),
        pending_bios={"NumLock": "Off"},
    )
    save_record(record, tmp_path / "machine.json")
    assert find_record(tmp_path / "machine.json") == record


def test_there_is_no_record_before_the_first_was_written(tmp_path: Path) -> None:
    assert find_record(tmp_path / "machine.json") is None


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"boot": {}, "media": null}'])
def test_a_damaged_record_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "machine.json"
    path.write_text(text)
    with pytest.raises(LabError, match=r"machine\.json is not a machine record"):
        find_record(path)


def test_a_record_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    save_record(MachineRecord(uuid="x"), tmp_path / "machine.json")
    assert stat.S_IMODE((tmp_path / "machine.json").stat().st_mode) == 0o600


def test_the_name_of_a_medium_is_the_end_of_its_path() -> None:
    assert Media(url="http://host/dir/boot.iso?token=1", path="").name == "boot.iso"
