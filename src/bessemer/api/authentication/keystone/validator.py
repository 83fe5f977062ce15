"""``auth_strategy = keystone``: who asks is what Keystone says of the token in ``X-Auth-Token``.

A verdict is believed for ``token_cache_time``, never longer than the token lives; so a revocation is seen at
the latest then. While Keystone cannot be used, tokens that were valid go on to be until they expire, and for
others the answer is 503.
Source: Keystone API v3; option names and behaviour as operators know them from keystonemiddleware.
"""

import asyncio
import dataclasses
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

import structlog

from bessemer.api.authentication.cache import BoundedCache
from bessemer.api.authentication.keystone.access_rule import is_allowed
from bessemer.api.authentication.keystone.account import api_url
from bessemer.api.authentication.keystone.server import KeystoneServer, KeystoneUnusable
from bessemer.api.authentication.keystone.token import Token, read_token
from bessemer.api.authentication.proof import Denial, Proof
from bessemer.config.settings import KeystoneAuthtokenSettings
from bessemer.kernel.secret import Secret
from bessemer.service.caller import Caller

log = structlog.get_logger(__name__)

_MOST_TOKENS = 10_000
_MOST_REFUSED = 10_000
#: How long a refusal is believed: short, because a token may be younger than a replica of Keystone knows.
_REFUSED_S = 10.0
#: Longer texts are no tokens; Keystone need not be asked.
_LONGEST = 8192


@dataclass(frozen=True, slots=True)
class _Known:
    """``fresh_until`` by the monotonic clock; after that Keystone is asked again."""

    token: Token
    fresh_until: float


class KeystoneAuthentication:
    def __init__(
        self,
        settings: KeystoneAuthtokenSettings,
        server: KeystoneServer,
        *,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """``server`` belongs to this strategy from now on. Raises BadSettings."""
        self._server = server
        self._service_type = settings.service_type
        self._service_roles = frozenset(role.lower() for role in settings.service_token_roles)
        self._needs_service_role = settings.service_token_roles_required
        self._believed_s = settings.token_cache_time
        self._wall = wall
        self._monotonic = monotonic
        self._known: BoundedCache[bytes, _Known] = BoundedCache(_MOST_TOKENS)
        self._refused: BoundedCache[tuple[bytes, bool], float] = BoundedCache(_MOST_REFUSED)
        self._asking: dict[tuple[bytes, bool], asyncio.Task[Token | None]] = {}
        uri = settings.www_authenticate_uri or api_url(settings)
        self._challenge = ((b"www-authenticate", f'Keystone uri="{uri}"'.encode("ascii", "ignore")),)

    async def identify(self, proof: Proof) -> Caller:
        """Raises Denial: 401 without a valid token, 503 when nobody can say whether it is."""
        if not proof.token:
            raise self._denied("The request needs a token: log in to Keystone first.")
        service_roles: frozenset[str] = frozenset()
        is_passed_on = False
        if proof.service_token:
            service_roles = (await self._token(proof.service_token)).caller.roles
            is_passed_on = not service_roles.isdisjoint(self._service_roles)
            if self._needs_service_role and not is_passed_on:
                raise self._denied("The service token is not one of a service.")
        token = await self._token(proof.token, allow_expired=is_passed_on)
        # A service acts within what its user was allowed to ask of it.
        if token.access_rules is not None and not is_passed_on:
            self._check_rules(token, proof)
        return dataclasses.replace(token.caller, token=Secret(proof.token), service_roles=service_roles)

    async def close(self) -> None:
        for task in self._asking.values():
            task.cancel()
        await asyncio.gather(*self._asking.values(), return_exceptions=True)
        await self._server.close()

    async def _token(self, text: str, *, allow_expired: bool = False) -> Token:
        if len(text) > _LONGEST or not text.isascii() or not text.isprintable():
            raise self._denied()
        digest = sha256(text.encode()).digest()
        known = self._known.find(digest)
        if known is not None:
            if not allow_expired and known.token.expires_at <= self._wall():
                raise self._denied()
            if known.fresh_until > self._monotonic():
                return known.token
        if (self._refused.find((digest, allow_expired)) or 0.0) > self._monotonic():
            raise self._denied()
        try:
            token = await self._asked(digest, text, allow_expired)
        except KeystoneUnusable as error:
            if known is not None and known.token.expires_at > self._wall():
                return known.token
            raise _unavailable(error) from error
        if token is None or (token.expires_at <= self._wall() and not allow_expired):
            raise self._denied()
        return token

    async def _asked(self, digest: bytes, text: str, allow_expired: bool) -> Token | None:
        """Keystone's verdict. Requests with the same token at the same time share one question."""
        key = (digest, allow_expired)
        task = self._asking.get(key)
        if task is None:
            task = asyncio.create_task(self._ask(key, text), name="token validation")
            self._asking[key] = task
            task.add_done_callback(lambda done: self._forget(key, done))
        # One that gives up leaves the question to the others.
        return await asyncio.shield(task)

    def _forget(self, key: tuple[bytes, bool], done: asyncio.Task[Token | None]) -> None:
        self._asking.pop(key, None)
        if not done.cancelled():
            done.exception()  # taken note of, also when everybody who asked has gone

    async def _ask(self, key: tuple[bytes, bool], text: str) -> Token | None:
        digest, allow_expired = key
        document = await self._server.find_token(text, allow_expired=allow_expired)
        now = self._monotonic()
        if document is None:
            self._known.drop(digest)
            self._refused.put(key, now + _REFUSED_S)
            return None
        try:
            token = read_token(document)
        except ValueError as error:
            log.warning("Keystone describes a token in a way we do not understand", error=str(error))
            raise KeystoneUnusable("not understood") from error
        self._known.put(digest, _Known(token, now + self._believed_s))
        return token

    def _check_rules(self, token: Token, proof: Proof) -> None:
        if not is_allowed(token.access_rules or (), self._service_type, proof.method, proof.path):
            raise self._denied("The access rules of the application credential do not allow this request.")

    def _denied(self, text: str = "The token is not valid.") -> Denial:
        return Denial(401, text, self._challenge)


def _unavailable(error: KeystoneUnusable) -> Denial:
    retry_after = b"%d" % max(1, math.ceil(error.retry_after_s))
    text = "Keystone cannot be used at the moment, so the token cannot be checked. Try again."
    return Denial(503, text, ((b"retry-after", retry_after),))
