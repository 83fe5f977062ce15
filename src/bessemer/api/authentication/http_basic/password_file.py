"""The file of accounts, read again when it has changed. A bad change is told of; the old accounts stay."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path

import structlog

from bessemer.api.authentication.http_basic.account import Account, read_accounts
from bessemer.config.load import BadSettings

log = structlog.get_logger(__name__)

#: Least time between two looks at the file.
_LOOK_S = 1.0


class PasswordFile:
    def __init__(self, path: Path, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Raises BadSettings: the file cannot be read, or a line of it is wrong."""
        self._path = path
        self._monotonic = monotonic
        self._looked = monotonic()
        try:
            self._seen: tuple[int, ...] = self._stamp()
            self._accounts = self._read()
        except OSError as error:
            raise BadSettings(
                f"[DEFAULT]http_basic_auth_user_file: {path} cannot be read: {error.strerror}.",
                hint="Make it with: htpasswd -B -c FILE USER",
            ) from error

    def accounts(self) -> Mapping[str, Account]:
        """The accounts by user, no older than a second."""
        now = self._monotonic()
        if now - self._looked >= _LOOK_S:
            self._looked = now
            self._refresh()
        return self._accounts

    def _refresh(self) -> None:
        try:
            stamp = self._stamp()
        except OSError:
            stamp = ()
        if stamp == self._seen:
            return
        self._seen = stamp  # also of a bad file: told of once
        try:
            self._accounts = self._read()
        except (OSError, BadSettings) as error:
            log.error("accounts cannot be read; the old ones stay", reason=str(error))  # noqa: TRY400
            return
        log.info("accounts read again", file=str(self._path), accounts=len(self._accounts))

    def _read(self) -> Mapping[str, Account]:
        try:
            text = self._path.read_text()
        except UnicodeDecodeError as error:
            raise BadSettings(f"{self._path} is not text.") from error
        return read_accounts(text, str(self._path))

    def _stamp(self) -> tuple[int, ...]:
        found = self._path.stat()
        return (found.st_ino, found.st_size, found.st_mtime_ns)
