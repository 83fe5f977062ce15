"""Building the image, once for every set of inputs."""

import asyncio
import fcntl
import hashlib
import json
import os
import shutil
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bessemer_lab.error import ImageBuildFailed
from bessemer_lab.image import archive, bootloader, content, filesystem, package, partition
from bessemer_lab.image.bootloader import build_bios_loader, build_uefi_loader, plan_bios_boot
from bessemer_lab.image.content import KERNEL_ARGUMENTS, ROOT_LABEL, list_sources, pack_initramfs, write_root
from bessemer_lab.image.filesystem import EPOCH_S, make_ext4, make_fat
from bessemer_lab.image.package import PACKAGES, SUITE, unpack_packages
from bessemer_lab.image.partition import BIOS_BOOT, ESP, LINUX_ROOT_X86_64, MIB, Partition, plan_table
from bessemer_lab.process import run_child

Report = Callable[[str], None]

#: Every identifier in the image is derived from this one: two builds differ in times of inodes only.
_NAMESPACE = uuid.UUID("5f0e3a52-7a5e-4d0b-9a0e-be55e3e5ab1e")
_ROOT_MIB = 16
#: Less than 33 MiB cannot be FAT32.
_ESP_MIB = 36
_ESP_NUMBER = 2
_LOCK_TIMEOUT_S = 900.0
_TIMEOUT_S = 300.0


@dataclass(frozen=True, slots=True)
class OsImage:
    """The image in each of its forms, all in one directory with their SHA256SUMS."""

    raw: Path
    zstd: Path
    qcow2: Path
    gzip: Path
    #: Hexadecimal, by file name.
    sha256: dict[str, str]


async def build_os_image(cache_directory: Path, *, report: Report = lambda _: None) -> OsImage:
    """The image, built when the cache does not hold it yet; ``report`` is told what is being done.

    Idempotent, and safe to call from several processes at once. A build takes Debian's archive, no root, no
    mounts and no loop devices.

    Raises:
        MissingPackage: A program the build needs is not installed.
        ImageBuildFailed: The packages could not be had.
        ChildFailed: A program failed.
    """
    cache_directory.mkdir(parents=True, exist_ok=True)  # noqa: ASYNC240  a local directory
    ready = cache_directory / f"os-{compute_key()}"
    if not ready.exists():
        async with _exclusive(cache_directory / "build.lock"):
            if not ready.exists():
                await _build_aside(ready, report)
    return _load(ready)


def compute_key() -> str:
    """A hash of everything that decides how the image turns out, package versions excepted."""
    digest = hashlib.sha256()
    for module in (archive, bootloader, content, filesystem, package, partition):
        digest.update(Path(str(module.__file__)).read_bytes())
    digest.update(Path(__file__).read_bytes())
    for name, data in list_sources().items():
        digest.update(name.encode() + b"\0" + data)
    digest.update(json.dumps([SUITE, PACKAGES, KERNEL_ARGUMENTS]).encode())
    return digest.hexdigest()[:16]


def _load(directory: Path) -> OsImage:
    lines = (directory / "SHA256SUMS").read_text().splitlines()
    sums = {name: digest for digest, name in (line.split("  ", 1) for line in lines)}
    return OsImage(
        raw=directory / "image.raw",
        zstd=directory / "image.raw.zst",
        qcow2=directory / "image.qcow2",
        gzip=directory / "image.raw.gz",
        sha256=sums,
    )


@asynccontextmanager
async def _exclusive(path: Path) -> AsyncIterator[None]:
    """Hold a lock file, so that two processes do not build the same thing."""
    with path.open("w") as file:
        try:
            async with asyncio.timeout(_LOCK_TIMEOUT_S):
                while True:
                    try:
                        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                        break
                    except BlockingIOError:
                        await asyncio.sleep(0.2)
        except TimeoutError:
            raise ImageBuildFailed(f"another process has held {path} for {_LOCK_TIMEOUT_S:g} s") from None
        yield


async def _build_aside(ready: Path, report: Report) -> None:
    """Build next to the final place and move there as one step."""
    work, output = ready.with_suffix(".work"), ready.with_suffix(".new")
    for leftover in (work, output):
        await asyncio.to_thread(shutil.rmtree, leftover, ignore_errors=True)
        leftover.mkdir()
    try:
        await _build(work, output, report)
        output.rename(ready)
    finally:
        await asyncio.to_thread(shutil.rmtree, work, ignore_errors=True)
        await asyncio.to_thread(shutil.rmtree, output, ignore_errors=True)


async def _build(work: Path, output: Path, report: Report) -> None:
    report("unpacking Debian packages")
    tree = await unpack_packages(work / "packages")
    report(f"making file systems (kernel {tree.kernel_version})")
    esp, root = work / "esp.img", work / "root.img"
    await asyncio.gather(_build_esp(work, tree, esp), _build_root(work, tree, root))
    report("assembling the disk")
    core = await build_bios_loader(work, KERNEL_ARGUMENTS, _ESP_NUMBER)
    raw = output / "image.raw"
    await asyncio.to_thread(_assemble, raw, core.read_bytes(), esp, root)
    report("compressing")
    await asyncio.gather(
        run_child(["zstd", "-q", "-10", raw, "-o", output / "image.raw.zst"], timeout_s=_TIMEOUT_S),
        run_child(["gzip", "-n", "-6", "-k", raw], timeout_s=_TIMEOUT_S),
        run_child(
            ["qemu-img", "convert", "-c", "-O", "qcow2", raw, output / "image.qcow2"], timeout_s=_TIMEOUT_S
        ),
    )
    await asyncio.to_thread(_write_sums, output)


async def _build_esp(work: Path, tree: package.PackageTree, image: Path) -> None:
    files = work / "esp"
    (files / "EFI" / "BOOT").mkdir(parents=True)
    (files / "boot").mkdir()
    initramfs = work / "initramfs"
    await asyncio.to_thread(lambda: initramfs.write_bytes(pack_initramfs(tree)))
    await run_child(["zstd", "-q", "-10", initramfs, "-o", files / "boot" / "initrd"], timeout_s=_TIMEOUT_S)
    await asyncio.to_thread(shutil.copyfile, tree.kernel, files / "boot" / "vmlinuz")
    loader = await build_uefi_loader(work, KERNEL_ARGUMENTS)
    loader.rename(files / "EFI" / "BOOT" / "BOOTX64.EFI")
    for path in files.rglob("*"):
        os.utime(path, (EPOCH_S, EPOCH_S))
    await make_fat(image, files, size_bytes=_ESP_MIB * MIB, label="BESSEMER")


async def _build_root(work: Path, tree: package.PackageTree, image: Path) -> None:
    await asyncio.to_thread(write_root, tree, work / "root")
    identity = str(uuid.uuid5(_NAMESPACE, "root file system"))
    await make_ext4(image, work / "root", size_bytes=_ROOT_MIB * MIB, label=ROOT_LABEL, identity=identity)


def _assemble(raw: Path, core: bytes, esp: Path, root: Path) -> None:
    """The whole disk: boot code, table, and the three partitions, the root file system last."""
    partitions = [
        _partition(BIOS_BOOT, "bios", 1, 1),
        _partition(ESP, "esp", 2, _ESP_MIB),
        _partition(LINUX_ROOT_X86_64, "root", 2 + _ESP_MIB, _ROOT_MIB),
    ]
    size = (3 + _ESP_MIB + _ROOT_MIB) * MIB
    bios, first, second = partitions
    writes = plan_table(partitions, uuid.uuid5(_NAMESPACE, "disk"), size)
    writes |= plan_bios_boot(core, bios.start_bytes)
    with raw.open("wb") as disk:
        disk.truncate(size)
        for offset, data in writes.items():
            disk.seek(offset)
            disk.write(data)
        for place, source in ((first, esp), (second, root)):
            _copy_sparse(source, disk.fileno(), place.start_bytes)


def _partition(kind: uuid.UUID, name: str, start_mib: int, size_mib: int) -> Partition:
    return Partition(
        kind=kind,
        identity=uuid.uuid5(_NAMESPACE, f"partition {name}"),
        name=name,
        start_bytes=start_mib * MIB,
        size_bytes=size_mib * MIB,
    )


def _copy_sparse(source: Path, disk: int, offset: int) -> None:
    """Copy a file to an offset of the disk, leaving holes where it has only zeros."""
    with source.open("rb") as file:
        while chunk := file.read(64 << 10):
            if chunk.count(0) != len(chunk):
                os.pwrite(disk, chunk, offset)
            offset += len(chunk)


def _write_sums(output: Path) -> None:
    lines = []
    for path in sorted(output.iterdir()):
        with path.open("rb") as file:
            lines.append(f"{hashlib.file_digest(file, 'sha256').hexdigest()}  {path.name}\n")
    (output / "SHA256SUMS").write_text("".join(lines))
