"""Request bodies: read with a bound on size and time, checked for depth, decoded.

Source: v1 contract, api_wide.errors (size and depth refusals are not wrapped like others).
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from itertools import accumulate
from typing import Any, Final

import msgspec

from bessemer.api.v1.error import Refusal
from bessemer.kernel.error import InvalidValue

Receive = Callable[[], Awaitable[Any]]

#: A client that sends nothing more for this long is gone.
READ_TIMEOUT_S = 60.0
#: Lists and objects in one body. Decoded, each takes many times the two bytes that it may take on the wire.
MOST_PARTS: Final = 200_000
_OPENING: Final = ord("[")
_AS_SQUARE: Final = bytes.maketrans(b"{}", b"[]")
_PLAIN: Final = bytes(set(range(256)) - set(b'[]{}"'))
#: In what has no escapes any more. One that is not closed goes to the end.
_STRING: Final = re.compile(rb'"[^"]*+"?')


class Disconnected(Exception):
    """The client went away before its request was complete; there is nobody to answer."""


async def read(receive: Receive, most_bytes: int, *, timeout_s: float = READ_TIMEOUT_S) -> bytes:
    """The whole body. ``timeout_s`` bounds the wait for each part of it.

    Raises:
        Refusal: 413: more than ``most_bytes``; 408: not complete in time.
        Disconnected: The client is gone.
    """
    message = await _next(receive, timeout_s)
    body: bytes = message.get("body", b"")
    if message.get("more_body", False):
        chunks = [body]
        size = len(body)
        while message.get("more_body", False) and size <= most_bytes:
            message = await _next(receive, timeout_s)
            chunks.append(message.get("body", b""))
            size += len(chunks[-1])
        body = b"".join(chunks)
    if len(body) > most_bytes:
        raise Refusal(413, f"The request body is larger than {most_bytes // 1024} KiB.", is_bare=True)
    return body


async def _next(receive: Receive, timeout_s: float) -> Any:
    try:
        async with asyncio.timeout(timeout_s):
            message = await receive()
    except TimeoutError as error:
        raise Refusal(408, "The request body did not arrive in time.") from error
    if message["type"] == "http.disconnect":
        raise Disconnected
    return message


def decode(body: bytes, most_depth: int) -> Any:
    """The JSON document in ``body``; None when there is no body.

    Raises:
        InvalidValue: It is not JSON.
        Refusal: 400: nested deeper than ``most_depth``, or more than ``MOST_PARTS`` in it.
    """
    if not body.strip():
        return None
    if body.count(b"[") + body.count(b"{") > most_depth:
        _check_shape(body, most_depth)
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidValue("The request body is not valid JSON.") from error


def _check_shape(body: bytes, most_depth: int) -> None:
    marks = _marks(body)
    if marks.count(b'"') <= 4 * MOST_PARTS:  # one is left between two brackets: more are too many anyway
        marks = _STRING.sub(b"", marks)
    if len(marks) > 2 * MOST_PARTS:
        raise Refusal(400, f"The request body has more than {MOST_PARTS} lists and objects.", is_bare=True)
    if max(accumulate(1 if mark == _OPENING else -1 for mark in marks), default=0) > most_depth:
        raise Refusal(400, f"The request body is nested deeper than {most_depth} levels.", is_bare=True)


def _marks(body: bytes) -> bytes:
    """The brackets of a JSON text, all as square ones, and the quotes around those that stand in strings.

    Strangers may send 16 MiB: what goes over all of it is not written in Python, and no text takes it longer
    than in proportion to its size.
    """
    without_escapes = body.replace(rb"\\", b"").replace(rb"\"", b"")
    return without_escapes.translate(_AS_SQUARE, _PLAIN).replace(b'""', b"")
