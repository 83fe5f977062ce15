"""Request bodies: read with a bound on size and time, checked for depth, decoded.

Source: v1 contract, api_wide.errors (size and depth refusals are not wrapped like others).
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from bessemer.api.v1.error import Refusal
from bessemer.kernel.error import InvalidValue

Receive = Callable[[], Awaitable[Any]]

#: A client that sends nothing more for this long is gone.
READ_TIMEOUT_S = 60.0


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
        Refusal: 400: nested deeper than ``most_depth``.
    """
    if not body.strip():
        return None
    if body.count(b"[") + body.count(b"{") > most_depth and depth(body) > most_depth:
        raise Refusal(400, f"The request body is nested deeper than {most_depth} levels.", is_bare=True)
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidValue("The request body is not valid JSON.") from error


def depth(body: bytes) -> int:
    """How deep the arrays and objects of a JSON text are nested. Brackets inside strings do not count."""
    deepest = level = 0
    in_string = is_escaped = False
    for byte in body:
        if in_string:
            if is_escaped:
                is_escaped = False
            elif byte == 0x5C:  # backslash
                is_escaped = True
            elif byte == 0x22:  # quote
                in_string = False
        elif byte == 0x22:
            in_string = True
        elif byte in (0x5B, 0x7B):
            level += 1
            deepest = max(deepest, level)
        elif byte in (0x5D, 0x7D):
            level -= 1
    return deepest
