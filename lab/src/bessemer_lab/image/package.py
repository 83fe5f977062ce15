"""The Debian packages the image is made of: fetched and unpacked, never installed."""

import os
from dataclasses import dataclass
from pathlib import Path

from bessemer_lab.error import ImageBuildFailed
from bessemer_lab.process import ChildFailed, run_child

SUITE = "bookworm"
PACKAGES = ("linux-image-cloud-amd64", "busybox-static")
_TIMEOUT_S = 600.0


@dataclass(frozen=True, slots=True)
class PackageTree:
    """The unpacked packages."""

    root: Path
    kernel_version: str

    @property
    def kernel(self) -> Path:
        return self.root / "boot" / f"vmlinuz-{self.kernel_version}"

    @property
    def busybox(self) -> Path:
        return self.root / "bin" / "busybox"

    @property
    def modules(self) -> Path:
        return self.root / "lib" / "modules" / self.kernel_version

    def list_modules(self, names: tuple[str, ...]) -> list[Path]:
        """The files of kernel modules and of all they need, in the order they must be loaded.

        A name the kernel has built in gives nothing.

        Raises:
            ImageBuildFailed: The kernel has no such module.
        """
        files = {Path(line.split(":")[0]).stem.replace("-", "_"): line for line in self._read("modules.dep")}
        builtin = {Path(line).stem.replace("-", "_") for line in self._read("modules.builtin")}
        ordered: list[Path] = []
        for name in names:
            if name in builtin:
                continue
            if name not in files:
                raise ImageBuildFailed(f"the kernel {self.kernel_version} has no module {name}")
            module, _, needed = files[name].partition(":")
            # modules.dep lists what is needed first last
            for part in (*reversed(needed.split()), module):
                if self.modules / part not in ordered:
                    ordered.append(self.modules / part)
        return ordered

    def _read(self, name: str) -> list[str]:
        return (self.modules / name).read_text().splitlines()


async def unpack_packages(root: Path) -> PackageTree:
    """Fetch the packages from Debian's archive and unpack them below ``root``, which must not exist.

    As another user than root this works under fakeroot.

    Raises:
        MissingPackage: mmdebstrap, fakeroot or depmod is not installed.
        ImageBuildFailed: The packages could not be had; the message says why.
    """
    command = [
        *("mmdebstrap", "--quiet", "--mode=root", "--variant=extract", f"--include={','.join(PACKAGES)}"),
        *('--aptopt=Apt::Install-Recommends "false"', "--dpkgopt=path-exclude=/usr/share/*"),
        *(SUITE, str(root)),
    ]
    if os.geteuid() != 0:
        command = ["fakeroot", "--", *command]
    environment = {**os.environ, "LC_ALL": "C", "PATH": f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"}
    try:
        await run_child(command, timeout_s=_TIMEOUT_S, environment=environment)
        versions = sorted(path.name for path in (root / "lib" / "modules").iterdir())
        tree = PackageTree(root, versions[-1])
        await run_child(
            ["depmod", "-b", root, tree.kernel_version], timeout_s=_TIMEOUT_S, environment=environment
        )
    except ChildFailed as error:
        raise ImageBuildFailed(f"the Debian packages could not be unpacked: {error}") from error
    return tree
