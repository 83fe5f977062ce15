"""Answers of machines: as long as anything they have to say, and no longer."""

from typing import Final

import aiohttp

#: The longest answer that a BMC or an agent may give, unpacked.
MOST_BYTES: Final = 32 * 1024 * 1024


class AnswerTooLong(aiohttp.ClientPayloadError):
    def __init__(self) -> None:
        super().__init__(f"the answer is longer than {MOST_BYTES // 1024**2} MiB")


class BoundedResponse(aiohttp.ClientResponse):
    """The ``response_class`` of sessions to BMCs and agents: a broken one must not fill our memory.

    ``read`` raises AnswerTooLong; whatever was left of the answer is not taken.
    """

    async def read(self) -> bytes:
        if self._body is None:
            try:
                self._body = await _read(self.content)
            except BaseException:
                self.close()
                raise
        return await super().read()


async def _read(content: aiohttp.StreamReader) -> bytes:
    body = bytearray()
    async for piece in content.iter_any():
        body += piece
        if len(body) > MOST_BYTES:
            raise AnswerTooLong
    return bytes(body)
