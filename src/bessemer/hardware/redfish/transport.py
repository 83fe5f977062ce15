"""The HTTP sessions to BMCs: one for all that are verified by the same rules.

A session for each of ten thousand BMCs would cost ten thousand times what one costs; the connections kept in
it are each BMC's own all the same.
"""

import asyncio
import os
import socket
import ssl
from typing import Any, cast

import aiohttp
from aiohttp.client_proto import ResponseHandler

from bessemer.config.settings import RedfishSettings
from bessemer.hardware.redfish.access import VERIFY, Access
from bessemer.transfer.acting import ActingRequest
from bessemer.transfer.tls import TlsRules, client_context
from bessemer.transfer.tls_stream import open_stream

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
                connector=BmcConnector(
                    ssl=client_context(rules, VERIFY) if rules is not None else False,
                    limit=0,
                    limit_per_host=self._settings.connections_per_bmc,
                    keepalive_timeout=KEEPALIVE_S,
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None, connect=CONNECT_S),
                request_class=ActingRequest,
            )
        return found

    async def close(self) -> None:
        """Close every connection. Idempotent."""
        sessions, self._sessions = self._sessions, {}
        await asyncio.gather(*(session.close() for session in sessions.values()))


class BmcConnector(aiohttp.TCPConnector):
    """Connects as aiohttp does, speaks TLS by ``transfer.tls_stream``, and keeps idle connections small.

    aiohttp has no public places for this: were those renamed that are overridden here, connections would be
    as good and larger (``tests/unit/hardware/test_redfish_transport.py`` would tell).
    """

    async def _wrap_create_connection(
        self, *args: Any, req: aiohttp.ClientRequest, **options: Any
    ) -> tuple[asyncio.Transport, ResponseHandler]:
        context = options.get("ssl")
        if not isinstance(context, ssl.SSLContext):
            return await super()._wrap_create_connection(*args, req=req, **options)
        bare, _ = await super()._wrap_create_connection(
            asyncio.Protocol, req=req, **{**options, "ssl": None, "server_hostname": None}
        )
        connected = socket.socket(fileno=os.dup(bare.get_extra_info("socket").fileno()))
        bare.abort()  # its own descriptor; ours stays open
        try:
            stream = await open_stream(connected, context, options.get("server_hostname"), *args)
        except ssl.CertificateError as error:
            raise aiohttp.ClientConnectorCertificateError(req.connection_key, error) from error
        except ssl.SSLError as error:
            raise aiohttp.ClientConnectorSSLError(req.connection_key, error) from error
        except OSError as error:
            raise aiohttp.ClientConnectorError(req.connection_key, error) from error
        return stream, cast("ResponseHandler", stream.get_protocol())

    def _release(self, key: Any, protocol: ResponseHandler, *, should_close: bool = False) -> None:
        """Keep one idle connection to each BMC, and of it no more than the next call needs.

        aiohttp would use two in turns for ever, once two calls were made at the same time.
        """
        super()._release(key, protocol, should_close=should_close or key in self._conns)
        if protocol.is_connected():
            # What was made of the last answer; the next call makes its own.
            protocol._parser = protocol._payload = None
