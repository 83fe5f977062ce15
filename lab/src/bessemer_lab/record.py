"""What the lab remembers of a machine from one process to the next: one JSON file per machine."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from bessemer_lab.boot import BootSetting, OverrideEnabled
from bessemer_lab.error import LabError
from bessemer_lab.spec import BootDevice, Firmware


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """A virtual medium in the drive: where the image came from and where its copy lies."""

    url: str
    path: str

    @property
    def name(self) -> str:
        """The last part of the URL, without its query."""
        return self.url.split("?")[0].rstrip("/").rsplit("/", 1)[-1]


@dataclass(slots=True, kw_only=True)
class MachineRecord:
    """The durable state of one machine; written by its Mainboard only."""

    uuid: str
    #: Loopback ports, kept from run to run so that an enrolled node stays reachable; 0 before the first.
    bmc_port: int = 0
    agent_port: int = 0
    console_port: int = 0
    boot: BootSetting = field(default_factory=BootSetting)
    media: Media | None = None
    is_secure_boot: bool = False
    #: Whether the keys of Secure Boot were deleted (UEFI setup mode).
    is_setup_mode: bool = False
    bios: dict[str, str] = field(default_factory=dict)
    #: BIOS attributes that take effect at the next boot.
    pending_bios: dict[str, str] = field(default_factory=dict)
    indicator_led: str = "Off"
    asset_tag: str = ""


def find_record(path: Path) -> MachineRecord | None:
    """The record in a file, or None when there is no file yet.

    Raises:
        LabError: The file is there and is not a record.
    """
    try:
        text = path.read_text()
    except FileNotFoundError:
        return None
    try:
        return _decode(json.loads(text))
    except (ValueError, TypeError, KeyError) as error:
        raise LabError(f"{path} is not a machine record: {error}") from error


def save_record(record: MachineRecord, path: Path) -> None:
    """Write a record so that a reader sees either the old one or the new one, never half of it."""
    write_private(path, json.dumps(asdict(record), indent=1) + "\n")


def write_private(path: Path, text: str) -> None:
    """Write a text only its owner can read, replacing the file as one step."""
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    fresh.touch(mode=0o600)
    fresh.write_text(text)
    fresh.replace(path)


def _decode(data: dict[str, Any]) -> MachineRecord:
    boot = data.pop("boot")
    media = data.pop("media")
    return MachineRecord(
        boot=BootSetting(
            firmware=Firmware(boot["firmware"]),
            enabled=OverrideEnabled(boot["enabled"]),
            target=BootDevice(boot["target"]) if boot["target"] else None,
        ),
        media=Media(**media) if media else None,
        **data,
    )
