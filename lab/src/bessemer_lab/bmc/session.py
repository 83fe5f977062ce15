"""Who may talk to the BMC: basic authentication and sessions.

Source: DMTF DSP0266, "Authentication"; Session schema.
"""

import base64
import binascii
import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

MIN_TIMEOUT_S = 30
MAX_TIMEOUT_S = 86400


@dataclass(slots=True)
class Session:
    number: str
    user: str
    created: datetime
    last_used_s: float


class SessionLimit(Exception):
    """Every session is taken."""


class Access:
    """One account and its sessions. A session ends when it has not been used for ``timeout_s``."""

    def __init__(
        self,
        username: str,
        password: str,
        *,
        timeout_s: int = 1800,
        limit: int = 64,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.timeout_s = timeout_s
        self._username = username
        self._password = password
        self._limit = limit
        self._clock = clock
        self._sessions: dict[str, Session] = {}

    def is_password(self, username: str, password: str) -> bool:
        """Whether both are right; takes the same time whichever is wrong."""
        is_user = hmac.compare_digest(username.encode(), self._username.encode())
        is_word = hmac.compare_digest(password.encode(), self._password.encode())
        return is_user and is_word

    def is_basic(self, header: str) -> bool:
        """Whether an Authorization header holds the account's credentials."""
        scheme, _, encoded = header.partition(" ")
        if scheme.lower() != "basic":
            return False
        try:
            user, colon, password = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return False
        return bool(colon) and self.is_password(user, password)

    def open_session(self) -> tuple[Session, str]:
        """A new session and its token.

        Raises:
            SessionLimit: There are too many already.
        """
        self._expire()
        if len(self._sessions) >= self._limit:
            raise SessionLimit
        token = secrets.token_urlsafe(32)
        session = Session(secrets.token_hex(6), self._username, datetime.now(UTC), self._clock())
        self._sessions[token] = session
        return session, token

    def use_token(self, token: str) -> bool:
        """Whether a token belongs to a session; if so the session lives on."""
        self._expire()
        # a look-up by hash gives nothing away that would help to guess 256 random bits
        session = self._sessions.get(token)
        if session is None:
            return False
        session.last_used_s = self._clock()
        return True

    def list_sessions(self) -> list[Session]:
        self._expire()
        return list(self._sessions.values())

    def find_session(self, number: str) -> Session | None:
        return next((session for session in self.list_sessions() if session.number == number), None)

    def close_session(self, number: str) -> bool:
        """End a session; False when there is none of that number."""
        for token, session in self._sessions.items():
            if session.number == number:
                del self._sessions[token]
                return True
        return False

    def _expire(self) -> None:
        oldest = self._clock() - self.timeout_s
        stale = [token for token, session in self._sessions.items() if session.last_used_s <= oldest]
        for token in stale:
            del self._sessions[token]
