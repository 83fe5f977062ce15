"""What can go wrong, as the service is told.

    AgentError
    ├── InvalidRequest            400  the caller's request or parameters
    │   └── InvalidImage          400  an image description nobody could follow
    ├── InvalidToken              401
    ├── NotFound                  404  no such command, result or route
    ├── Busy                      409  another command still runs
    ├── VersionMismatch           409  the steps were listed by another version
    ├── DeviceNotFound            404  no disk fits
    ├── DeviceError               500  a disk or partition table refused
    │   ├── EraseFailed           500
    │   └── RaidError             500  an array could not be made or ended (in raid/)
    ├── ChildFailed               500  a tool ended badly
    ├── ImageError                500  the image could not be written
    │   ├── ImageDownloadFailed   500
    │   ├── ImageChecksumMismatch 500
    │   └── ImageTooLarge         500
    ├── ConfigDriveError          500
    ├── BootEntryError            500
    ├── InspectionFailed          500  the service did not take the inspection report
    └── LookupFailed              500  the service gave no node, or no token

A class says its default message in the first line of its docstring. The wire form of an error inside a
command result is ``{type, code, message, details}``; as an HTTP answer it is ``{faultcode, faultstring}``.
"""

from typing import ClassVar


class AgentError(Exception):
    """The agent failed."""

    code: ClassVar[int] = 500

    def __init__(self, details: str = "") -> None:
        self.message = (self.__doc__ or "").partition("\n")[0]
        self.details = details or self.message
        super().__init__(self.details)

    def to_result(self) -> dict[str, object]:
        """As the ``command_error`` of a command result."""
        return {
            "type": type(self).__name__,
            "code": self.code,
            "message": self.message if self.details == self.message else f"{self.message} {self.details}",
            "details": self.details,
        }


class InvalidRequest(AgentError):
    """The request is not valid."""

    code = 400


class InvalidImage(InvalidRequest):
    """The image description is not valid."""


class InvalidToken(AgentError):
    """The agent token is missing or wrong."""

    code = 401


class NotFound(AgentError):
    """Not found."""

    code = 404


class Busy(AgentError):
    """The agent is busy with another command."""

    code = 409


class VersionMismatch(AgentError):
    """The hardware manager's version changed since the steps were listed."""

    code = 409


class DeviceNotFound(AgentError):
    """No suitable disk was found."""

    code = 404


class DeviceError(AgentError):
    """A disk could not be used."""


class EraseFailed(DeviceError):
    """A disk could not be erased."""


class ChildFailed(AgentError):
    """A program failed."""


class ImageError(AgentError):
    """The image could not be written."""


class ImageDownloadFailed(ImageError):
    """The image could not be downloaded."""


class ImageChecksumMismatch(ImageError):
    """The image does not have the expected checksum."""


class ImageTooLarge(ImageError):
    """The image does not fit on the disk."""


class ConfigDriveError(AgentError):
    """The config drive could not be written."""


class BootEntryError(AgentError):
    """The boot entry could not be made."""


class InspectionFailed(AgentError):
    """The machine could not be inspected."""


class LookupFailed(AgentError):
    """The service could not be asked which node this is."""


def describe(error: BaseException) -> dict[str, object]:
    """Any exception as the ``command_error`` of a result; foreign ones keep their type's name."""
    if isinstance(error, AgentError):
        return error.to_result()
    text = str(error) or type(error).__name__
    return {"type": type(error).__name__, "code": 500, "message": text, "details": text}
