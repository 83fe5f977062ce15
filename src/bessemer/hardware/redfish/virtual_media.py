"""VirtualMedia: drives of the machine whose medium the BMC fetches from a URL.

Source: https://redfish.dmtf.org/schemas/v1/VirtualMedia.json
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from bessemer.hardware.redfish.connection import Reply
from bessemer.hardware.redfish.failure import BmcRefused
from bessemer.hardware.redfish.manager import read_managers
from bessemer.hardware.redfish.monitor import see_through
from bessemer.hardware.redfish.resource import Resource, read, read_members
from bessemer.hardware.redfish.system import ComputerSystem
from bessemer.kernel.error import BessemerError, DeadlineExceeded, InvalidValue

JsonObject = dict[str, Any]

INSERT_ACTION = "#VirtualMedia.InsertMedia"
EJECT_ACTION = "#VirtualMedia.EjectMedia"

#: Device names of the v1 API, and the media types of drives that can serve as one.
DEVICES: Mapping[str, tuple[str, ...]] = {
    "cdrom": ("CD", "DVD"),
    "dvd": ("DVD", "CD"),
    "floppy": ("Floppy", "USBStick"),
    "disk": ("USBStick", "Floppy"),
    "usb": ("USBStick",),
}
_POLL_S = 1.0
#: Longest wait for a drive to be empty after an eject.
_EJECT_S = 30.0
#: Parts of a URL's path this long are taken for keys and kept out of messages.
_KEY_LENGTH = 16


class VirtualMedia:
    """One drive as last read. Properties come from what was read; methods talk to the BMC."""

    def __init__(self, resource: Resource) -> None:
        self.resource = resource

    @property
    def media_types(self) -> Sequence[str]:
        return self.resource.find_list(str, "MediaTypes") or ()

    @property
    def image(self) -> str | None:
        return self.resource.find(str, "Image") or None

    @property
    def is_inserted(self) -> bool:
        """Some BMCs leave ``Inserted`` null; then a drive with an image has it inserted."""
        stated = self.resource.find(bool, "Inserted")
        return bool(self.image) if stated is None else stated

    async def refresh(self) -> None:
        self.resource = await read(self.resource.bmc, self.resource.path)

    async def insert(self, url: str, *, timeout_s: float) -> None:
        """Put the image at ``url`` into the drive, taking out what is in it, and wait until it is there.

        Idempotent, but always fetches anew: the same URL may stand for a new image. Errors do not show keys
        that the URL contains.

        Raises:
            BmcRefused, BmcUnreachable: With the BMC's own words, for instance that it cannot fetch the image.
            DeadlineExceeded: The BMC accepted the image and did not report it in ``timeout_s`` seconds.
        """
        await self.eject()
        bmc = self.resource.bmc
        try:
            reply = await self._post_insert(url, timeout_s)
            await see_through(bmc, reply, "inserting the virtual medium", timeout_s=timeout_s)
            async with asyncio.timeout(timeout_s):
                await self.refresh()
                while not self.is_inserted:
                    await asyncio.sleep(_POLL_S)
                    await self.refresh()
        except TimeoutError as error:
            raise DeadlineExceeded(
                f"The BMC at {bmc.name} did not report the medium as inserted within {timeout_s:g} s.",
                hint=f"Can it reach {_shown(url)}?",
            ) from error
        except BessemerError as error:
            _hide_keys(error, url)
            raise

    async def eject(self) -> None:
        """Empty the drive and wait until it is empty. Idempotent.

        Raises:
            DeadlineExceeded: The drive stays full.
        """
        await self.refresh()
        if not self.is_inserted:
            return
        bmc = self.resource.bmc
        action = self.resource.find_action(EJECT_ACTION)
        if action is not None:
            reply = await bmc.post(action, {})
        else:
            reply = await bmc.patch(self.resource.path, {"Image": None, "Inserted": False})
        await see_through(bmc, reply, "ejecting the virtual medium", timeout_s=_EJECT_S)
        try:
            async with asyncio.timeout(_EJECT_S):
                await self.refresh()
                while self.is_inserted:
                    await asyncio.sleep(_POLL_S)
                    await self.refresh()
        except TimeoutError as error:
            raise DeadlineExceeded(f"The BMC at {bmc.name} does not eject its virtual medium.") from error

    async def _post_insert(self, url: str, timeout_s: float) -> Reply:
        """Ask, and ask in other words where the BMC dislikes the parameters: each has its own taste."""
        action = self.resource.find_action(INSERT_ACTION)
        wordings: list[JsonObject] = [
            {"Image": url, "Inserted": True, "WriteProtected": True},
            {"Image": url},
            {"Image": url, "TransferProtocolType": urlsplit(url).scheme.upper(), "TransferMethod": "Stream"},
        ]
        for wording in wordings[:-1]:
            try:
                return await self._ask(action, wording, timeout_s)
            except BmcRefused as refused:
                if not refused.says(*_WORDING_PROBLEMS):
                    raise
        return await self._ask(action, wordings[-1], timeout_s)

    async def _ask(self, action: str | None, wording: JsonObject, timeout_s: float) -> Reply:
        bmc = self.resource.bmc
        if action is None:
            return await bmc.patch(self.resource.path, wording, deadline_s=timeout_s)
        return await bmc.post(action, wording, deadline_s=timeout_s)


#: Messages (of the Base registry) by which a BMC says that a request has parameters it does not like.
_WORDING_PROBLEMS = (
    "ActionParameterMissing",
    "ActionParameterNotSupported",
    "ActionParameterUnknown",
    "ActionParameterValueConflict",
    "PropertyMissing",
    "PropertyNotWritable",
    "PropertyUnknown",
)


async def read_media(system: ComputerSystem) -> list[VirtualMedia]:
    """The virtual drives of ``system``: its own, or where it has none those of its managers."""
    link = system.resource.find_link("VirtualMedia")
    own = [VirtualMedia(r) for r in await read_members(system.bmc, link)] if link else []
    if own:
        return own
    links = [manager.find_link("VirtualMedia") for manager in await read_managers(system)]
    return [VirtualMedia(r) for path in links if path for r in await read_members(system.bmc, path)]


def choose_drive(drives: Sequence[VirtualMedia], device: str) -> VirtualMedia:
    """The best drive to serve as ``device`` (a key of ``DEVICES``). Raises InvalidValue when none can."""
    if device not in DEVICES:
        raise InvalidValue(
            f"There is no virtual media device '{device}'.", hint=f"There are: {', '.join(DEVICES)}."
        )
    for media_type in DEVICES[device]:
        for drive in drives:
            if media_type in drive.media_types:
                return drive
    there_are = ", ".join(sorted({name for drive in drives for name in drive.media_types})) or "none"
    raise InvalidValue(
        f"The BMC has no virtual media drive that can serve as '{device}'.",
        hint=f"Media types of its drives: {there_are}.",
    )


def _shown(url: str) -> str:
    """The URL without what may be a key in it."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/..."


def _hide_keys(error: BessemerError, url: str) -> None:
    """BMCs repeat URLs in their messages; ours carry keys that open a node's boot files."""
    secrets = [part for part in urlsplit(url).path.split("/") if len(part) >= _KEY_LENGTH]
    for secret in (url, *secrets):
        shown = _shown(url) if secret == url else "..."
        error.message = error.message.replace(secret, shown)
        error.hint = error.hint.replace(secret, shown)
    error.args = (error.message,)
