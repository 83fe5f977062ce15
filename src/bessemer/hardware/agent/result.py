"""A command as the agent tells of it. Source: agent API, "result"."""

from enum import StrEnum
from typing import Any, TypeVar

import msgspec

from bessemer.kernel.error import DeviceError

JsonObject = dict[str, Any]
T = TypeVar("T")


class CommandStatus(StrEnum):
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    VERSION_MISMATCH = "CLEAN_VERSION_MISMATCH"


class CommandResult(msgspec.Struct, frozen=True, kw_only=True):
    """``name`` is without its extension (``execute_deploy_step``).

    ``progress`` is what newer agents tell of a running command (``percent``, ``phase``); None from others.
    """

    id: str
    name: str = msgspec.field(name="command_name")
    status: str = msgspec.field(name="command_status")
    error: JsonObject | None = msgspec.field(name="command_error", default=None)
    result: Any = msgspec.field(name="command_result", default=None)
    progress: JsonObject | None = msgspec.field(name="command_progress", default=None)

    @property
    def is_running(self) -> bool:
        return self.status == CommandStatus.RUNNING


class _CommandList(msgspec.Struct, frozen=True):
    commands: list[CommandResult]


def decode_result(text: bytes) -> CommandResult:
    """Raises DeviceError when this is not the result of a command."""
    return _decode(text, CommandResult)


def decode_list(text: bytes) -> list[CommandResult]:
    """Raises DeviceError when this is not a list of commands."""
    return _decode(text, _CommandList).commands


def _decode(text: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(text, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DeviceError(f"The agent's answer cannot be understood: {error}.") from error
