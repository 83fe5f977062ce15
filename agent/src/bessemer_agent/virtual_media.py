"""Configuration brought by the virtual-media ISO the machine was booted from.

The ISO (volume label ``VMEDIA_BOOT_ISO``, or ``config-2`` when it also carries metadata) holds files under
``etc/ironic-python-agent/`` (certificates) and ``etc/ironic-python-agent.d/`` (INI files ``*.conf``); both
folders are copied to the same place of the ramdisk. As in ironic-python-agent this happens only when the
kernel parameter ``boot_method`` is ``vmedia``: otherwise a forgotten USB stick could tell the agent whom to
obey.
"""

import time
from collections.abc import Callable
from pathlib import Path

from bessemer_agent.error import AgentError
from bessemer_agent.journal import say
from bessemer_agent.mount import Mount, mounted
from bessemer_agent.settings import parse_config_text

#: Volume labels that mark our medium, the boot ISO's own first; compared without case.
LABELS = ("vmedia_boot_iso", "config-2")
_FOLDERS = ("etc/ironic-python-agent", "etc/ironic-python-agent.d")
#: ISO 9660: the primary volume descriptor is sector 16; its volume identifier has 32 characters at offset 40.
_DESCRIPTOR_OFFSET = 16 * 2048
#: Seconds to wait for the medium, and between two looks.
_WAIT_S, _LOOK_S = 20.0, 0.5


class VirtualMediaError(AgentError):
    """The virtual medium could not be read."""


def find_medium(root: Path = Path("/")) -> Path | None:
    """The device that carries our medium: an optical or removable drive with one of :data:`LABELS`."""
    found: dict[str, Path] = {}
    for entry in sorted((root / "sys/block").glob("*")):
        removable = entry / "removable"
        if entry.name.startswith("sr") or (removable.is_file() and removable.read_text().strip() == "1"):
            label = read_iso_label(root / "dev" / entry.name)
            if label and label.lower() in LABELS:
                found.setdefault(label.lower(), root / "dev" / entry.name)
    return next((found[label] for label in LABELS if label in found), None)


def read_iso_label(device: Path) -> str | None:
    """The ISO 9660 volume label on a device or file; None without medium or with another file system."""
    try:
        with device.open("rb") as stream:
            stream.seek(_DESCRIPTOR_OFFSET)
            descriptor = stream.read(2048)
    except OSError:
        return None
    if descriptor[1:6] != b"CD001":
        return None
    return descriptor[40:72].decode("ascii", "replace").strip()


def copy_configuration(medium: Path, root: Path = Path("/")) -> int:
    """Copy the medium's agent folders into the ramdisk; the number of files copied. Idempotent."""
    copied = 0
    for folder in _FOLDERS:
        source = medium / folder
        for path in sorted(source.iterdir()) if source.is_dir() else []:
            if path.is_file():
                target = root / folder / path.name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.touch(mode=0o600)  # it may hold the token
                target.write_bytes(path.read_bytes())
                copied += 1
    return copied


def read_configuration(root: Path = Path("/")) -> dict[str, str]:
    """The options of all ``*.conf`` files in the ramdisk's configuration folders, later files winning.

    Raises:
        InvalidSetting: A file is not INI.
    """
    options: dict[str, str] = {}
    for folder in _FOLDERS:
        for path in sorted((root / folder).glob("*.conf")):
            options.update(parse_config_text(path.read_text(), path.name))
    return options


def wait_for_medium(root: Path, pause: Callable[[float], None]) -> Path | None:
    """The device that carries our medium, which a BMC may plug in seconds after the kernel started; None
    when it did not come.
    """
    for _ in range(round(_WAIT_S / _LOOK_S)):
        found = find_medium(root)
        if found:
            return found
        pause(_LOOK_S)
    return find_medium(root)


def load_configuration(
    boot_method: str | None,
    root: Path = Path("/"),
    mount: Mount = mounted,
    pause: Callable[[float], None] = time.sleep,
) -> dict[str, str]:
    """Bring the medium's configuration into the ramdisk when booted from it, and read it.

    Raises:
        VirtualMediaError: The medium is there but cannot be read.
        InvalidSetting: A file of it is not INI.
    """
    if boot_method == "vmedia":
        device = wait_for_medium(root, pause)
        if device is None:
            say("no virtual medium with a known label", labels=",".join(LABELS))
        else:
            try:
                with mount(str(device), "iso9660") as medium:
                    copied = copy_configuration(medium, root)
            except (OSError, AgentError) as error:
                raise VirtualMediaError(f"{device}: {error}") from error
            say("configuration copied from virtual media", device=device, files=copied)
    return read_configuration(root)
