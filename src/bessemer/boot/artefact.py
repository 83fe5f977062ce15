"""Boot artefacts of a node: their URLs, and their bytes."""

import asyncio
from functools import partial
from pathlib import Path
from typing import TypeVar

from bessemer.boot.cache import FileCache, Make
from bessemer.boot.capability import capability_url
from bessemer.boot.grub import grub_identity, has_bios_grub, make_bios_image, make_efi_image
from bessemer.boot.iso import (
    AGENT_CONFIG,
    GRUB_CONFIG,
    LAYOUT,
    IsoTemplate,
    TemplateParts,
    open_template,
    write_template,
)
from bessemer.boot.parameter import agent_config, grub_config, kernel_parameters
from bessemer.boot.ramdisk import FinishedIso, KernelAndRamdisk, Reference, choose_ramdisk
from bessemer.config.settings import Settings
from bessemer.domain.node import Node
from bessemer.kernel.error import Unavailable
from bessemer.transfer.blob import FileBlob
from bessemer.transfer.file import KnownFile, look_at_file
from bessemer.transfer.web import Web, WebFacts

V = TypeVar("V")

_MIB = 1024 * 1024
#: Between looks at the size of the cache.
_TRIM_S = 600.0
#: Largest kernel, ramdisk or ISO fetched from a web server.
_FETCH_LIMIT_BYTES = 8 * 1024 * _MIB
#: Templates and web servers' answers that are remembered; a few bytes each.
_REMEMBERED = 256
#: A BMC reads an ISO in hundreds of requests: its sources are not looked at again for each of them.
_LOOK_AGAIN_S = 300.0


class BootArtefacts:
    """Renders what nodes boot. Holds nothing about any node: every call works from the record it is given.

    ``api_url`` is the API as machines reach it (``[deploy]external_callback_url``, or else the API's own).
    """

    def __init__(self, settings: Settings, *, cache_directory: Path, web: Web, api_url: str) -> None:
        self._settings = settings
        self._web = web
        self._api_url = api_url
        limit_bytes = settings.deploy.iso_cache_size * _MIB
        self._cache = FileCache(cache_directory, limit_bytes=limit_bytes)
        self._templates: dict[str, IsoTemplate] = {}
        self._looks: dict[str, tuple[float, WebFacts]] = {}

    async def run(self) -> None:
        """Keep the cache within its limit until cancelled, also while nobody asks for anything."""
        while True:
            await asyncio.sleep(_TRIM_S)
            await self._cache.trim()

    async def close(self) -> None:
        await self._cache.close()

    def validate(self, node: Node) -> None:
        """Check, without reading a file or asking a server, that an ISO could be rendered for ``node``.

        Raises:
            InvalidValue: No ramdisk, a bad reference, or bad kernel parameters.
        """
        if isinstance(choose_ramdisk(node, self._settings), KernelAndRamdisk):
            self._documents(node)

    async def prepare(self, node: Node) -> None:
        """Fetch and build all that the node's ISO needs, so that its BMC need not wait. Idempotent.

        Raises:
            InvalidValue: As ``validate``.
            SourceError: A kernel, ramdisk or ISO cannot be had.
            Unavailable: Its server does not answer now, or tools are missing on this host.
        """
        await self.open_iso(node)

    def url_for(self, node: Node, base_url: str) -> str:
        """Where the node's BMC finds its ISO. ``base_url`` counts when no setting names another one.

        The URL is a capability: it holds for as long as ``driver_internal_info.boot_key`` is unchanged, and
        must not be logged.

        Raises:
            InvalidValue: The base URL is not one.
            InternalError: The node has no boot key; whoever starts a boot makes one.
        """
        deploy = self._settings.deploy
        own = node.driver_info.get("external_http_url")
        base = own or deploy.external_http_url or deploy.http_url or base_url
        return capability_url(node, str(base), "boot.iso")

    def image_url_for(self, node: Node, base_url: str) -> str:
        """Where the node's agent finds its image when it comes through us. Raises as ``url_for``.

        Here a machine asks, not a BMC: an address given for callbacks to the API is good for this too.
        """
        deploy = self._settings.deploy
        return capability_url(node, deploy.http_url or deploy.external_callback_url or base_url, "image")

    async def open_iso(self, node: Node) -> FileBlob:
        """Give the ISO as it is for this record: equal records give equal bytes and equal ETags.

        Raises: As ``prepare``.
        """
        choice = choose_ramdisk(node, self._settings)
        if isinstance(choice, FinishedIso):
            return FileBlob(await self._locate(choice.iso))
        documents = self._documents(node)
        template = await self._template(choice)
        return template.render(documents)

    def _documents(self, node: Node) -> dict[str, str]:
        parameters = kernel_parameters(node, self._settings, self._api_url)
        return {GRUB_CONFIG: grub_config(parameters), AGENT_CONFIG: agent_config(node, self._api_url)}

    async def _template(self, choice: KernelAndRamdisk) -> IsoTemplate:
        kernel, ramdisk = await self._locate(choice.kernel), await self._locate(choice.ramdisk)
        grub = grub_identity(choice.arch)
        identity = "\n".join(("template", LAYOUT, grub, kernel.identity, ramdisk.identity))
        make = partial(self._make_template, choice.arch, grub, kernel, ramdisk)
        file = await self._kept(identity, make)
        known = self._templates.get(identity)
        if known is None or known.file != file:
            known = await asyncio.to_thread(open_template, file, identity)
            _remember(self._templates, identity, known)
        return known

    async def _make_template(
        self, arch: str, grub: str, kernel: KnownFile, ramdisk: KnownFile, target: Path
    ) -> None:
        efi = await self._cache.ensure(f"efi {LAYOUT} {grub}", partial(make_efi_image, arch))
        bios = None
        if has_bios_grub(arch):
            bios = await self._cache.ensure(f"bios {LAYOUT} {grub}", make_bios_image)
        parts = TemplateParts(kernel.path, ramdisk.path, efi.path, bios.path if bios else None)
        await asyncio.to_thread(write_template, parts, target)

    async def _locate(self, reference: Reference) -> KnownFile:
        """The referenced file on this host, fetched if it is elsewhere and not here yet."""
        if reference.path is not None:
            allowed = None if reference.is_trusted else self._settings.conductor.file_url_allowed_paths
            return await look_at_file(reference.path, within=allowed)
        facts = await self._look(reference.url)
        key = f"fetched {facts.size} {facts.etag} {facts.modified} {reference.url}"
        fetch = partial(self._web.download, reference.url, limit_bytes=_FETCH_LIMIT_BYTES)
        return await self._kept(key, fetch)

    async def _look(self, url: str) -> WebFacts:
        now = asyncio.get_running_loop().time()
        at, facts = self._looks.get(url, (0.0, None))
        if facts is None or now - at > _LOOK_AGAIN_S:
            facts = await self._web.look(url)
            _remember(self._looks, url, (now, facts))
        return facts

    async def _kept(self, key: str, make: Make) -> KnownFile:
        try:
            return await self._cache.ensure(key, make)
        except OSError as error:
            raise Unavailable(
                f"A boot artefact could not be kept: {error.strerror or error}.",
                hint="Look at the free space and the permissions of the state directory.",
            ) from error


def _remember(known: dict[str, V], key: str, value: V) -> None:
    if len(known) >= _REMEMBERED:
        known.clear()
    known[key] = value
