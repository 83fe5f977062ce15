"""Choosing kernel modules, with everything they depend on."""

import fnmatch
import shutil
import subprocess
from pathlib import Path

from bessemer_ramdisk.debian import DebianTree
from bessemer_ramdisk.entry import Entries, file_entry
from bessemer_ramdisk.error import BuildError
from bessemer_ramdisk.recipe import MODULES, MODULES_DROPPED

_TIMEOUT_S = 120


def find_kernel_version(tree: DebianTree) -> str:
    """The version of the one kernel in the tree.

    Raises:
        BuildError: There is none, or several.
    """
    folder = tree.find("usr/lib/modules")
    versions = sorted(path.name for path in folder.iterdir()) if folder else []
    if len(versions) != 1:
        raise BuildError(f"exactly one kernel is expected, found: {', '.join(versions) or 'none'}")
    return versions[0]


def select_modules(tree: DebianTree, version: str, stage: Path) -> Entries:
    """The recipe's modules and what they depend on, with a fresh index of them.

    Args:
        tree: Where the kernel package was unpacked.
        version: The kernel's version.
        stage: Folder to work in; what is selected stays there until the archive is written.

    Raises:
        BuildError: depmod is missing or failed.
    """
    source = tree.root / "lib/modules" / version
    _run_depmod(tree.root, version)
    dependencies = read_dependencies((source / "modules.dep").read_text())
    wanted = close([name for name in dependencies if _is_wanted(name)], dependencies)
    target = stage / "lib/modules" / version
    for name in (*sorted(wanted), "modules.order", "modules.builtin", "modules.builtin.modinfo"):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / name, target / name)
    _run_depmod(stage, version)
    files = sorted(path for path in target.rglob("*") if path.is_file())
    return {f"usr/lib/modules/{version}/{path.relative_to(target)}": file_entry(path) for path in files}


def read_dependencies(text: str) -> dict[str, list[str]]:
    """``modules.dep``: modules by path, and what each depends on."""
    lines = (line.partition(":") for line in text.splitlines() if ":" in line)
    return {name: rest.split() for name, _, rest in lines}


def close(names: list[str], dependencies: dict[str, list[str]]) -> set[str]:
    """The names and, again and again, what they depend on."""
    closed: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in closed:
            closed.add(name)
            waiting += dependencies.get(name, [])
    return closed


def _is_wanted(name: str) -> bool:
    path = name.removeprefix("kernel/")
    is_listed = any(fnmatch.fnmatchcase(path, pattern) for pattern in MODULES)
    return is_listed and not any(fnmatch.fnmatchcase(path, pattern) for pattern in MODULES_DROPPED)


def _run_depmod(root: Path, version: str) -> None:
    depmod = shutil.which("depmod", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if depmod is None:
        raise BuildError("depmod is not installed (apt-get install kmod)")
    argv = [depmod, "-b", str(root), version]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)
    if done.returncode != 0:
        raise BuildError(f"depmod failed: {done.stderr.strip()[-500:]}")
