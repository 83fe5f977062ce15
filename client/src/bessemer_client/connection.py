"""A connection to the Bessemer API."""

import os
from types import TracebackType
from typing import Any, Self

import aiohttp

from bessemer_client.identity import BadIdentity, Identity, read_identity

DEFAULT_ENDPOINT = "http://127.0.0.1:6385"


class ApiError(Exception):
    """The service said no, or could not be reached; the message says which."""


class Connection:
    """One client session. Use as an async context manager.

    ``endpoint`` defaults to ``OS_ENDPOINT`` in the environment, else the local service; ``identity`` to what
    the environment says (see ``identity.py``).
    """

    def __init__(
        self, endpoint: str | None = None, *, identity: Identity | None = None, timeout_s: float = 60.0
    ) -> None:
        """Raises ApiError: the environment's identity cannot be used."""
        try:
            self._identity = identity or read_identity(os.environ)
        except BadIdentity as error:
            raise ApiError(str(error)) from error
        self.endpoint = (endpoint or os.environ.get("OS_ENDPOINT") or DEFAULT_ENDPOINT).rstrip("/")
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(timeout=self._timeout, headers=self._identity.headers)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session:
            await self._session.close()

    async def get(self, path: str, **query: str) -> Any:
        """The document at ``path``.

        Raises:
            ApiError: The service is not there, or answered with an error.
        """
        if self._session is None:
            raise ApiError("the connection is not open")
        try:
            address = f"{self.endpoint}{path}"
            # What we prove ourselves with goes nowhere but there.
            async with self._session.get(
                address, params=query, ssl=self._identity.tls, allow_redirects=False
            ) as answer:
                document = await answer.json(content_type=None)
                if answer.status >= 400:
                    raise ApiError(_words(document) or f"{path}: HTTP {answer.status}")
                return document
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise ApiError(f"no usable answer from {self.endpoint}: {error}") from error


def _words(document: Any) -> str:
    error = document.get("error") if isinstance(document, dict) else None
    return " ".join(str(error.get(key) or "") for key in ("message", "hint")).strip() if error else ""
