"""Keystone itself: asks it about tokens, with a token of our own that is renewed in time.

Every call has a deadline. While Keystone does not answer it is asked again with growing pauses, not by every
request that comes in; its failure is logged once, and its recovery.
Source: Keystone API v3, authentication and token management.
"""

import asyncio
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import aiohttp
import structlog

from bessemer.api.authentication.keystone.account import api_url, login_request
from bessemer.api.authentication.keystone.token import read_moment
from bessemer.config.settings import KeystoneAuthtokenSettings
from bessemer.kernel.backoff import Backoff
from bessemer.transfer.tls import TlsRules, client_context

log = structlog.get_logger(__name__)

#: Requests to Keystone at the same time.
_CONNECTIONS = 20
#: Share of its life after which our own token is renewed.
_RENEW_AT = 0.8
#: Pause after a renewal that failed while the old token is still good: wrong logins lock accounts.
_RENEW_AGAIN_S = 30.0
#: Answers about the moment, not about the token. Source: RFC 9110, section 15.5; RFC 6585.
_PASSING = frozenset({408, 425, 429})
#: Says that we keep access rules. Without it Keystone describes no token that has any.
_RULES = "OpenStack-Identity-Access-Rules"


class KeystoneUnusable(Exception):
    """No verdict about a token: Keystone does not answer, or does not accept our own account.

    ``retry_after_s`` says when asking again makes sense.
    """

    def __init__(self, reason: str, retry_after_s: float = 1.0) -> None:
        super().__init__(reason)
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True)
class _OwnToken:
    """Times are those of the monotonic clock."""

    text: str
    renew_at: float
    expires_at: float

    def __repr__(self) -> str:
        return "_OwnToken(***)"


class KeystoneServer:
    def __init__(
        self,
        settings: KeystoneAuthtokenSettings,
        *,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Raises BadSettings: an option is missing or wrong."""
        self._url = f"{api_url(settings)}/auth/tokens"
        self._login = login_request(settings)
        self._tls = _tls(settings)
        self._timeout = aiohttp.ClientTimeout(total=settings.http_connect_timeout)
        self._wall = wall
        self._monotonic = monotonic
        self._session: aiohttp.ClientSession | None = None
        self._own: _OwnToken | None = None
        self._login_lock = asyncio.Lock()
        self._backoff = Backoff(first_s=1.0, most_s=30.0)
        self._failures = 0
        self._closed_until = 0.0
        self._is_told = False

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def find_token(self, text: str, *, allow_expired: bool) -> Any:
        """What Keystone says of the token; None when it is not valid.

        ``allow_expired``: also say it of one that has expired lately, for work that began before it did.

        Raises:
            KeystoneUnusable: No verdict.
        """
        self._check_open()
        own = await self._own_token()
        status, document = await self._ask(own, text, allow_expired)
        if status == 401:
            # Ours was revoked, or Keystone has lost its keys.
            own = await self._own_token(instead_of=own)
            status, document = await self._ask(own, text, allow_expired)
        if status in (401, 403):
            raise self._failed(f"Keystone does not let our account validate tokens: HTTP status {status}")
        if status in _PASSING or status in (502, 503, 504):
            raise self._failed(f"Keystone answers with HTTP status {status}")
        self._answered()
        if status >= 500:
            raise KeystoneUnusable(f"Keystone failed over one token: HTTP status {status}")
        if status != 200:
            return None
        return document.get("token") if isinstance(document, dict) else None

    async def _ask(self, own: _OwnToken, text: str, allow_expired: bool) -> tuple[int, Any]:
        query = {"nocatalog": "", **({"allow_expired": "1"} if allow_expired else {})}
        headers = {"X-Auth-Token": own.text, "X-Subject-Token": text, _RULES: "1.0"}
        status, _, document = await self._call("GET", params=query, headers=headers)
        return status, document

    async def _own_token(self, *, instead_of: _OwnToken | None = None) -> _OwnToken:
        """Our token; another one than ``instead_of``, which was refused."""
        own = self._own
        if own is not None and own is not instead_of and self._monotonic() < own.renew_at:
            return own
        async with self._login_lock:
            own = self._own
            if own is not None and own is not instead_of and self._monotonic() < own.renew_at:
                return own
            try:
                self._check_open()  # those before us may have waited in vain
                self._own = await self._log_in()
            except KeystoneUnusable:
                now = self._monotonic()
                if own is None or own is instead_of or now >= own.expires_at:
                    raise
                self._own = replace(own, renew_at=now + _RENEW_AGAIN_S)
            return self._own

    async def _log_in(self) -> _OwnToken:
        status, headers, document = await self._call("POST", params={"nocatalog": ""}, json=self._login)
        if status != 201:
            raise self._failed(
                f"Keystone does not accept the account of [keystone_authtoken]: HTTP status {status}"
            )
        try:
            text = headers["X-Subject-Token"]
            lifetime_s = read_moment(document["token"]["expires_at"]) - self._wall()
        except (KeyError, TypeError, ValueError) as error:
            raise self._failed("Keystone's answer to our login is not one") from error
        now = self._monotonic()
        return _OwnToken(text, now + lifetime_s * _RENEW_AT, now + lifetime_s)

    async def _call(self, method: str, **how: Any) -> tuple[int, Any, Any]:
        """Status, headers and document of the answer. No redirects: our token goes nowhere else."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=_CONNECTIONS, ssl=self._tls),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=self._timeout,
            )
        try:
            async with self._session.request(method, self._url, allow_redirects=False, **how) as answer:
                is_json = answer.status in (200, 201)
                return answer.status, answer.headers, await answer.json() if is_json else None
        except TimeoutError as error:
            raise self._failed("Keystone does not answer in time") from error
        except (aiohttp.ClientError, ValueError) as error:
            # aiohttp's own texts may quote headers.
            reason = getattr(error, "strerror", None) or type(error).__name__
            raise self._failed(f"Keystone cannot be reached: {reason}") from error

    def _check_open(self) -> None:
        wait_s = self._closed_until - self._monotonic()
        if wait_s > 0:
            raise KeystoneUnusable("Keystone did not answer lately", wait_s)

    def _failed(self, reason: str) -> KeystoneUnusable:
        """Nobody asks again for a while. Failures at the same time count as one."""
        now = self._monotonic()
        if now >= self._closed_until:
            self._failures += 1
            self._closed_until = now + self._backoff.delay_s(self._failures)
        if not self._is_told:
            self._is_told = True
            log.error(
                "Keystone cannot be used; only tokens already known are accepted",
                reason=reason,
                url=self._url,
            )
        return KeystoneUnusable(reason, self._closed_until - now)

    def _answered(self) -> None:
        if self._is_told:
            log.info("Keystone can be used again", url=self._url)
        self._is_told = False
        self._failures = 0
        self._closed_until = 0.0


def _tls(settings: KeystoneAuthtokenSettings) -> ssl.SSLContext:
    name = "[keystone_authtoken]cafile"
    rules = TlsRules(verify=False if settings.insecure else settings.cafile or True)
    if not settings.certfile:
        return client_context(rules, name)
    context = client_context.__wrapped__(rules, name)  # one of our own: it shows our certificate
    context.load_cert_chain(settings.certfile, settings.keyfile)
    return context
