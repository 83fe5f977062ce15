"""The commands this agent was given, and what became of them.

One command at a time, because they work on the same disks. Synchronous ones are answered when they are done,
asynchronous ones run in a thread and are asked for.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from enum import StrEnum

from bessemer_agent.context import Context
from bessemer_agent.error import Busy, InvalidRequest, NotFound, VersionMismatch, describe
from bessemer_agent.extension import Command, find_command
from bessemer_agent.journal import say
from bessemer_agent.progress import Progress

#: Results kept; a ramdisk runs some tens of commands in its life.
_KEPT = 200


class Status(StrEnum):
    """What became of a command."""

    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    #: For all kinds of steps, cleaning or not: the name is older than the other kinds.
    VERSION_MISMATCH = "CLEAN_VERSION_MISMATCH"


class Result:
    """One command and its outcome."""

    def __init__(self, command: Command) -> None:
        import uuid

        self.id = str(uuid.uuid4())
        self.name = command.short_name
        self.status = Status.RUNNING
        self.error: dict[str, object] | None = None
        self.result: object = None
        self.progress = Progress()
        self._is_done = threading.Event()

    def wait(self) -> None:
        """Wait until the command has ended."""
        self._is_done.wait()

    def end(self, status: Status, *, result: object = None, error: BaseException | None = None) -> None:
        """Record the outcome."""
        if result is not None and not isinstance(result, dict):
            result = {"result": result}
        self.result = result
        self.error = describe(error) if error else None
        self.status = status
        self._is_done.set()

    def to_wire(self) -> dict[str, object]:
        """As the API shows it; ``command_progress`` is there while the command runs, and only in this
        agent.
        """
        shown: dict[str, object] = {
            "id": self.id,
            "command_name": self.name,
            "command_status": str(self.status),
            "command_error": self.error,
            "command_result": self.result,
        }
        if self.status == Status.RUNNING:
            shown["command_progress"] = self.progress.to_wire()
        return shown


class Registry:
    """Runs commands.

    Args:
        context: What they work with.
        on_done: Called when an asynchronous command has ended: time for a heartbeat.
    """

    def __init__(self, context: Context, on_done: Callable[[], None] = lambda: None) -> None:
        self._context = context
        self._on_done = on_done
        self._lock = threading.Lock()
        self._results: OrderedDict[str, Result] = OrderedDict()
        self._running: Result | None = None

    def execute(self, name: str, params: Mapping[str, object]) -> Result:
        """Start a command; a synchronous one has ended when this returns.

        Raises:
            NotFound: There is no such command.
            InvalidRequest: Its parameters do not fit.
            Busy: Another one still runs; says which.
        """
        command = find_command(name)
        given = dict(params)
        command.check(given)
        with self._lock:
            if self._running:
                raise Busy(f"{self._running.name} ({self._running.id}) still runs")
            self._running = result = Result(command)
            self._results[result.id] = result
            while len(self._results) > _KEPT:
                self._results.popitem(last=False)
        say("command", name=name, id=result.id)
        if command.is_async:
            thread = threading.Thread(
                target=self._run, args=(command, result, given), name=command.short_name, daemon=True
            )
            thread.start()
        else:
            self._run(command, result, given)
        return result

    def get_result(self, identifier: str) -> Result:
        """A command's outcome so far.

        Raises:
            NotFound: There is none of that id.
        """
        with self._lock:
            found = self._results.get(identifier)
        if found is None:
            raise NotFound(f"there is no command with id {identifier}")
        return found

    def list_results(self) -> list[Result]:
        """All outcomes, oldest first."""
        with self._lock:
            return list(self._results.values())

    def _run(self, command: Command, result: Result, params: dict[str, object]) -> None:
        status, value = Status.SUCCEEDED, None
        failure: Exception | None = None
        try:
            value = command.load()(self._context, result.progress, **params)
        except VersionMismatch as error:
            status, failure = Status.VERSION_MISMATCH, error
        except Exception as error:  # noqa: BLE001 - whatever happens to a command is its result
            status, failure = Status.FAILED, error
            if not isinstance(error, (InvalidRequest, NotFound)):
                _say_where(error)
        say("command ended", name=command.name, status=status, why=failure)
        # First free the agent, then tell: whoever sees the end may send the next command at once.
        with self._lock:
            self._running = None
        result.end(status, result=value, error=failure)
        if command.is_async:
            self._on_done()


def _say_where(error: BaseException) -> None:
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    if trace:
        place = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"
        say("command failed", kind=type(error).__name__, place=place)
