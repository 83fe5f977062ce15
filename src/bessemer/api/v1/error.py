"""Errors as v1 clients know them: which status each has, and the message that is JSON inside JSON.

The outer document is ``{"error_message": "<string>"}`` and the string is itself JSON. Errors of a resource
hold ``faultcode``, ``faultstring`` and ``debuginfo``; those found while routing (version, path, method) hold
``code``, ``title`` and ``description``. Refusals of the body's size or depth are not wrapped at all.
Source: v1 contract, api_wide.errors.
"""

from collections.abc import Sequence
from http import HTTPStatus

import msgspec

from bessemer.kernel import error as kernel

Headers = Sequence[tuple[bytes, bytes]]

#: First match wins, so the narrower classes come first.
_STATUS: tuple[tuple[type[kernel.BessemerError], int], ...] = (
    (kernel.InvalidValue, 400),
    (kernel.NotFound, 404),
    (kernel.Conflict, 409),
    (kernel.Forbidden, 403),
    (kernel.Unavailable, 503),
    (kernel.DeadlineExceeded, 504),
    (kernel.DeviceError, 502),
    (kernel.SourceError, 400),
    (kernel.Interrupted, 409),
    (kernel.FenceLost, 409),
)
_RETRY_AFTER_S = b"5"


class Refusal(Exception):
    """The wire's own no: something the API answers before, or instead of, asking a service.

    ``is_routing`` chooses the form (see the module); ``is_bare`` leaves the outer document out.
    """

    def __init__(
        self,
        status: int,
        text: str,
        *,
        is_routing: bool = False,
        is_bare: bool = False,
        headers: Headers = (),
    ) -> None:
        super().__init__(text)
        self.status = status
        self.text = text
        self.is_routing = is_routing
        self.is_bare = is_bare
        self.headers = headers


def status_of(error: kernel.BessemerError) -> int:
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 500)


def headers_of(status: int) -> Headers:
    return ((b"retry-after", _RETRY_AFTER_S),) if status == HTTPStatus.SERVICE_UNAVAILABLE else ()


def wants_text(accept: bytes) -> bool:
    """Whether a client that sends this ``Accept`` takes text, and no JSON."""
    takes_json = not accept or b"json" in accept or b"*/*" in accept or b"application/*" in accept
    return not takes_json and (b"text/" in accept or b"xml" in accept)


def document(status: int, text: str, *, is_routing: bool = False, is_bare: bool = False) -> bytes:
    """The body of an error answer."""
    if is_routing:
        inner: dict[str, object] = {
            "code": status,
            "title": HTTPStatus(status).phrase,
            "description": text,
        }
    else:
        side = "Client" if status < HTTPStatus.INTERNAL_SERVER_ERROR else "Server"
        inner = {"faultcode": side, "faultstring": text}
        if not is_bare:
            inner["debuginfo"] = None
    if is_bare:
        return msgspec.json.encode(inner)
    return msgspec.json.encode({"error_message": msgspec.json.encode(inner).decode()})
