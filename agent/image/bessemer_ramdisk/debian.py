"""Unpacking Debian packages."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote

from bessemer_ramdisk.error import BuildError

_TIMEOUT_S = 1800
_TOP_FOLDERS = ("bin", "sbin", "lib", "lib64")


class DebianTree:
    """Unpacked packages; their maintainer scripts did not run."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def find(self, path: str) -> Path | None:
        """A path of a merged /usr in the tree, which may have it outside /usr; None when it has not."""
        inside = self.root / path
        outside = self.root / path.removeprefix("usr/")
        return next((found for found in (inside, outside) if found.exists() or found.is_symlink()), None)

    def glob(self, pattern: str) -> dict[str, Path]:
        """Files and links by their path in a merged /usr; links may lead nowhere within the tree."""
        if "*" not in pattern:
            path = self.find(pattern)
            return {pattern: path} if path else {}
        found = {}
        for wanted in (pattern, pattern.removeprefix("usr/")):
            for path in sorted(self.root.glob(wanted)):
                if path.is_file() or path.is_symlink():
                    found[_merge(path.relative_to(self.root))] = path
        return found

    def list_packages(self) -> dict[str, str]:
        """Names and versions of what was unpacked."""
        names = [unquote(path.stem) for path in (self.root / "var/cache/apt/archives").glob("*.deb")]
        return {parts[0]: parts[1] for name in sorted(names) if len(parts := name.split("_")) == 3}


def unpack_packages(packages: Sequence[str], suite: str, root: Path) -> DebianTree:
    """Fetch and unpack packages and what they depend on into ``root``, which must not exist.

    Works as root, else under fakeroot.

    Raises:
        BuildError: mmdebstrap is missing or failed; its last lines are told.
    """
    argv = [
        "mmdebstrap",
        "--quiet",
        "--mode=root",
        "--variant=extract",
        "--skip=cleanup/apt",  # the packages' names, which remain in apt's cache, go into the manifest
        f"--include={','.join(packages)}",
        '--aptopt=Apt::Install-Recommends "false"',
        "--dpkgopt=path-exclude=/usr/share/doc/*",
        "--dpkgopt=path-exclude=/usr/share/man/*",
        "--dpkgopt=path-exclude=/usr/share/locale/*",
        suite,
        str(root),
    ]
    if os.geteuid() != 0:
        argv = ["fakeroot", *argv]
    for tool in {argv[0], "mmdebstrap"}:
        if shutil.which(tool) is None:
            raise BuildError(f"{tool} is not installed (apt-get install {tool})")
    done = subprocess.run(argv, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)
    if done.returncode != 0:
        raise BuildError(f"mmdebstrap ended with status {done.returncode}:\n{done.stderr.strip()[-2000:]}")
    return DebianTree(root)


def _merge(path: Path) -> str:
    return str(Path("usr") / path) if path.parts[0] in _TOP_FOLDERS else str(path)
