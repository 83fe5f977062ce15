"""The HTTP sessions to BMCs: one for all that are verified by the same rules.

A session for each of ten thousand BMCs would cost ten thousand times what one costs; the connections kept in
it are each BMC's own all the same.
"""

import asyncio

import aiohttp

from bessemer.config.settings import RedfishSettings
from bessemer.hardware.redfish.access import VERIFY, Access
from bessemer.transfer.acting import ActingRequest
from bessemer.transfer.bounded import BoundedResponse
from bessemer.transfer.tls import TlsRules, client_context
from bessemer.transfer.tls_connector import TlsConnector

#: Longest wait for a TCP connection and its TLS handshake.
CONNECT_S = 15.0
#: Longer than the time between two looks at the power state: handshakes are what costs a BMC most.
KEEPALIVE_S = 150.0


class Transport:
    """Opens nothing before the first request."""

    def __init__(self, settings: RedfishSettings) -> None:
        self._settings = settings
        self._sessions: dict[TlsRules | None, aiohttp.ClientSession] = {}

    def session(self, access: Access) -> aiohttp.ClientSession:
        """The session for ``access``. Raises InvalidValue when its CA file cannot be used."""
        rules = access.tls if access.is_secure else None
        found = self._sessions.get(rules)
        if found is None:
            found = self._sessions[rules] = aiohttp.ClientSession(
                connector=TlsConnector(
                    ssl=client_context(rules, VERIFY) if rules is not None else False,
                    limit=0,
                    limit_per_host=self._settings.connections_per_bmc,
                    keepalive_timeout=KEEPALIVE_S,
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None, connect=CONNECT_S),
                request_class=ActingRequest,
                response_class=BoundedResponse,
            )
        return found

    async def close(self) -> None:
        """Close every connection. Idempotent."""
        sessions, self._sessions = self._sessions, {}
        await asyncio.gather(*(session.close() for session in sessions.values()))
