"""The variable store of a machine's firmware."""

from pathlib import Path

import pytest

from bessemer_lab.error import MissingPackage
from bessemer_lab.firmware import (
    PLAIN,
    SECURE,
    SETUP,
    UefiFirmware,
    choose_uefi,
    ensure_nvram,
    remove_secure_nvram,
)


def make_firmware(directory: Path) -> UefiFirmware:
    code, variables = directory / "code.fd", directory / "template.fd"
    code.write_bytes(b"code")
    variables.write_bytes(b"template")
    return UefiFirmware(code, variables, has_smm=False)


def test_the_store_begins_as_the_template_and_keeps_what_the_guest_wrote(tmp_path: Path) -> None:
    firmware = make_firmware(tmp_path)
    store = ensure_nvram(firmware, tmp_path)
    assert store.read_bytes() == b"template"
    store.write_bytes(b"boot entry")
    assert ensure_nvram(firmware, tmp_path).read_bytes() == b"boot entry"


def test_firmware_that_is_not_installed_is_named_with_its_package(tmp_path: Path) -> None:
    missing = UefiFirmware(tmp_path / "code.fd", tmp_path / "vars.fd", has_smm=False)
    with pytest.raises(MissingPackage, match="install the package ovmf"):
        ensure_nvram(missing, tmp_path)


def test_forgetting_the_keys_leaves_the_ordinary_store(tmp_path: Path) -> None:
    for name in ("uefi", "secure", "setup"):
        (tmp_path / f"nvram-{name}.fd").touch()
    remove_secure_nvram(tmp_path)
    remove_secure_nvram(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["nvram-uefi.fd"]


def test_the_settings_of_secure_boot_choose_the_firmware() -> None:
    assert choose_uefi(is_secure_boot=False, is_setup_mode=False) is PLAIN
    assert choose_uefi(is_secure_boot=False, is_setup_mode=True) is PLAIN
    assert choose_uefi(is_secure_boot=True, is_setup_mode=False) is SECURE
    assert choose_uefi(is_secure_boot=True, is_setup_mode=True) is SETUP
