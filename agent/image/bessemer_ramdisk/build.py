"""Building kernel and initrd, and leaving alone what is up to date."""

import argparse
import hashlib
import json
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from bessemer_ramdisk.agent import AGENT_SOURCES, collect_agent, hash_sources
from bessemer_ramdisk.archive import write_archive
from bessemer_ramdisk.base import collect_base
from bessemer_ramdisk.debian import unpack_packages
from bessemer_ramdisk.error import BuildError
from bessemer_ramdisk.modules import find_kernel_version
from bessemer_ramdisk.recipe import KERNELS, PACKAGES, SUITE

#: The time every file of the ramdisk bears unless SOURCE_DATE_EPOCH says another: 2025-01-01.
_EPOCH = 1735689600
_HERE = Path(__file__).parent


class Ramdisk(NamedTuple):
    """What was built."""

    vmlinuz: Path
    initrd: Path
    #: JSON: versions of packages, sizes and digests of the files.
    manifest: Path


def build_ramdisk(kernel: str, output: Path, cache: Path | None = None) -> Ramdisk:
    """Build ``vmlinuz``, ``initrd`` and ``manifest.json`` in ``output``.

    Idempotent: what the inputs (packages, rules, the agent's sources) would build again is left as it is.
    Debian's part is kept in the cache, so that a change of the agent takes seconds. Packages are of the day
    the cache was filled; remove it to take newer ones.

    Args:
        kernel: "cloud" for virtual machines, "generic" for real ones.
        output: Made if absent.
        cache: Default: ``bessemer/ramdisk`` in the user's cache folder.

    Raises:
        BuildError: A tool is missing or failed, or the kernel is unknown.
    """
    if kernel not in KERNELS:
        raise BuildError(f"the kernel {kernel!r} is not one of {', '.join(KERNELS)}")
    epoch = int(os.environ.get("SOURCE_DATE_EPOCH") or _EPOCH)
    base_key = hash_base_inputs(kernel, epoch)
    inputs = hashlib.sha256(f"{base_key} {hash_sources()}".encode()).hexdigest()
    built = Ramdisk(output / "vmlinuz", output / "initrd", output / "manifest.json")
    if is_current(built, inputs):
        return built
    base = ensure_base(kernel, base_key, cache or _default_cache(), epoch)
    output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=output, prefix=".build-") as name:
        stage = Path(name)
        write_archive(collect_agent(stage), stage / "agent.cpio.zst", epoch)
        with (stage / "initrd").open("wb") as initrd:
            for part in (base / "base.cpio.zst", stage / "agent.cpio.zst"):
                initrd.write(part.read_bytes())
        shutil.copyfile(base / "vmlinuz", stage / "vmlinuz")
        manifest = json.loads((base / "base.json").read_text())
        files = {path.name: _describe(stage / path.name) for path in (built.vmlinuz, built.initrd)}
        manifest |= {"inputs": inputs, "agent_version": read_agent_version(), "files": files}
        (stage / "manifest.json").write_text(json.dumps(manifest, indent=2, sort_keys=True) + "\n")
        for path in built:  # the manifest last: it says that the others are whole
            (stage / path.name).replace(path)
    return built


def hash_base_inputs(kernel: str, epoch: int) -> str:
    """A digest of what Debian's part is made from: packages, and the code that chooses from them."""
    digest = hashlib.sha256(f"{SUITE} {kernel} {KERNELS[kernel]} {' '.join(PACKAGES)} {epoch}".encode())
    for name in ("archive", "base", "bytecode", "debian", "elf", "entry", "modules", "recipe"):
        digest.update((_HERE / f"{name}.py").read_bytes())
    return digest.hexdigest()


def is_current(built: Ramdisk, inputs: str) -> bool:
    """Whether the files are there, whole, and from these inputs."""
    try:
        manifest = json.loads(built.manifest.read_text())
        files = manifest["files"]
        is_whole = all(files[path.name] == _describe(path) for path in (built.vmlinuz, built.initrd))
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return bool(manifest.get("inputs") == inputs and is_whole)


def ensure_base(kernel: str, key: str, cache: Path, epoch: int) -> Path:
    """The folder with Debian's part (``base.cpio.zst``, ``vmlinuz``, ``base.json``), built if it is not
    cached.

    Raises:
        BuildError: As :func:`build_ramdisk`.
    """
    folder = cache / f"{kernel}-{key[:16]}"
    with _locked(cache / f"{kernel}.lock"):
        if (folder / "base.json").is_file():
            return folder
        with tempfile.TemporaryDirectory(dir=cache, prefix=".base-") as name:
            stage = Path(name)
            tree = unpack_packages([*PACKAGES, KERNELS[kernel]], SUITE, stage / "tree")
            version = find_kernel_version(tree)
            (stage / "work").mkdir()
            made = stage / "made"
            made.mkdir()
            write_archive(collect_base(tree, version, stage / "work"), made / "base.cpio.zst", epoch)
            shutil.copyfile(tree.root / f"boot/vmlinuz-{version}", made / "vmlinuz")
            about = {"kernel": kernel, "kernel_version": version, "suite": SUITE, "source_date_epoch": epoch}
            about |= {"packages": tree.list_packages()}
            (made / "base.json").write_text(json.dumps(about, indent=2, sort_keys=True) + "\n")
            shutil.rmtree(folder, ignore_errors=True)
            made.replace(folder)
    return folder


def read_agent_version() -> str:
    """The version the agent will call itself."""
    found = re.search(r'^AGENT_VERSION = "(.+)"$', (AGENT_SOURCES / "version.py").read_text(), re.MULTILINE)
    if found is None:
        raise BuildError("the agent's sources do not say its version")
    return found[1]


def main(argv: list[str] | None = None) -> int:
    """The command line; 0 when built."""
    parser = argparse.ArgumentParser(
        prog="build.py", description="Build the agent's ramdisk from Debian packages."
    )
    parser.add_argument(
        "--kernel", choices=sorted(KERNELS), default="cloud", help="cloud: virtual machines only"
    )
    parser.add_argument(
        "--output", type=Path, required=True, help="folder for vmlinuz, initrd, manifest.json"
    )
    parser.add_argument("--cache", type=Path, help="folder for what can be used again")
    given = parser.parse_args(argv)
    started = time.monotonic()
    try:
        built = build_ramdisk(given.kernel, given.output, given.cache)
    except BuildError as error:
        sys.stderr.write(f"build.py: {error}\n")
        return 1
    for path in built:
        sys.stdout.write(f"{path}  {path.stat().st_size / 1024**2:.1f} MiB\n")
    sys.stdout.write(f"built in {time.monotonic() - started:.1f} s\n")
    return 0


def _describe(path: Path) -> dict[str, object]:
    data = path.read_bytes()
    return {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def _default_cache() -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(home) / "bessemer/ramdisk"


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Let one process at a time fill the cache; it is unlocked when the process ends, however it does."""
    import fcntl

    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
