"""A login at one BMC: DMTF's client with a session, or with basic authentication where there are none.

Loaded with the first connection to a BMC, since DMTF's library and what belongs to it are some 5 MiB. Its
errors become ours here. Source: DMTF DSP0266, "Security details".
"""

import asyncio
import base64
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Self

import aiohttp
from redfish.aio import (
    AsyncRedfishClient,
    AsyncRestResponse,
    RedfishAuthenticationError,
    RedfishConnectionError,
    RedfishError,
    RedfishHTTPError,
    RedfishPasswordChangeRequiredError,
    RedfishProtocolError,
)

from bessemer.hardware.redfish.access import Access, AuthType
from bessemer.hardware.redfish.failure import (
    BUSY,
    BmcRefused,
    BmcUnreachable,
    credentials_refused,
    from_answer,
    from_transport,
)

#: Longest wait for a BMC to end a session of ours; it forgets it by itself later.
_LOGOUT_S = 5.0


class _Client(AsyncRedfishClient):  # type: ignore[misc]  # it has no types
    """DMTF's, without its own renewal of sessions on reads.

    It forgets the old session, which nobody can end then. Where one resource alone is refused, that one is
    still good: a BMC's few sessions would be gone after as many reads.
    """

    async def _refresh_session(self, expired_session_key: str) -> bool:
        return False


class Login:
    """Carries requests for one account. Make it with ``await Login.open(...)``.

    All methods raise ``BmcUnreachable`` (no usable answer) and ``BmcRefused`` (the answer is no); an answer
    of any HTTP status is given back, and is its reader's business.
    """

    def __init__(self, name: str, access: Access, session: aiohttp.ClientSession) -> None:
        self._name = name
        self._access = access
        self._client = _Client(
            access.origin,
            username=access.username,
            password=access.password.reveal() if access.username else None,
            session=session,
            default_prefix=access.root_path,
        )
        self._headers: dict[str, str] = {}

    @classmethod
    async def open(cls, name: str, access: Access, session: aiohttp.ClientSession) -> Self:
        """Log in. ``name`` is the BMC's in messages."""
        login = cls(name, access, session)
        try:
            login._headers = await login._log_in()
        except (RedfishError, RecursionError) as error:
            await login.end()  # some BMCs give a session to say that the password must be changed
            raise login._translated("the login", error) from error
        return login

    @property
    def has_session(self) -> bool:
        """Whether there is a session at the BMC, which may expire; basic credentials do not."""
        return self._access.username is not None and not self._headers

    async def request(
        self, method: str, path: str, body: dict[str, Any] | None, headers: Mapping[str, str]
    ) -> AsyncRestResponse:
        """One request, GET, POST, PATCH or DELETE. An expired session answers 401."""
        every = {**self._headers, **headers}
        try:
            if method == "GET":
                return await self._client.get(path, headers=every)
            if method == "POST":
                return await self._client.post(path, body=body, headers=every)
            if method == "DELETE":
                return await self._client.delete(path, headers=every)
            return await self._client.patch(path, body=body, headers=every)
        except (RedfishError, RecursionError) as error:
            raise self._translated(f"{method} {path}", error) from error

    async def end(self) -> None:
        """End the session at the BMC, as well as it can be. Idempotent."""
        with suppress(RedfishError, TimeoutError):
            async with asyncio.timeout(_LOGOUT_S):
                await self._client.logout()

    async def _log_in(self) -> dict[str, str]:
        """Open a session, or find out that this BMC wants basic authentication; gives the headers for it."""
        access = self._access
        if access.username is None:
            return {}
        if access.auth_type is AuthType.BASIC or not access.is_secure:
            return self._basic()
        if access.auth_type is AuthType.AUTO and not await self._has_sessions():
            return self._basic()
        try:
            await self._client.login("session")
        except RedfishHTTPError as error:
            # No session to be had: the service is off, or all its sessions are taken.
            if access.auth_type is AuthType.SESSION:
                raise
            if error.response.status in BUSY - {503}:
                raise
            return self._basic()
        return {}

    async def _has_sessions(self) -> bool:
        """Whether the service root, which needs no login, names a session service."""
        try:
            root = await self._client.get_service_root()
        except RedfishAuthenticationError:
            return False
        return bool(root.get("SessionService") or (root.get("Links") or {}).get("Sessions"))

    def _basic(self) -> dict[str, str]:
        account = f"{self._access.username}:{self._access.password.reveal()}".encode()
        return {"Authorization": f"Basic {base64.b64encode(account).decode()}"}

    def _translated(self, what: str, error: RedfishError | RecursionError) -> Exception:
        if isinstance(error, RedfishPasswordChangeRequiredError):
            return BmcRefused(
                f"The BMC at {self._name} wants the password of this account changed first.",
                hint="Change it at the BMC, then in redfish_password.",
                status=403,
            )
        if isinstance(error, RedfishAuthenticationError):
            return credentials_refused(self._name, 401)
        if isinstance(error, RedfishHTTPError):
            return from_answer(self._name, what, error.response)
        if isinstance(error, RedfishConnectionError):
            return from_transport(self._name, what, error)
        if isinstance(error, RedfishProtocolError | RecursionError):
            return BmcUnreachable(f"The BMC at {self._name} answered {what} with nonsense: {error}.")
        return BmcRefused(f"The BMC at {self._name} points {what} elsewhere: {error}.")
