"""HTTP connections to thousands of servers: made as aiohttp makes them, with the TLS of ``tls_stream``, and
small while they are idle."""

import asyncio
import errno
import os
import socket
import ssl
from typing import Any, cast

import aiohttp
from aiohttp.client_proto import ResponseHandler

from bessemer.transfer.tls_stream import open_stream


class TlsConnector(aiohttp.TCPConnector):
    """aiohttp has no public places for this: were those renamed that are overridden here, connections would
    be as good and larger (``tests/unit/hardware/test_redfish_transport.py`` would tell).
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
        try:
            connected = socket.socket(fileno=os.dup(bare.get_extra_info("socket").fileno()))
        except OSError as error:  # too many open files, say
            raise aiohttp.ClientConnectorError(req.connection_key, error) from error
        finally:
            bare.abort()  # its own descriptor; ours stays open
        try:
            async with asyncio.timeout(options["timeout"].sock_connect):
                stream = await open_stream(connected, context, options.get("server_hostname"), *args)
        except ssl.CertificateError as error:
            raise aiohttp.ClientConnectorCertificateError(req.connection_key, error) from error
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError) as error:
            # Nobody said no: a server that is starting or stopping. asyncio calls it so, too.
            gone = ConnectionResetError(errno.ECONNRESET, "closed during the TLS handshake")
            raise aiohttp.ClientConnectorError(req.connection_key, gone) from error
        except ssl.SSLError as error:
            raise aiohttp.ClientConnectorSSLError(req.connection_key, error) from error
        except TimeoutError:
            raise
        except OSError as error:
            raise aiohttp.ClientConnectorError(req.connection_key, error) from error
        return stream, cast("ResponseHandler", stream.get_protocol())

    def _release(self, key: Any, protocol: ResponseHandler, *, should_close: bool = False) -> None:
        """Keep one idle connection to each server, and of it no more than the next call needs.

        aiohttp would use two in turns for ever, once two calls were made at the same time.
        """
        super()._release(key, protocol, should_close=should_close or key in self._conns)
        if protocol.is_connected():
            # What was made of the last answer; the next call makes its own.
            protocol._parser = protocol._payload = None
