"""Virtual media: images that a node's machine sees as a disc or disk in one of its drives."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from bessemer.kernel.error import InvalidValue
from bessemer.service.caller import Caller
from bessemer.service.machine import MachineCall, MachineService
from bessemer.service.node_access import NodeAccess
from bessemer.transfer.url import without_login

#: Where BMCs fetch images from. Source: v1 contract, routes: vmedia.
SCHEMES = ("http", "https", "nfs", "cifs", "smb")


class VirtualMediaService:
    """Every call raises NotFound for a node that is not there, and what ``MachineService`` raises."""

    def __init__(self, access: NodeAccess, machines: MachineService) -> None:
        self._access = access
        self._machines = machines

    async def list(self, caller: Caller, ident: str) -> Sequence[dict[str, Any]]:
        """The drives and what is in them; logins in the addresses of images are left out."""
        node = await self._access.get(caller, ident)
        drives: Sequence[dict[str, Any]] = await self._machines.ask(
            caller, node, MachineCall("list virtual media", "tell its virtual media")
        )
        return [{**drive, "image": _shown(drive.get("image"))} for drive in drives]

    async def attach(self, caller: Caller, ident: str, device: str, image_url: str) -> None:
        """Put the image at ``image_url``, which the BMC fetches itself, into a drive; what is in it goes.

        Raises:
            InvalidValue: Not the address of an image; a drive that the machine does not have.
        """
        node = await self._access.get(caller, ident)
        check_image_url(image_url)
        given = {"device": device, "image_url": image_url}
        await self._machines.tell(
            caller, node, MachineCall("attach virtual media", "take the virtual medium", given)
        )

    async def detach(self, caller: Caller, ident: str, devices: Sequence[str] | None) -> None:
        """Empty these drives; None: all. Idempotent."""
        node = await self._access.get(caller, ident)
        given = {"devices": devices}
        await self._machines.tell(
            caller, node, MachineCall("detach virtual media", "give up the virtual medium", given)
        )


def check_image_url(url: str) -> None:
    """Raises InvalidValue; the message does not repeat the address, which may hold a login."""
    try:
        parts = urlsplit(url)
        is_right = parts.scheme in SCHEMES and bool(parts.hostname)
    except ValueError:
        is_right = False
    if not is_right:
        raise InvalidValue(
            "'image_url' is not the address of an image.", hint=f"Schemes: {', '.join(SCHEMES)}."
        )


def _shown(url: Any) -> str | None:
    """None when there is no address, or one that nobody can read."""
    try:
        return without_login(url) if isinstance(url, str) else None
    except InvalidValue:
        return None
