"""``auth_strategy = http_basic``: who asks is the account whose user and password the request brings.

A password is checked once and remembered as a keyed hash, so that not each request pays for bcrypt. Checks
run beside the event loop, take as long for unknown users, and are slowed down per address when they fail.
Source: RFC 7617; v1 contract, auth strategies.
"""

import asyncio
import base64
import binascii
import math
import secrets
from concurrent.futures import ThreadPoolExecutor
from hashlib import blake2b
from typing import NoReturn

import bcrypt
import structlog

from bessemer.api.authentication.cache import BoundedCache
from bessemer.api.authentication.http_basic.account import Account
from bessemer.api.authentication.http_basic.password_file import PasswordFile
from bessemer.api.authentication.http_basic.throttle import Throttle
from bessemer.api.authentication.proof import Denial, Proof
from bessemer.service.caller import Caller

log = structlog.get_logger(__name__)

_CHALLENGE = ((b"www-authenticate", b'Basic realm="Baremetal API", charset="UTF-8"'),)
_THREADS = 2
_MOST_VERIFIED = 4096
#: What bcrypt looks at of a password. Longer ones are refused, not cut: a tail must not be decoration.
_LONGEST = 72


class BasicAuthentication:
    def __init__(self, file: PasswordFile, throttle: Throttle) -> None:
        self._file = file
        self._throttle = throttle
        self._key = secrets.token_bytes(32)
        self._verified: BoundedCache[bytes, bool] = BoundedCache(_MOST_VERIFIED)
        self._checking: dict[bytes, asyncio.Task[bool]] = {}
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="bcrypt")

    async def identify(self, proof: Proof) -> Caller:
        """Raises Denial: 401 without a known account and its password, 429 after too many failures."""
        user, password = _read(proof.authorization)
        accounts = self._file.accounts()
        account = accounts.get(user)
        digest = self._digest(user, password, account)
        if account is not None and self._verified.find(digest):
            return account.caller
        if not await self._is_right(digest, account, password, proof.address) or account is None:
            log.warning("user or password is wrong", user=user, client=proof.address)
            _deny()
        return account.caller

    async def close(self) -> None:
        for task in self._checking.values():
            task.cancel()
        await asyncio.gather(*self._checking.values(), return_exceptions=True)
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _digest(self, user: str, password: bytes, account: Account | None) -> bytes:
        """Changes with each of the three, so a changed account is checked anew."""
        hashed = account.hash if account else b""
        parts = (user.encode(), password, hashed)
        text = b"".join(len(part).to_bytes(4) + part for part in parts)
        return blake2b(text, key=self._key, digest_size=32).digest()

    async def _is_right(self, digest: bytes, account: Account | None, password: bytes, address: str) -> bool:
        """Requests that bring the same at the same time are checked once."""
        task = self._checking.get(digest)
        if task is None:
            wait_s = self._throttle.wait_s(address)
            if wait_s > 0:
                raise _too_often(wait_s)
            self._throttle.count(address)
            task = asyncio.create_task(self._check(digest, account, password, address), name="password check")
            self._checking[digest] = task
            task.add_done_callback(lambda _: self._checking.pop(digest, None))
        return await asyncio.shield(task)

    async def _check(self, digest: bytes, account: Account | None, password: bytes, address: str) -> bool:
        hashed = account.hash if account else self._nobody()
        loop = asyncio.get_running_loop()
        is_right = await loop.run_in_executor(self._threads, _matches, password, hashed)
        if is_right and account is not None:
            self._verified.put(digest, True)
            self._throttle.take_back(address)
        return is_right

    def _nobody(self) -> bytes:
        """A hash that no password has, as dear to check as the dearest of the accounts."""
        cost = max((account.cost for account in self._file.accounts().values()), default=12)
        return b"$2b$%02d$" % cost + b"." * 53


def _matches(password: bytes, hashed: bytes) -> bool:
    is_right = bcrypt.checkpw(password[:_LONGEST], hashed)
    return is_right and len(password) <= _LONGEST


def _read(header: str) -> tuple[str, bytes]:
    """User and password of an ``Authorization`` header. Raises Denial."""
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        _deny("The request needs a user and a password.")
    try:
        user, colon, password = base64.b64decode(encoded.strip(), validate=True).partition(b":")
        name = user.decode()
    except (binascii.Error, ValueError):
        _deny("The Authorization header cannot be read.")
    if not colon:
        _deny("The Authorization header cannot be read.")
    return name, password


def _deny(text: str = "User or password is wrong.") -> NoReturn:
    raise Denial(401, text, _CHALLENGE)


def _too_often(wait_s: float) -> Denial:
    retry_after = b"%d" % max(1, math.ceil(wait_s))
    return Denial(429, "Too many wrong passwords from this address. Wait.", ((b"retry-after", retry_after),))
