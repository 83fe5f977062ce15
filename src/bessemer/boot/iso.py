"""The boot ISO: one template per kernel and ramdisk, and a node's own ISO rendered from it while it is read.

The template holds two files of fixed size full of line breaks: GRUB's configuration and the agent's. A node's
ISO is the template with other bytes in those two places, so its size and every offset are those of the
template, nothing is written per node, and a secret exists only in memory and on the wire.

Source for the boot entries: the El Torito specification; UEFI specification 2.10, section 13.3.2.1.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from os import SEEK_END
from pathlib import Path

from bessemer.kernel.error import InternalError, InvalidValue
from bessemer.transfer.blob import FileBlob, Patch
from bessemer.transfer.file import KnownFile
from bessemer.transfer.iso9660 import BLOCK_BYTES, IsoTree, find_extents

#: The label by which the agent finds the medium it was booted from.
VOLUME_LABEL = "VMEDIA_BOOT_ISO"
#: Change this when the layout changes: templates in caches were made by older programs.
LAYOUT = "1"

GRUB_CONFIG = "boot/grub/grub.cfg"
AGENT_CONFIG = "etc/ironic-python-agent.d/bessemer.conf"
#: The files that differ from node to node, and the room each has.
SLOTS = {GRUB_CONFIG: 4096, AGENT_CONFIG: 8192}

_EFI_IMAGE, _BIOS_IMAGE = "boot/grub/efi.img", "boot/grub/bios.img"
_CATALOG = "boot/boot.cat"
# Readers fetch many blocks at once; one that then meets the end of the disc gets nothing (GRUB under BIOS).
_PADDING_BYTES = 150 * BLOCK_BYTES
_EFI_PLATFORM = 0xEF


@dataclass(frozen=True, slots=True)
class TemplateParts:
    """The files a template is made of. Without ``bios_image`` only UEFI machines can boot it."""

    kernel: Path
    ramdisk: Path
    efi_image: Path
    bios_image: Path | None


@dataclass(frozen=True, slots=True)
class IsoTemplate:
    """A template on disk and where in it the slots lie, as offsets in bytes."""

    file: KnownFile
    identity: str
    offsets: Mapping[str, int]

    def render(self, documents: Mapping[str, str]) -> FileBlob:
        """Give the ISO with ``documents`` (by the names in ``SLOTS``) in their places.

        Raises:
            InvalidValue: A document is too long for its slot.
        """
        patches = []
        for name, text in documents.items():
            data = text.encode()
            if len(data) > SLOTS[name]:
                raise InvalidValue(f"/{name} of the boot ISO would be longer than {SLOTS[name]} bytes.")
            patches.append(Patch(self.offsets[name], data.ljust(SLOTS[name], b"\n")))
        return FileBlob(self.file, tuple(patches), self.identity)


def write_template(parts: TemplateParts, target: Path) -> None:
    """Write a template ISO to ``target``. Blocks while tens of megabytes are copied: call it in a thread.

    Raises:
        InternalError: The ISO could not be put together.
        OSError: A part cannot be read, or the target not be written.
    """
    with IsoTree(VOLUME_LABEL) as tree:
        for name, size in SLOTS.items():
            tree.add_bytes(name, b"\n" * size)
        tree.add_file("boot/vmlinuz", parts.kernel)
        tree.add_file("boot/ramdisk", parts.ramdisk)
        tree.add_file(_EFI_IMAGE, parts.efi_image)
        if parts.bios_image is not None:
            tree.add_file(_BIOS_IMAGE, parts.bios_image)
            # GRUB's first stage reads from this table where on the disc the rest of it is.
            tree.make_bootable(_BIOS_IMAGE, _CATALOG, boot_load_size=4, boot_info_table=True)
        tree.make_bootable(_EFI_IMAGE, _CATALOG, platform_id=_EFI_PLATFORM, efi=True)
        with target.open("wb") as file:
            tree.write(file)
            file.seek(0, SEEK_END)
            file.write(bytes(_PADDING_BYTES))


def open_template(file: KnownFile, identity: str) -> IsoTemplate:
    """Find the slots of a template written earlier. Reads the directories only, but call it in a thread.

    Raises:
        InternalError: The file is not such a template.
    """
    extents = find_extents(file.path, list(SLOTS))
    if any(extents[name][1] != size for name, size in SLOTS.items()):
        raise InternalError(f"{file.path} is a boot ISO template of another layout.")
    return IsoTemplate(file, identity, {name: offset for name, (offset, _) in extents.items()})
