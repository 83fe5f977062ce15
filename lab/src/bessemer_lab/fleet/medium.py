"""The virtual CD as a ramdisk sees it: the settings that were put on it for this machine.

What is read is a file in the form of the agent's own settings, and the kernel parameters beside it; where
there is no such file, the kernel parameters alone. The rest of the image is of no interest to a machine that
boots nothing. Source: agent API, "kernel_parameters".
"""

import re
from dataclasses import dataclass

import aiohttp

_PIECE_BYTES = 1 << 20
#: Settings are looked for in this much of the image.
_MOST_BYTES = 64 << 20
_SETTINGS = re.compile(rb"\[DEFAULT\]\n((?:[a-z_]+ = [^\n]*\n)+)")
_PARAMETER = re.compile(rb"[ ](ipa-api-url|ipa-agent-token)=([^'\" \n]+)")
_CALLBACK = re.compile(rb"ipa-inspection-callback-url=([^' \n]+)")


class UnreadableMedium(Exception):
    """The image cannot be fetched, or has no settings for an agent."""


@dataclass(frozen=True, slots=True)
class BootSettings:
    """``token`` is None when lookup hands it out. ``inspection_url`` where the ramdisk is to inspect."""

    api_url: str
    node_uuid: str | None
    token: str | None
    inspection_url: str | None


class MediumReader:
    """Reads images in pieces, and knows from one to the next where in them to look."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session
        self._offset = 0

    async def read(self, url: str) -> BootSettings:
        """Raises UnreadableMedium."""
        offsets = [self._offset, *range(0, _MOST_BYTES, _PIECE_BYTES)]
        before, told = b"", None
        try:
            for offset in offsets:
                piece = await self._piece(url, offset)
                # Settings may lie across two pieces.
                found = _SETTINGS.search(before + piece)
                if found is not None:
                    self._offset = offset
                    return _understood(found[1], before + piece)
                told = told or _told_by_kernel(before + piece)
                if len(piece) < _PIECE_BYTES:
                    break
                before = piece
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise UnreadableMedium(f"the medium cannot be read: {error}") from error
        if told is not None:
            return told
        raise UnreadableMedium("the medium has no settings for an agent")

    async def _piece(self, url: str, offset: int) -> bytes:
        wanted = {"Range": f"bytes={offset}-{offset + _PIECE_BYTES - 1}"}
        async with self._session.get(url, headers=wanted) as response:
            if response.status not in (200, 206):
                raise UnreadableMedium(f"the medium cannot be read: HTTP {response.status}")
            return await response.read()


def _understood(lines: bytes, around: bytes) -> BootSettings:
    settings = dict(line.split(" = ", 1) for line in lines.decode().splitlines())
    callback = _CALLBACK.search(around)
    return BootSettings(
        api_url=settings["api_url"].replace("$$", "$").rstrip("/"),
        node_uuid=settings.get("node_uuid"),
        token=settings.get("agent_token"),
        inspection_url=callback[1].decode() if callback else None,
    )


def _told_by_kernel(piece: bytes) -> BootSettings | None:
    """Settings from the kernel's parameters in the boot loader's menu; None without the service's address."""
    found = {name: value.decode() for name, value in _PARAMETER.findall(piece)}
    url, callback = found.get(b"ipa-api-url"), _CALLBACK.search(piece)
    if url is None:
        return None
    return BootSettings(
        api_url=url.rstrip("/"),
        node_uuid=None,
        token=found.get(b"ipa-agent-token"),
        inspection_url=callback[1].decode() if callback else None,
    )
