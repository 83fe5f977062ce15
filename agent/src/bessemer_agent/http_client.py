"""HTTP requests of the agent: to the service, to image servers, for small texts.

urllib with only the handlers for http and https: a redirect or an image description cannot make the agent
read its own files, and no proxy is taken from the environment.
"""

import ssl
import urllib.request
from collections.abc import Callable, Mapping
from http.client import HTTPException, HTTPResponse, HTTPSConnection
from typing import NamedTuple
from urllib.error import HTTPError
from urllib.parse import urlsplit

from bessemer_agent.error import AgentError, InvalidRequest
from bessemer_agent.secret import Secret

#: What a broken exchange can raise besides :class:`HttpStatusError`; all of it is worth another try.
TRANSPORT_ERRORS = (OSError, HTTPException)


class HttpStatusError(AgentError):
    """The server refused."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"HTTP {status}: {text.strip()[:300]}")
        self.status = status


class Route(NamedTuple):
    """How to get to a server and how to be let in."""

    #: Proxy URL by scheme ("http", "https").
    proxies: Mapping[str, str] = {}
    #: Hosts reached without proxy: names, domain endings, separated by commas; "*" is all.
    no_proxy: str = ""
    #: Value of the Authorization header; not sent on to where a redirect leads.
    authorization: Secret | None = None


class HttpClient:
    """Makes requests with one trust setting.

    Args:
        timeout_s: Deadline of each wait for the network, not of the whole exchange.
        cafile: Certificates to trust; the system's when None.
        is_insecure: Do not verify certificates.
    """

    def __init__(self, timeout_s: float, cafile: str | None = None, is_insecure: bool = False) -> None:
        self._timeout_s = timeout_s
        self._cafile = cafile
        self._is_insecure = is_insecure

    def open(
        self,
        url: str,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        route: Route | None = None,
    ) -> HTTPResponse:
        """Send a request and return the answer, its body still to be read; redirects are followed.

        Raises:
            HttpStatusError: The server answered 400 or above.
            InvalidRequest: ``url`` is not http(s).
            OSError, HTTPException: The exchange broke (:data:`TRANSPORT_ERRORS`).
        """
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise InvalidRequest(f"{without_query(url)!r} is not an http or https URL")
        route = route or Route()
        request = urllib.request.Request(url, data=body, method=method, headers=dict(headers or {}))  # noqa: S310
        if route.authorization:
            request.add_unredirected_header("Authorization", route.authorization.reveal())
        opener = self._build_opener({} if is_bypassed(parts.hostname, route) else route.proxies)
        try:
            return opener.open(request, timeout=self._timeout_s)  # type: ignore[no-any-return]
        except HTTPError as error:
            with error:
                text = error.read(2000).decode("utf-8", "replace")
            # Web servers' error pages are for people with browsers; the service's JSON is worth telling.
            is_page = "html" in (error.headers.get("Content-Type") or "") or not text
            raise HttpStatusError(error.code, error.reason if is_page else text) from None

    def fetch(self, url: str, *, limit_bytes: int, route: Route | None = None) -> bytes:
        """A small body as a whole.

        Raises:
            InvalidRequest: It is larger than ``limit_bytes``.
            As :meth:`open` otherwise.
        """
        with self.open(url, route=route) as response:
            body = response.read(limit_bytes + 1)
        if len(body) > limit_bytes:
            raise InvalidRequest(f"{without_query(url)} is larger than {limit_bytes} bytes")
        return body

    def _build_opener(self, proxies: Mapping[str, str]) -> urllib.request.OpenerDirector:
        opener = urllib.request.OpenerDirector()
        handlers = [
            urllib.request.ProxyHandler(dict(proxies)),
            urllib.request.UnknownHandler(),
            urllib.request.HTTPHandler(),
            urllib.request.HTTPDefaultErrorHandler(),
            urllib.request.HTTPRedirectHandler(),
            urllib.request.HTTPErrorProcessor(),
            _HttpsHandler(self._build_tls),
        ]
        for handler in handlers:
            opener.add_handler(handler)
        return opener

    def _build_tls(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=self._cafile)
        if self._is_insecure:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context


class _HttpsHandler(urllib.request.HTTPSHandler):
    """Reads the trusted certificates only when something is really asked over https: it takes long."""

    def __init__(self, build_tls: Callable[[], ssl.SSLContext]) -> None:
        super().__init__()
        self._build_tls = build_tls

    def https_open(self, request: urllib.request.Request) -> HTTPResponse:
        return self.do_open(HTTPSConnection, request, context=self._build_tls())


def without_query(url: str) -> str:
    """The URL as it may be told: queries of signed URLs are credentials, as are passwords before a host."""
    parts = urlsplit(url)
    return parts._replace(query="", fragment="", netloc=parts.netloc.rpartition("@")[2]).geturl()


def is_bypassed(host: str, route: Route) -> bool:
    """Whether ``no_proxy`` lets a host be reached directly."""
    for entry in route.no_proxy.lower().split(","):
        name = entry.strip().lstrip(".")
        if name and (name == "*" or host.lower() == name or host.lower().endswith("." + name)):
            return True
    return False
