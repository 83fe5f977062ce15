"""Which ramdisk a node boots: a finished ISO, or a kernel and a ramdisk of which one is made."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bessemer.config.settings import Settings
from bessemer.domain.node import Node, label
from bessemer.kernel.error import InvalidValue, Unsupported
from bessemer.transfer.file import is_within
from bessemer.transfer.url import WEB_SCHEMES, check_web, file_path, scheme_of, shown

#: Names that inventories use for the architectures, and ours.
_ARCHITECTURES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "aarch64", "arm64": "aarch64"}


@dataclass(frozen=True, slots=True)
class Reference:
    """Where a file is: a local path, or else a URL. ``is_trusted``: it comes from our own settings."""

    path: Path | None
    url: str
    is_trusted: bool

    def __str__(self) -> str:
        return str(self.path) if self.path else shown(self.url)


@dataclass(frozen=True, slots=True)
class FinishedIso:
    """An ISO that boots as it is; nothing of the node's can be put into it."""

    iso: Reference


@dataclass(frozen=True, slots=True)
class KernelAndRamdisk:
    kernel: Reference
    ramdisk: Reference
    arch: str = "x86_64"


def choose_ramdisk(node: Node, settings: Settings) -> FinishedIso | KernelAndRamdisk:
    """Decide what ``node`` boots to run the agent. Reads no file and asks no server.

    In this order: ``driver_info.deploy_iso``; ``driver_info.deploy_kernel`` with ``deploy_ramdisk``;
    ``[conductor]deploy_kernel`` with ``deploy_ramdisk``.

    Raises:
        InvalidValue: None of them, half of a pair, or a reference of a form that is not taken.
        Unsupported: A pair for an architecture that no ISO can be made for yet.
    """
    info, conductor = node.driver_info, settings.conductor
    if info.get("deploy_iso"):
        return FinishedIso(_from_node("deploy_iso", info["deploy_iso"], settings))
    own = [info.get("deploy_kernel"), info.get("deploy_ramdisk")]
    if any(own):
        if not all(own):
            raise InvalidValue("driver_info needs both deploy_kernel and deploy_ramdisk, or neither.")
        kernel, ramdisk = (
            _from_node(name, value, settings)
            for name, value in zip(("deploy_kernel", "deploy_ramdisk"), own, strict=True)
        )
    elif conductor.deploy_kernel and conductor.deploy_ramdisk:
        kernel = _from_settings("[conductor]deploy_kernel", conductor.deploy_kernel)
        ramdisk = _from_settings("[conductor]deploy_ramdisk", conductor.deploy_ramdisk)
    else:
        raise InvalidValue(
            f"Node {label(node)} has no agent ramdisk to boot.",
            hint="Set deploy_kernel and deploy_ramdisk (or deploy_iso) in its driver_info, "
            "or for all nodes in [conductor].",
        )
    return KernelAndRamdisk(kernel, ramdisk, _arch(node))


def _arch(node: Node) -> str:
    name = str(node.properties.get("cpu_arch") or "x86_64").lower()
    arch = _ARCHITECTURES.get(name, name)
    if arch != "x86_64":
        raise Unsupported(
            f"No boot ISO can be made for architecture '{name}' yet.",
            hint="Set driver_info.deploy_iso to a finished agent ISO.",
        )
    return arch


def _from_node(name: str, value: Any, settings: Settings) -> Reference:
    """What the API's callers may name: web servers, and files in the directories the operator opened."""
    what = f"driver_info.{name}"
    scheme = scheme_of(value) if isinstance(value, str) else ""
    if scheme in WEB_SCHEMES:
        return Reference(None, check_web(value, what), is_trusted=False)
    if scheme != "file":
        raise InvalidValue(f"{what} must be an http, https or file URL.")
    path = file_path(value)
    if not is_within(path, settings.conductor.file_url_allowed_paths):
        raise InvalidValue(
            f"{what} names {path}, which is not in a directory that images may come from.",
            hint="The operator lists those in [conductor]file_url_allowed_paths.",
        )
    return Reference(path, "", is_trusted=False)


def _from_settings(what: str, value: str) -> Reference:
    scheme = scheme_of(value)
    if scheme in WEB_SCHEMES:
        return Reference(None, check_web(value, what), is_trusted=True)
    if scheme == "file":
        return Reference(file_path(value), "", is_trusted=True)
    if scheme or not Path(value).is_absolute():
        raise InvalidValue(f"{what} must be an absolute path, or a file, http or https URL.")
    return Reference(Path(value), "", is_trusted=True)
