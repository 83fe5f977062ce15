"""The BMC fetches an image for its virtual drive."""

import asyncio
import base64
from pathlib import Path

import aiohttp
from yarl import URL

from bessemer_lab.bmc import message
from bessemer_lab.qemu import GUEST_GATEWAY

DEADLINE_S = 120.0
_CHUNK_BYTES = 1 << 20
_LIMIT_BYTES = 16 << 30


async def download_image(
    url: str, target: Path, *, credentials: tuple[str, str] | None = None, deadline_s: float = DEADLINE_S
) -> None:
    """Fetch ``url`` into ``target``, which exists only if all of it came.

    The BMC shares its machine's network: the address under which guests see the host works here too.
    Certificates of https servers are not verified, as is usual for BMCs; redirects are not followed.

    Raises:
        RedfishError: The URL cannot be used, the server did not give the image, or it took too long.
    """
    address = _parse(url)
    headers = {}
    if credentials is not None:
        headers["Authorization"] = "Basic " + base64.b64encode(":".join(credentials).encode()).decode()
    try:
        async with (
            asyncio.timeout(deadline_s),
            aiohttp.ClientSession(headers=headers) as session,
            session.get(address, allow_redirects=False, ssl=False) as response,
        ):
            await _save(response, url, target)
    except TimeoutError:
        raise message.no_connection(url, f"the image had not come after {deadline_s:g} s") from None
    except (aiohttp.ClientError, OSError) as error:
        raise message.no_connection(url, str(error) or type(error).__name__) from error


def _parse(url: str) -> URL:
    try:
        address = URL(url)
    except ValueError:
        raise message.parameter_wrong_value("VirtualMedia.InsertMedia", "Image", url) from None
    if address.scheme not in {"http", "https"}:
        raise message.wrong_protocol(url)
    if not address.host:
        raise message.parameter_wrong_value("VirtualMedia.InsertMedia", "Image", url)
    return address.with_host("127.0.0.1") if address.host == GUEST_GATEWAY else address


async def _save(response: aiohttp.ClientResponse, url: str, target: Path) -> None:
    if 300 <= response.status < 400:
        raise message.no_connection(url, "the server answered with a redirect, which is not followed")
    if response.status != 200:
        raise message.no_connection(url, f"the server answered {response.status}")
    fresh = target.with_suffix(".part")
    size = 0
    try:
        with fresh.open("wb") as file:
            async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
                size += len(chunk)
                if size > _LIMIT_BYTES:
                    raise message.no_connection(url, f"the image has more than {_LIMIT_BYTES >> 30} GiB")
                file.write(chunk)
        if size == 0:
            raise message.no_connection(url, "the image is empty")
        fresh.replace(target)
    finally:
        fresh.unlink(missing_ok=True)
