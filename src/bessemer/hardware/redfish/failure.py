"""What a BMC's failures mean: from HTTP answers and broken connections to errors an operator can act on.

Source: DMTF DSP0266, section "Error responses" (extended information).
"""

import asyncio
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import aiohttp
import msgspec

from bessemer.kernel.error import DeviceError, DeviceRefused, DeviceUnreachable

if TYPE_CHECKING:
    from redfish.aio import AsyncRestResponse, RedfishError

#: Longest piece of a BMC's answer repeated in a message.
_MOST_TEXT = 500
#: Answers that say "not now": the same request may work later.
BUSY = frozenset({408, 425, 429, 500, 502, 503, 504})


class BmcRefused(DeviceRefused):
    """The BMC said no. ``status`` is its HTTP status, ``message_ids`` are its registry messages."""

    def __init__(
        self, message: str, *, hint: str = "", status: int = 0, message_ids: tuple[str, ...] = ()
    ) -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.message_ids = message_ids

    def says(self, *names: str) -> bool:
        """Whether one of its messages is called so (``ActionParameterUnknown``, whatever the registry)."""
        return any(message_id.rpartition(".")[2] in names for message_id in self.message_ids)


class BmcUnreachable(DeviceUnreachable):
    """No usable answer. ``is_unsent``: the request cannot have reached the BMC, so it did nothing.

    ``status`` is the HTTP status of an answer that says "not now" (500, 503...); 0 when there was none.
    """

    def __init__(self, message: str, *, hint: str = "", is_unsent: bool = False, status: int = 0) -> None:
        super().__init__(message, hint=hint)
        self.is_unsent = is_unsent
        self.status = status


class BmcSilent(BmcUnreachable):
    """No answer came in the time that one may take."""


def credentials_refused(bmc: str, status: int) -> BmcRefused:
    if status == 403:
        return BmcRefused(
            f"The BMC at {bmc} does not allow this to the account used (HTTP 403).",
            hint="Give the account in redfish_username the rights of an administrator.",
            status=403,
        )
    return BmcRefused(
        f"The BMC at {bmc} refused the credentials.",
        hint="Check redfish_username and redfish_password in driver_info.",
        status=401,
    )


def from_answer(bmc: str, what: str, answer: "AsyncRestResponse") -> DeviceError:
    """The error that an answer outside 200-299 stands for. ``what`` is as ``GET /redfish/v1/Systems/1``."""
    if answer.status in (401, 403):
        return credentials_refused(bmc, answer.status)
    messages = list(_messages(answer))
    said = _joined(message.get("Message") for message in messages) or _plain_text(answer)
    message = f"The BMC at {bmc} answered {what} with HTTP {answer.status}" + (f": {said}" if said else ".")
    if answer.status in BUSY:
        return BmcUnreachable(message, status=answer.status)
    return BmcRefused(
        message,
        hint=_joined(m.get("Resolution") for m in messages if m.get("Resolution") != "None"),
        status=answer.status,
        message_ids=tuple(m["MessageId"] for m in messages if isinstance(m.get("MessageId"), str)),
    )


def from_transport(bmc: str, what: str, error: "RedfishError") -> DeviceError:
    """The error that a failed connection stands for, by what aiohttp found to be its cause."""
    cause = error.__cause__ or error
    if isinstance(cause, aiohttp.ClientConnectorSSLError | aiohttp.ClientConnectorCertificateError):
        return _no_trust(bmc, cause)
    if isinstance(cause, aiohttp.ClientConnectorDNSError):
        return BmcUnreachable(f"The name of the BMC at {bmc} cannot be resolved.", is_unsent=True)
    if isinstance(cause, aiohttp.ClientConnectorError):
        return BmcUnreachable(f"The BMC at {bmc} cannot be reached: {_reason(cause)}.", is_unsent=True)
    if isinstance(cause, aiohttp.ConnectionTimeoutError):
        return BmcUnreachable(f"The BMC at {bmc} does not take connections.", is_unsent=True)
    if isinstance(cause, asyncio.TimeoutError):
        return BmcUnreachable(f"The BMC at {bmc} did not answer {what} in time.")
    return BmcUnreachable(f"The connection to the BMC at {bmc} broke during {what}: {_reason(cause)}.")


def _no_trust(
    bmc: str, cause: aiohttp.ClientConnectorSSLError | aiohttp.ClientConnectorCertificateError
) -> BmcRefused:
    if isinstance(cause, aiohttp.ClientConnectorCertificateError):
        return BmcRefused(
            f"The certificate of the BMC at {bmc} is not trusted: {_certificate_problem(cause)}.",
            hint="Set redfish_verify_ca in driver_info to the CA that signed it, or to false to do without.",
        )
    return BmcRefused(
        f"The BMC at {bmc} cannot agree on TLS with us: {_reason(cause)}.",
        hint="Check scheme and port of redfish_address, and redfish_tls_minimum_version.",
    )


def no_answer(bmc: str, what: str, limit_s: float) -> BmcSilent:
    return BmcSilent(f"The BMC at {bmc} did not answer {what} within {limit_s:g} s.")


def not_json(bmc: str, what: str, answer: "AsyncRestResponse") -> BmcUnreachable:
    """A BMC that is starting often answers with pages meant for people."""
    start = " ".join(str(answer.text).split())[:80]
    return BmcUnreachable(f"The BMC at {bmc} answered {what} with something that is not JSON: '{start}'.")


def _messages(answer: "AsyncRestResponse") -> Iterator[Mapping[str, Any]]:
    """The extended information of an error, wherever implementations put it."""
    try:
        body = msgspec.json.decode(answer.read)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return
    if not isinstance(body, dict):
        return
    error = body.get("error")
    places = [error, body] if isinstance(error, dict) else [body]
    is_told = False
    for place in places:
        info = place.get("@Message.ExtendedInfo")
        for item in info if isinstance(info, list) else [info]:
            if isinstance(item, dict):
                is_told = is_told or bool(item.get("Message"))
                yield item
    if not is_told and isinstance(error, dict):
        yield {"Message": error.get("message")}


def _joined(texts: Iterator[Any]) -> str:
    seen = dict.fromkeys(" ".join(text.split()) for text in texts if isinstance(text, str) and text.strip())
    return " ".join(seen)[:_MOST_TEXT]


def _plain_text(answer: "AsyncRestResponse") -> str:
    text = " ".join(str(answer.text).split())
    return "" if text.startswith(("<", "{")) else text[:_MOST_TEXT]


def _certificate_problem(error: aiohttp.ClientConnectorCertificateError) -> str:
    return str(getattr(error.certificate_error, "verify_message", "") or error.certificate_error)


def _reason(error: BaseException) -> str:
    inner = getattr(error, "os_error", None)
    return str(getattr(inner, "strerror", None) or inner or error or type(error).__name__)
