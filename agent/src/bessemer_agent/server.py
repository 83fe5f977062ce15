"""The command API: HTTP/1.1 over TLS, one thread per connection.

Threads, not asyncio: the agent answers one service, a few small requests a minute, while its own work (disks,
hashes, children) blocks anyway. A thread per connection is the least code, nothing can stall the others by
forgetting to await, and the interpreter starts noticeably sooner without asyncio.

Source: the agent's protocol as ironic-python-agent speaks it.
"""

import json
import socket
import ssl
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import cast
from urllib.parse import parse_qs, urlsplit

from bessemer_agent.context import Context
from bessemer_agent.error import AgentError, InvalidRequest, InvalidToken, NotFound
from bessemer_agent.journal import say
from bessemer_agent.registry import Registry
from bessemer_agent.secret import is_same
from bessemer_agent.version import AGENT_VERSION

#: A config drive of 64 MiB in base64 fits.
_LIMIT_BODY_BYTES = 128 * 1024**2
#: How much is kept at a time of what is not wanted.
_PART_BYTES = 64 * 1024
#: Digits of a length that nobody means.
_MOST_DIGITS = 20
#: Seconds a client may let pass between two of its bytes.
_CLIENT_TIMEOUT_S = 60.0
_TLS_VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


class AgentServer(ThreadingHTTPServer):
    """Serves the command API until shut down.

    Args:
        address: Host (None: all addresses, IPv6 included where there is any) and port (0: any free one).
        context: Holds the token.
        registry: Runs the commands.
        tls: Speaks TLS with this; plain HTTP when None.
    """

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 32

    def __init__(
        self,
        address: tuple[str | None, int],
        context: Context,
        registry: Registry,
        tls: ssl.SSLContext | None,
    ) -> None:
        host, port = address
        if host is None:
            host = "::" if socket.has_dualstack_ipv6() else "0.0.0.0"  # noqa: S104 - meant: the service may come by any
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.context = context
        self.registry = registry
        self.started_at = time.time()
        self._tls = tls
        super().__init__((host, port), _Handler)

    def server_bind(self) -> None:
        """Bind; an IPv6 wildcard takes IPv4 too."""
        if self.address_family == socket.AF_INET6:
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        # The base class looks up the host's full name here, which can wait for a name server for seconds.
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def get_request(self) -> tuple[socket.socket, object]:
        """Accept a connection; its TLS handshake is left to its own thread, which a slow client may keep."""
        connection, address = super().get_request()
        connection.settimeout(_CLIENT_TIMEOUT_S)
        if self._tls:
            connection = self._tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        return connection, address

    def handle_error(self, request: object, client_address: object) -> None:
        """A connection that broke is not worth a traceback."""
        import sys

        error = sys.exception()
        level = "connection ended" if isinstance(error, (OSError, EOFError)) else "request failed"
        say(level, client=client_address, why=f"{type(error).__name__}: {error}")


def build_tls(cert_path: str, key_path: str, min_version: str, ciphers: str | None) -> ssl.SSLContext:
    """The server's side of TLS.

    Raises:
        InvalidRequest: ``min_version`` is neither "1.2" nor "1.3", or no cipher is known.
    """
    if min_version not in _TLS_VERSIONS:
        raise InvalidRequest(f"TLS version {min_version!r} is not one of {', '.join(_TLS_VERSIONS)}")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.minimum_version = _TLS_VERSIONS[min_version]
    if ciphers:
        try:
            tls.set_ciphers(ciphers)
        except ssl.SSLError as error:
            raise InvalidRequest(f"no cipher of {ciphers!r} is known") from error
    tls.load_cert_chain(cert_path, key_path)
    return tls


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "bessemer-agent"
    sys_version = ""
    timeout = _CLIENT_TIMEOUT_S
    #: Whether the request has a body that was not read yet.
    _has_body = False

    def setup(self) -> None:
        if isinstance(self.request, ssl.SSLSocket):
            self.request.do_handshake()
        super().setup()

    def do_GET(self) -> None:
        self._answer("GET")

    def do_POST(self) -> None:
        self._answer("POST")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it
        """Requests are not logged: their query carries the token. Commands are, by the registry."""

    @property
    def _agent(self) -> AgentServer:
        return cast("AgentServer", self.server)

    def _answer(self, method: str) -> None:
        self._has_body = method == "POST"
        try:
            status, reply = 200, self._route(method)
        except AgentError as error:
            status = error.code
            reply = {"faultcode": "Client" if status < 500 else "Server", "faultstring": error.details}
            reply.update(error.to_result())
        data = json.dumps(reply).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        if self._has_body:  # unread, it would pass for the next request
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(data)
        if self._has_body:
            self._pass_over_body()

    def _route(self, method: str) -> dict[str, object]:
        parts = urlsplit(self.path)
        path = "/" + parts.path.strip("/")
        path = path.removeprefix("/v1") if path.startswith("/v1/") else path
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        if method == "GET" and path == "/":
            return self._describe()
        if method == "GET" and path == "/v1":
            return self._describe_version()
        if method == "GET" and path == "/status":
            return {"started_at": self._agent.started_at, "version": AGENT_VERSION}
        if path == "/commands" or path.startswith("/commands/"):
            self._check_token(query.get("agent_token"))
            return self._route_command(method, path.removeprefix("/commands").strip("/"), query)
        raise NotFound(f"there is no {method} {parts.path}")

    def _route_command(self, method: str, identifier: str, query: Mapping[str, str]) -> dict[str, object]:
        registry = self._agent.registry
        if method == "GET" and not identifier:
            return {"commands": [result.to_wire() for result in registry.list_results()]}
        if method == "GET":
            result = registry.get_result(identifier)
        elif identifier:
            raise NotFound("commands are sent to /v1/commands/")
        else:
            name, params = _read_command(self._read_body())
            result = registry.execute(name, params)
        if query.get("wait", "").lower() == "true":
            result.wait()
        return result.to_wire()

    def _check_token(self, given: str | None) -> None:
        context = self._agent.context
        if context.token is None:
            if context.config.get("agent_token_required") or context.settings.agent_token_required:
                raise InvalidToken("this agent has no token yet, and works with one only")
            return
        if given is None or not is_same(given, context.token):
            raise InvalidToken("the agent token is missing or wrong")

    def _read_body(self) -> object:
        """What was sent. Asked for when the sender is known: strangers must not fill the memory."""
        length = self._length
        if length is None:
            raise InvalidRequest("the request has no Content-Length")
        if length > _LIMIT_BODY_BYTES:
            raise InvalidRequest(f"the request is longer than {_LIMIT_BODY_BYTES} bytes")
        self._has_body = False
        try:
            return json.loads(self.rfile.read(length))
        except ValueError as error:
            raise InvalidRequest(f"the body is not JSON: {error}") from error

    def _pass_over_body(self) -> None:
        """Let a sender whose body nobody reads come to its end: cut off, it might not hear the answer."""
        left = min(self._length or 0, _LIMIT_BODY_BYTES)
        while left > 0 and (part := self.rfile.read(min(left, _PART_BYTES))):
            left -= len(part)

    @property
    def _length(self) -> int | None:
        length = self.headers.get("Content-Length", "")
        return int(length) if length.isdecimal() and len(length) < _MOST_DIGITS else None

    def _describe(self) -> dict[str, object]:
        version = {"id": "v1", "links": [self._link("self", "v1")]}
        return {
            "name": "Bessemer agent API",
            "description": "Runs commands in a ramdisk, by the protocol of ironic-python-agent.",
            "versions": [version],
            "default_version": version,
        }

    def _describe_version(self) -> dict[str, object]:
        return {
            "id": "v1",
            "links": [self._link("self", "v1")],
            "media_types": [
                {"base": "application/json", "type": "application/vnd.openstack.ironic-python-agent.v1+json"}
            ],
            "commands": [self._link("self", "v1", "commands"), self._link("bookmark", "commands")],
            "status": [self._link("self", "v1", "status"), self._link("bookmark", "status")],
        }

    def _link(self, relation: str, *parts: str) -> dict[str, str]:
        scheme = "https" if isinstance(self.request, ssl.SSLSocket) else "http"
        host = self.headers.get("Host") or f"{self._agent.server_name}:{self._agent.server_port}"
        return {"href": "/".join((f"{scheme}://{host}", *parts)) + "/", "rel": relation}


def _read_command(body: object) -> tuple[str, dict[str, object]]:
    if not isinstance(body, dict):
        raise InvalidRequest("a command is an object with name and params")
    name, params = body.get("name"), body.get("params")
    if not isinstance(name, str) or not isinstance(params, dict):
        raise InvalidRequest("a command has name, a text, and params, an object")
    return name, params
