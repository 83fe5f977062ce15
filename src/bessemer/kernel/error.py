"""The error tree: what went wrong, whose fault it is, whether trying again can help, and what to do.

    BessemerError
    ├── InvalidValue          the caller sent something that cannot be right
    │   └── Unsupported       right in form, but this machine or driver cannot do it
    ├── NotFound              no such thing, or not for this caller
    ├── Conflict              the thing exists in a state that does not allow this now
    │   ├── Duplicate         a unique value is taken
    │   └── NodeLocked        another operation is running on the node
    ├── Forbidden             the caller may not
    ├── Unavailable           nobody can do it at this moment
    │   └── DatabaseLost      our own database did not answer; what was being written may be true or not
    ├── DeviceError           a BMC, an agent or a machine misbehaved
    │   ├── DeviceUnreachable no answer; safe to try again
    │   ├── DeviceRefused     an answer that says no; trying again will not help
    │   └── DeadlineExceeded  it was accepted and did not happen in time
    ├── SourceError           an image or a document could not be had or is not what was promised
    ├── Interrupted           work was cut short and only a human can say how far it came
    ├── FenceLost             this process no longer owns the operation; nothing was written
    │   └── LeaseEnded        it may own it no longer; nothing was sent
    └── InternalError         a defect of ours

The domain knows no HTTP: each API maps these at its edge.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import ClassVar, Final

from bessemer.kernel.secret import without_secrets
from bessemer.kernel.text import storable_of


class Fault(StrEnum):
    """Who has to act."""

    USER = "user"
    OPERATOR = "operator"
    DEVICE = "device"
    BUG = "bug"


class BessemerError(Exception):
    """The root. ``code`` is stable and meant for programs, the message for people."""

    code: ClassVar[str] = "error"
    fault: ClassVar[Fault] = Fault.BUG
    retry: ClassVar[bool] = False

    def __init__(self, message: str, *, hint: str = "") -> None:
        # Whatever is said of an address, the login in it is not repeated. Devices are quoted in errors that
        # are kept.
        self.message = storable_of(without_secrets(message))
        self.hint = storable_of(without_secrets(hint))
        super().__init__(self.message)

    def hide(self, secrets: Iterable[str]) -> None:
        """Put a mask in place of ``secrets``, which whoever is quoted may have repeated."""
        known = list(secrets)
        self.message = without_secrets(self.message, known)
        self.hint = without_secrets(self.hint, known)
        self.args = (self.message,)

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".rstrip() if self.hint else self.message


class InvalidValue(BessemerError):
    code = "invalid-value"
    fault = Fault.USER


class Unsupported(InvalidValue):
    code = "unsupported"


class NotFound(BessemerError):
    code = "not-found"
    fault = Fault.USER


class Conflict(BessemerError):
    code = "conflict"
    fault = Fault.USER


class Duplicate(Conflict):
    code = "duplicate"


class NodeLocked(Conflict):
    code = "node-locked"
    retry = True


class Forbidden(BessemerError):
    code = "forbidden"
    fault = Fault.USER


class Unavailable(BessemerError):
    code = "unavailable"
    fault = Fault.OPERATOR
    retry = True


class DatabaseLost(Unavailable):
    """Passes by itself. What was asked of the world meanwhile was cut short, and by no fault of its own."""


class DeviceError(BessemerError):
    code = "device-error"
    fault = Fault.DEVICE


class DeviceUnreachable(DeviceError):
    code = "device-unreachable"
    retry = True


class DeviceRefused(DeviceError):
    code = "device-refused"


class DeadlineExceeded(DeviceError):
    code = "deadline-exceeded"


class SourceError(BessemerError):
    code = "source-error"
    fault = Fault.USER


class Interrupted(BessemerError):
    code = "interrupted"
    fault = Fault.OPERATOR


class FenceLost(BessemerError):
    code = "fence-lost"
    fault = Fault.OPERATOR


class LeaseEnded(FenceLost):
    code = "lease-ended"


class InternalError(BessemerError):
    code = "internal-error"


#: The errors that operations may record, by their codes.
_RECORDED: Final[Mapping[str, type[BessemerError]]] = {
    kind.code: kind
    for kind in (
        InvalidValue,
        Unsupported,
        NotFound,
        Conflict,
        Duplicate,
        NodeLocked,
        Forbidden,
        Unavailable,
        DeviceError,
        DeviceUnreachable,
        DeviceRefused,
        DeadlineExceeded,
        SourceError,
        Interrupted,
    )
}


def revived(code: str, message: str, *, hint: str = "") -> BessemerError:
    """The error that was recorded under ``code``, in another process perhaps; an InternalError when nobody
    but us can have meant it."""
    return _RECORDED.get(code, InternalError)(message, hint=hint)
