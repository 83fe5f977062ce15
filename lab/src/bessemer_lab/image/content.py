"""What is in the image: the initramfs that finds the root file system, and the root file system itself."""

import os
from importlib.resources import files
from pathlib import Path

from bessemer_lab.image.archive import character_device, directory, pack_archive, regular_file, symlink
from bessemer_lab.image.filesystem import EPOCH_S
from bessemer_lab.image.package import PackageTree

ROOT_LABEL = "bessemer-root"
#: On a busy host QEMU's timer can be too late for the kernel's test of it, which ends in a panic: no test.
KERNEL_ARGUMENTS = f"root=LABEL={ROOT_LABEL} console=ttyS0 quiet panic=5 no_timer_check"

#: Needed to reach the root file system; nvme and ext4 are part of the kernel.
STORAGE_MODULES = ("virtio_pci", "virtio_scsi", "virtio_blk", "sd_mod")
#: Needed by the running system: network, config drives, the power button.
SYSTEM_MODULES = (
    *("virtio_net", "virtio_rng", "evdev", "button", "sr_mod", "isofs"),
    *("vfat", "nls_cp437", "nls_ascii", "nls_iso8859_1", "nls_utf8"),
)

_APPLETS = (
    *("acpid", "awk", "cat", "chmod", "cp", "cut", "date", "dd", "df", "dmesg", "echo", "findfs", "grep"),
    *(
        "head",
        "hostname",
        "id",
        "init",
        "insmod",
        "ip",
        "ls",
        "lsmod",
        "mkdir",
        "mount",
        "nc",
        "ping",
        "poweroff",
    ),
    *("ps", "reboot", "rm", "sed", "sh", "sleep", "sync", "tail", "touch", "tr", "udhcpc", "umount", "uname"),
    *("uptime", "vi", "wc", "wget"),
)


def list_sources() -> dict[str, bytes]:
    """The files of ours that go into the image, by name."""
    folder = files("bessemer_lab.image") / "data"
    return {item.name: item.read_bytes() for item in sorted(folder.iterdir(), key=lambda item: item.name)}


def pack_initramfs(tree: PackageTree) -> bytes:
    """The initramfs, not compressed."""
    modules = tree.list_modules(STORAGE_MODULES)
    return pack_archive(
        [
            *(directory(name) for name in ("bin", "dev", "lib", "lib/modules", "proc", "root", "sys")),
            character_device("dev/console", 5, 1),
            regular_file("bin/busybox", tree.busybox.read_bytes(), is_executable=True),
            symlink("bin/sh", "busybox"),
            regular_file("init", list_sources()["initramfs-init"], is_executable=True),
            *(regular_file(f"lib/modules/{path.name}", path.read_bytes()) for path in modules),
            regular_file("lib/modules/order", _join(modules)),
        ]
    )


def write_root(tree: PackageTree, root: Path) -> None:
    """The files of the root file system below ``root``, which must not exist."""
    for name in (
        "bin",
        "dev",
        "etc/acpi/PWRF",
        "lib/modules",
        "mnt",
        "proc",
        "root",
        "run",
        "sys",
        "tmp",
        "var",
    ):
        (root / name).mkdir(parents=True)
    (root / "sbin").symlink_to("bin")
    _write(root / "bin/busybox", tree.busybox.read_bytes(), mode=0o755)
    for applet in _APPLETS:
        (root / "bin" / applet).symlink_to("busybox")
    sources = list_sources()
    _write(root / "etc/inittab", sources["inittab"], mode=0o644)
    _write(root / "etc/boot", sources["boot"], mode=0o755)
    _write(root / "etc/dhcp", sources["dhcp"], mode=0o755)
    # busybox acpid runs the file with the name of the event's type and code
    _write(root / "etc/acpi/PWRF/00000080", sources["power-button"], mode=0o755)
    _write(root / "etc/passwd", b"root::0:0:root:/root:/bin/sh\n", mode=0o644)
    _write(root / "etc/group", b"root:x:0:\n", mode=0o644)
    modules = tree.list_modules(SYSTEM_MODULES)
    loaded = tree.list_modules(STORAGE_MODULES)
    for path in modules:
        _write(root / "lib/modules" / path.name, path.read_bytes(), mode=0o644)
    _write(root / "lib/modules/order", _join([path for path in modules if path not in loaded]), mode=0o644)
    for path in root.rglob("*"):
        os.utime(path, (EPOCH_S, EPOCH_S), follow_symlinks=False)


def _join(modules: list[Path]) -> bytes:
    return "".join(f"{path.name}\n" for path in modules).encode()


def _write(path: Path, data: bytes, *, mode: int) -> None:
    path.write_bytes(data)
    path.chmod(mode)
