"""The part of the ramdisk that is Debian's."""

import shutil
from pathlib import Path

from bessemer_ramdisk.bytecode import compile_tree
from bessemer_ramdisk.debian import DebianTree
from bessemer_ramdisk.elf import read_needed
from bessemer_ramdisk.entry import Entries, file_entry, folder_entry, link_entry, node_entry, text_entry
from bessemer_ramdisk.error import BuildError
from bessemer_ramdisk.modules import select_modules
from bessemer_ramdisk.recipe import (
    APPLETS,
    CERTIFICATES,
    FILES,
    LIBRARIES,
    PYTHON,
    PYTHON_DROPPED,
    PYTHON_EXTENSIONS,
)

_USERS = "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n"
#: Groups that udev's rules name.
_GROUPS = {
    "root": 0,
    "tty": 5,
    "disk": 6,
    "lp": 7,
    "kmem": 15,
    "dialout": 20,
    "cdrom": 24,
    "tape": 26,
    "audio": 29,
    "video": 44,
    "input": 104,
    "render": 105,
    "kvm": 106,
    "sgx": 107,
}


def collect_base(tree: DebianTree, kernel_version: str, stage: Path) -> Entries:
    """Every file of Debian's that the recipe wants, and what their maintainer scripts would have made.

    Args:
        tree: The unpacked packages.
        kernel_version: Of the kernel in it.
        stage: An empty folder; what is made there must stay until the archive is written.

    Raises:
        BuildError: A file of the recipe is not in the packages.
    """
    entries = _system_entries()
    entries |= _select_files(tree)
    entries |= _collect_python(tree, stage / "python")
    entries |= _find_libraries(tree, entries)
    entries |= select_modules(tree, kernel_version, stage / "modules")
    certificates = tree.glob(CERTIFICATES)
    bundle = "".join(path.read_text().rstrip() + "\n" for _, path in sorted(certificates.items()))
    entries["etc/ssl/certs/ca-certificates.crt"] = text_entry(bundle)
    return entries


def _system_entries() -> Entries:
    entries: Entries = {name: link_entry(f"usr/{name}") for name in ("bin", "sbin", "lib", "lib64")}
    for name in ("proc", "sys", "dev", "run", "mnt", "root"):
        entries[name] = folder_entry()
    entries["tmp"] = folder_entry(0o1777)
    entries["dev/console"] = node_entry(5, 1)
    entries["dev/null"] = node_entry(1, 3, 0o666)
    entries |= {f"usr/bin/{name}": link_entry("busybox") for name in APPLETS}
    entries["usr/bin/python3"] = link_entry("python3.11")
    entries["usr/lib/ssl/cert.pem"] = link_entry("/etc/ssl/certs/ca-certificates.crt")
    entries["etc/passwd"] = text_entry(_USERS)
    entries["etc/group"] = text_entry("".join(f"{name}:x:{number}:\n" for name, number in _GROUPS.items()))
    entries["etc/hosts"] = text_entry("127.0.0.1 localhost\n::1 localhost\n")
    entries["etc/nsswitch.conf"] = text_entry("passwd: files\ngroup: files\nhosts: files dns\n")
    entries["etc/mtab"] = link_entry("/proc/mounts")
    entries["var/run"] = link_entry("/run")
    return entries


def _select_files(tree: DebianTree) -> Entries:
    entries: Entries = {}
    for pattern in FILES:
        found = tree.glob(pattern)
        if not found:
            raise BuildError(f"the packages have no {pattern}")
        for path, source in found.items():
            entries |= _follow(tree, path, source)
    return entries


def _follow(tree: DebianTree, path: str, source: Path) -> Entries:
    """A file, or a link and what it leads to."""
    entries: Entries = {path: file_entry(source)}
    if source.is_symlink():
        target = source.readlink()
        whole = str(target).lstrip("/") if target.is_absolute() else str(Path(path).parent / target)
        whole = whole if whole.startswith("usr/") else f"usr/{whole}"
        found = tree.find(whole)
        if found is None:
            raise BuildError(f"{path} is a link to {target}, which the packages do not have")
        entries |= _follow(tree, whole, found)
    return entries


def _collect_python(tree: DebianTree, stage: Path) -> Entries:
    library = tree.root / PYTHON
    shutil.copytree(library, stage, symlinks=True, ignore=_drop_modules)
    compile_tree(stage, f"/{PYTHON}")
    extensions = [
        path for path in (library / "lib-dynload").iterdir() if path.name.split(".")[0] in PYTHON_EXTENSIONS
    ]
    entries = {f"{PYTHON}/lib-dynload/{path.name}": file_entry(path) for path in extensions}
    for path in sorted(stage.rglob("*.pyc")):
        entries[f"{PYTHON}/{path.relative_to(stage)}"] = file_entry(path)
    return entries


def _drop_modules(folder: str, names: list[str]) -> set[str]:
    del folder
    kept = {name for name in names if name.endswith(".py") or "." not in name}
    return (set(names) - kept) | (set(names) & PYTHON_DROPPED) | {"lib-dynload"}


def _find_libraries(tree: DebianTree, entries: Entries) -> Entries:
    found: Entries = {}
    waiting = [entry.source for entry in entries.values() if entry.source]
    while waiting:
        for name in read_needed(waiting.pop()):
            path = f"{LIBRARIES}/{name}"
            if path in found or name.startswith("ld-linux"):
                continue
            source = tree.find(path)
            if source is None:
                raise BuildError(f"no package has the library {name}")
            added = _follow(tree, path, source)
            found |= added
            waiting += [entry.source for entry in added.values() if entry.source]
    return found
