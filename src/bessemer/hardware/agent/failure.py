"""What goes wrong when an agent is asked to do something. Source: agent API, "errors" and status codes."""

from bessemer.kernel.error import DeviceError, DeviceRefused, DeviceUnreachable


class AgentUnreachable(DeviceUnreachable):
    """No usable answer. ``is_unsent``: the request cannot have reached the agent."""

    code = "agent-unreachable"

    def __init__(self, message: str, *, hint: str = "", is_unsent: bool = False) -> None:
        super().__init__(message, hint=hint)
        self.is_unsent = is_unsent


class AgentBusy(DeviceError):
    """The agent is carrying out another command. Ask again when that is over."""

    code = "agent-busy"
    retry = True


class AgentRefused(DeviceRefused):
    """The agent said no to a request."""

    code = "agent-refused"

    def __init__(self, message: str, *, hint: str = "", status: int = 0) -> None:
        super().__init__(message, hint=hint)
        self.status = status


class CommandUnknown(AgentRefused):
    """The agent does not know this command: it is older than what is asked of it."""

    code = "agent-command-unknown"


class CommandLost(AgentRefused):
    """The agent does not know the id of this command: it has been restarted since it was given."""

    code = "agent-command-lost"


class CommandFailed(DeviceRefused):
    """The agent carried the command out and it failed."""

    code = "agent-command-failed"
