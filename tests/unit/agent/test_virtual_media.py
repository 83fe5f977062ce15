from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bessemer_agent.error import ChildFailed
from bessemer_agent.mount import Mount
from bessemer_agent.virtual_media import VirtualMediaError, find_medium, load_configuration, read_iso_label


def make_iso(path: Path, label: str) -> None:
    descriptor = b"\x01CD001\x01\0" + bytes(32) + label.encode().ljust(32)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes(16 * 2048) + descriptor.ljust(2048, b"\0"))


def make_drive(root: Path, name: str, *, label: str | None = None, is_removable: bool = False) -> None:
    (root / "sys/block" / name).mkdir(parents=True)
    (root / "sys/block" / name / "removable").write_text("1\n" if is_removable else "0\n")
    (root / "dev").mkdir(exist_ok=True)
    if label is None:
        (root / "dev" / name).write_bytes(bytes(40000))
    else:
        make_iso(root / "dev" / name, label)


def mounting(medium: Path, seen: list[tuple[str, str]]) -> Mount:
    @contextmanager
    def mount(device: str, kind: str) -> Iterator[Path]:
        seen.append((device, kind))
        yield medium

    return mount


@pytest.fixture
def medium(tmp_path: Path) -> Path:
    folder = tmp_path / "medium"
    (folder / "etc/ironic-python-agent.d").mkdir(parents=True)
    (folder / "etc/ironic-python-agent").mkdir()
    (folder / "etc/ironic-python-agent.d/10-api.conf").write_text("[DEFAULT]\napi_url = http://media\n")
    (folder / "etc/ironic-python-agent.d/20-token.conf").write_text("[DEFAULT]\nagent_token = t0ken\n")
    (folder / "etc/ironic-python-agent/ironic.crt").write_text("certificate")
    return folder


def test_the_label_of_an_iso_is_read_without_udev(tmp_path: Path) -> None:
    make_iso(tmp_path / "a", "VMEDIA_BOOT_ISO")
    assert read_iso_label(tmp_path / "a") == "VMEDIA_BOOT_ISO"
    (tmp_path / "b").write_bytes(bytes(100))
    assert read_iso_label(tmp_path / "b") is None
    assert read_iso_label(tmp_path / "absent") is None


def test_the_boot_iso_is_preferred_to_another_config_medium(tmp_path: Path) -> None:
    make_drive(tmp_path, "sda", label="config-2", is_removable=True)
    make_drive(tmp_path, "sr0", label="VMEDIA_BOOT_ISO")
    assert find_medium(tmp_path) == tmp_path / "dev/sr0"


def test_a_fixed_disk_is_never_taken_for_virtual_media(tmp_path: Path) -> None:
    make_drive(tmp_path, "sda", label="config-2")
    make_drive(tmp_path, "sr0")
    assert find_medium(tmp_path) is None


def test_configuration_and_certificates_are_taken_from_the_medium(tmp_path: Path, medium: Path) -> None:
    make_drive(tmp_path, "sr0", label="config-2")
    seen: list[tuple[str, str]] = []
    options = load_configuration("vmedia", tmp_path, mounting(medium, seen))
    assert options == {"api_url": "http://media", "agent_token": "t0ken"}
    assert seen == [(str(tmp_path / "dev/sr0"), "iso9660")]
    assert (tmp_path / "etc/ironic-python-agent/ironic.crt").read_text() == "certificate"
    token_file = tmp_path / "etc/ironic-python-agent.d/20-token.conf"
    assert token_file.stat().st_mode & 0o077 == 0


def test_a_medium_is_ignored_unless_the_machine_was_booted_from_it(tmp_path: Path, medium: Path) -> None:
    make_drive(tmp_path, "sr0", label="config-2")
    seen: list[tuple[str, str]] = []
    assert load_configuration(None, tmp_path, mounting(medium, seen)) == {}
    assert seen == []


def test_a_medium_that_cannot_be_read_is_an_error_that_names_it(tmp_path: Path) -> None:
    make_drive(tmp_path, "sr0", label="config-2")

    @contextmanager
    def broken(device: str, kind: str) -> Iterator[Path]:
        raise ChildFailed("mount: input/output error")
        yield Path(device, kind)

    with pytest.raises(VirtualMediaError, match=r"sr0.*input/output error"):
        load_configuration("vmedia", tmp_path, broken)


def test_a_medium_that_is_plugged_in_late_is_waited_for(tmp_path: Path, medium: Path) -> None:
    (tmp_path / "sys/block").mkdir(parents=True)
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            make_drive(tmp_path, "sr0", label="VMEDIA_BOOT_ISO")

    options = load_configuration("vmedia", tmp_path, mounting(medium, []), pause)
    assert options["api_url"] == "http://media"
    assert len(pauses) == 3


def test_without_a_medium_the_agent_goes_on_with_what_the_kernel_was_told(tmp_path: Path) -> None:
    (tmp_path / "sys/block").mkdir(parents=True)
    pauses: list[float] = []
    assert load_configuration("vmedia", tmp_path, pause=pauses.append) == {}
    assert sum(pauses) == 20.0
