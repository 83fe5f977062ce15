"""Requests to machines: each that changes something asks, just before it is sent, whether it still may.

The narrowest place there is: behind the wait for a connection, in front of the socket.
"""

from typing import Any, Final

from aiohttp import ClientRequest, ClientResponse

from bessemer.kernel.error import LeaseEnded
from bessemer.kernel.lease import check_may_act

_READS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class ActingRequest(ClientRequest):
    """The ``request_class`` of sessions to BMCs and agents.

    Raises LeaseEnded from whatever the request was made by; nothing was sent then.
    """

    async def send(self, conn: Any) -> ClientResponse:
        if self.method not in _READS:
            check_may_act()
        return await super().send(conn)

    async def write_bytes(self, writer: Any, conn: Any, content_length: int | None = None) -> None:
        """Headers wait for the body, and are sent with it, a turn of the event loop after ``send``."""
        try:
            if self.method not in _READS:
                check_may_act()
        except LeaseEnded as ended:
            conn.protocol.set_exception(ended)  # raised where the answer is waited for
            return
        await super().write_bytes(writer, conn, content_length)
