"""A small operating system image: GPT, an EFI system partition with a loader, and some data."""

import random
import subprocess
from pathlib import Path

MIB = 1024**2
IMAGE_BYTES = 96 * MIB
ESP_START, ESP_BYTES = 1 * MIB, 16 * MIB
DATA_START, DATA_BYTES = 20 * MIB, 60 * MIB


def make_image(folder: Path) -> Path:
    """The raw image; two thirds of its data are zeros."""
    image = folder / "os.raw"
    with image.open("wb") as stream:
        stream.truncate(IMAGE_BYTES)
        noise = random.Random(7)
        for offset in range(DATA_START, DATA_START + DATA_BYTES, 3 * MIB):
            stream.seek(offset)
            stream.write(noise.randbytes(MIB))
    sectors = f"{ESP_START // 512}:{(ESP_START + ESP_BYTES) // 512 - 1}"
    data = f"{DATA_START // 512}:{(DATA_START + DATA_BYTES) // 512 - 1}"
    argv = ["sgdisk", "-n", f"1:{sectors}", "-t", "1:EF00", "-n", f"2:{data}", "-c", "2:root", str(image)]
    _run(argv)
    esp = f"{image}@@{ESP_START}"
    _run(["mformat", "-i", esp, "-T", str(ESP_BYTES // 512), "-h", "16", "-s", "63", "-v", "ESP", "::"])
    loader, csv = folder / "loader.efi", folder / "BOOTX64.CSV"
    loader.write_bytes(b"MZ a loader that is never started")
    csv.write_bytes("shimx64.efi,testos,,The test's system\n".encode("utf-16"))
    _run(["mmd", "-i", esp, "::/EFI", "::/EFI/BOOT", "::/EFI/testos"])
    _run(["mcopy", "-i", esp, str(loader), "::/EFI/BOOT/BOOTX64.EFI"])
    _run(["mcopy", "-i", esp, str(loader), "::/EFI/testos/shimx64.efi"])
    _run(["mcopy", "-i", esp, str(csv), "::/EFI/testos/BOOTX64.CSV"])
    return image


def compress_zstd(image: Path) -> Path:
    """The image packed with zstd."""
    packed = image.with_suffix(".raw.zst")
    _run(["zstd", "--quiet", "--force", "-o", str(packed), str(image)])
    return packed


def convert_qcow2(image: Path) -> Path:
    """The image as compressed qcow2."""
    converted = image.with_suffix(".qcow2")
    _run(["qemu-img", "convert", "-f", "raw", "-O", "qcow2", "-c", str(image), str(converted)])
    return converted


def make_iso(folder: Path, label: str, files: dict[str, str]) -> Path:
    """An ISO 9660 image with these texts by path."""
    root = folder / f"{label}-files"
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    iso = folder / f"{label}.iso"
    _run(["xorriso", "-as", "mkisofs", "-quiet", "-V", label, "-R", "-J", "-o", str(iso), str(root)])
    return iso


def _run(argv: list[str]) -> None:
    subprocess.run(argv, check=True, capture_output=True, timeout=120)
