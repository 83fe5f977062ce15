"""Carrying one claimed operation on until it sleeps, is over, or is no longer ours.

Each round calls one face of a step and writes what came of it. What to do next is read from the record
alone, so it makes no difference whether the round before was ours or that of a process that has died since.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import structlog

from bessemer.domain.operation import OperationError, OperationState, Phase
from bessemer.engine import transition as to
from bessemer.engine.face import call
from bessemer.engine.held import Held, Untold
from bessemer.engine.outlast import Outlast
from bessemer.engine.span import carry_on
from bessemer.engine.transition import Transition, cancelled, recorded, step_of
from bessemer.engine.workflow import Change, Done, OnInterrupt, Step, Verdict, Wait, Workflow
from bessemer.kernel.clock import Clock, timestamp
from bessemer.kernel.error import (
    BessemerError,
    DatabaseLost,
    DeadlineExceeded,
    Fault,
    FenceLost,
    InternalError,
    Interrupted,
)
from bessemer.store.database import Transaction
from bessemer.store.journal import list_begun


class CrashLoop(Interrupted):
    """A step under which one process after the other was lost."""

    code = "crash-loop"
    fault = Fault.BUG


class Execution:
    """``run`` names operation, node and request in every line logged by its task, whoever logs it.

    ``is_stopping`` says whether this process is about to end: then nothing more is begun. A step under
    which ``most_deaths`` processes were lost is given up."""

    def __init__(  # noqa: PLR0917
        self,
        held: Held,
        workflow: Workflow[Any],
        deps: Any,
        clock: Clock,
        most_deaths: int,
        is_stopping: Callable[[], bool],
    ) -> None:
        self._held = held
        self._workflow = workflow
        self._deps = deps
        self._clock = clock
        self._most_deaths = most_deaths
        self._is_stopping = is_stopping
        #: The position whose run was begun here: that it is begun means no interruption then.
        self._begun_here: int | None = None
        #: When the last call of a face was made.
        self._called_at = timestamp(clock)
        self._log = structlog.get_logger().bind(kind=held.operation.kind)
        self._outlasting = Outlast(held, self._log, is_alone=workflow.is_shared)

    async def run(self) -> None:
        """Go on until the operation is at rest.

        Raises:
            asyncio.CancelledError: This process has to let go; the record says where it was.
        """
        operation = self._held.operation
        structlog.contextvars.bind_contextvars(
            operation=operation.uuid, node=operation.node_uuid, request=operation.request_id
        )
        carry_on(operation)
        try:
            while not self._held.is_at_rest:
                await self._round()
            self._tell_of_end()
        except FenceLost as lost:
            self._log.warning("operation was lost", reason=lost.message, fence=self._held.operation.fence)
        except Exception as error:  # noqa: BLE001  the top edge of everything that is done for an operation
            # A defect of the engine itself. The step's own were dealt with where it was called.
            self._log.error("carrying on an operation failed unexpectedly", exc_info=error)
            await self._fail_or_end(InternalError(f"The engine failed: {type(error).__name__}."))

    def _tell_of_end(self) -> None:
        """What went well is told by events and the journal; a line each would cost more than the figures."""
        operation = self._held.operation
        if operation.state.is_over:
            is_well = operation.state is OperationState.SUCCEEDED or self._workflow.is_shared
            tell = self._log.debug if is_well else self._log.info
            tell("operation ended", state=operation.state.value)

    async def _round(self) -> None:
        try:
            try:
                await self._go_on()
                self._outlasting.came_through()
            except FenceLost:
                raise
            except DatabaseLost as error:
                await self._outlast(error)
            except BessemerError as error:
                await self._fail_or_pause(error)
        except Untold as refused:
            await self._go_on_untold(refused)

    async def _go_on(self) -> None:
        operation = self._held.operation
        if operation.deaths >= self._most_deaths:
            raise CrashLoop(
                f"{operation.deaths} processes in a row were lost while they carried out this step.",
                hint="See in their logs, or the system's, what ended them before asking again.",
            )
        if operation.phase is Phase.UNDO:
            await self._undo()
        elif operation.started_at is None and self._is_call_that_may_be_repeated():
            await self._run()
        elif operation.started_at is None or (operation.phase is Phase.RUN and operation.attempt == 0):
            await self._enter(operation.position)
        elif self._held.cancel_reason is not None and self._step().is_abortable:
            await self._fail(cancelled(self._held.cancel_reason, self._step().name))
        elif operation.phase is Phase.UNTIL:
            await self._ask(self._step())
        elif operation.phase is Phase.CHECK:
            await self._check()
        elif operation.state is OperationState.WAITING:
            await self._run_again()
        elif operation.position != self._begun_here:
            await self._take_up()
        else:
            await self._run()

    # --- the faces of a step

    async def _run(self) -> None:
        step = self._step()
        await self._has_run(step, await self._call(step, step.run))

    async def _has_run(self, step: Step[Any], done: Done | None) -> None:
        if step.until is None:
            await self._enter(self._held.operation.position + 1, after=done or Done())
        elif step.on_interrupt is OnInterrupt.IDEMPOTENT and done is None:
            await self._ask_at_once(step)
        else:
            await self._go_asking(done)

    async def _ask_at_once(self, step: Step[Any]) -> None:
        """Whoever takes this over may run the step again: that it was run needs no write of its own when the
        outcome is there already, or is waited for. A look that fails must not run it again, though.
        """
        try:
            await self._ask(step)
        except FenceLost:
            raise
        except BessemerError:
            if self._held.operation.phase is Phase.RUN:
                await self._go_asking(None)
            raise

    async def _go_asking(self, done: Done | None) -> None:
        async def fill(tx: Transaction, transition: Transition) -> None:
            if done is not None and done.also is not None:
                await done.also(tx)
            to.ask_for_outcome(transition, done)

        await self._outlasting.write(fill)

    async def _ask(self, step: Step[Any]) -> None:
        if step.until is None:
            raise InternalError(f"step '{step.name}' has no way to tell its outcome")
        answer = await self._call(step, step.until)
        if isinstance(answer, Done):
            await self._enter(self._held.operation.position + 1, after=answer)
        else:
            await self._sleep(step, answer)

    async def _sleep(self, step: Step[Any], wait: Wait) -> None:
        now = timestamp(self._clock)
        if to.is_too_late(self._held.operation, wait, now):
            reason = f": {wait.reason}" if wait.reason else ""
            raise DeadlineExceeded(f"Step '{step.name}' waited {wait.timeout_s:g} seconds in vain{reason}.")

        async def fill(tx: Transaction, transition: Transition) -> None:
            to.fall_asleep(transition, wait, now)

        if self._held.operation.waiting_since is None:
            await self._outlasting.write(fill)
        else:
            # A poll that goes on waiting is the most frequent write there is.
            await self._outlasting.write(fill, is_one=True)

    async def _check(self) -> None:
        step = self._step()
        if step.check is None:
            raise InternalError(f"step '{step.name}' has no way to look whether it was done")
        if await self._call(step, step.check) is Verdict.HAPPENED:
            await self._has_run(step, None)
            return

        async def fill(tx: Transaction, transition: Transition) -> None:
            to.run_after_all(transition)

        await self._outlasting.write(fill)
        self._begun_here = self._held.operation.position

    async def _take_up(self) -> None:
        """Somebody began to run this step and did not live to say what became of it."""
        step = self._step()
        if step.on_interrupt is OnInterrupt.ASK:
            raise Interrupted(
                f"Step '{step.name}' was interrupted, and how far it came cannot be told from here.",
                hint="Look at the machine, put it right, and start again.",
            )

        async def fill(tx: Transaction, transition: Transition) -> None:
            to.take_up(transition, step, timestamp(self._clock))

        await self._outlasting.write(fill)
        self._log.info("an interrupted step is taken up", step=step.name, how=step.on_interrupt.value)
        self._begun_here = self._held.operation.position

    async def _run_again(self) -> None:
        async def fill(tx: Transaction, transition: Transition) -> None:
            to.run_again(transition)

        await self._outlasting.write(fill)
        self._begun_here = self._held.operation.position

    async def _enter(self, position: int, *, after: Done | None = None) -> None:
        """Go to the plan item at ``position``; ``after`` tells how the present one was completed."""

        async def fill(tx: Transaction, transition: Transition) -> None:
            now = timestamp(self._clock)
            if transition.operation.started_at is None:
                to.start(transition, now)
            if after is not None:
                if after.also is not None:
                    await after.also(tx)
                to.complete(transition, now, after)
            reason = self._held.cancel_reason
            if reason is not None and position < len(transition.operation.plan):
                transition.change(position=position, phase=Phase.RUN, attempt=0)
                to.fail(transition, cancelled(reason), await self._next_undo(tx), now)
            else:
                to.enter(transition, self._workflow, position, now, is_stopping=self._is_stopping())

        await self._outlasting.write(fill)
        self._begun_here = self._held.operation.position

    # --- failing

    async def _fail_or_pause(self, error: BessemerError) -> None:
        operation = self._held.operation
        step = self._workflow.by_name.get(to.name_of_step(operation))
        if step is not None and error.retry and 0 < to.failures(operation) < step.attempts:
            await self._pause(step, error)
        elif operation.phase is Phase.UNDO:
            await self._leave_undone(error)
        else:
            self._log.warning("a step failed", step=to.name_of_step(operation), error=str(error))
            await self._fail(recorded(error, to.name_of_step(operation)))

    async def _fail_or_end(self, error: InternalError) -> None:
        """Something cannot be written, or not even be tried. Nothing is begun again because of that: each
        step is taken back once, and when it is the failure that cannot be written, that is the end."""
        try:
            if self._held.operation.phase is Phase.UNDO:
                await self._leave_undone(error)
            else:
                await self._fail(recorded(error, ""))
        except FenceLost:
            raise
        except Untold as refused:
            await self._go_on_untold(refused)
        except Exception as again:  # noqa: BLE001  as in ``run``: there is nobody above
            self._log.error("the failure of an operation could not be written down", exc_info=again)
            known = self._held.operation.error or recorded(error, "")
            await self._end_untold(known, f"{type(again).__name__}.")

    async def _outlast(self, error: DatabaseLost) -> None:
        """The database was lost in the middle of a step. That is no failure of the step, and none of its
        tries: it was cut short, as by the end of this process, and is taken up by its declaration.
        """
        if await self._outlasting.can_go_on(error):
            self._begun_here = None
        else:
            await self._fail_or_pause(error)

    async def _pause(self, step: Step[Any], error: BessemerError) -> None:
        async def fill(tx: Transaction, transition: Transition) -> None:
            now, operation = timestamp(self._clock), transition.operation
            reason = self._held.cancel_reason
            if reason is not None and step.is_abortable and operation.phase is not Phase.UNDO:
                to.fail(transition, cancelled(reason, step.name), await self._next_undo(tx), now)
            else:
                pause_s = step.backoff.delay_s(to.failures(operation))
                to.pause(transition, error, pause_s, now, self._called_at)

        await self._outlasting.write(fill)

    async def _fail(self, error: OperationError) -> None:
        async def fill(tx: Transaction, transition: Transition) -> None:
            now = timestamp(self._clock)
            if transition.operation.started_at is None:
                transition.change(started_at=now)
            to.fail(transition, error, await self._next_undo(tx), now)

        await self._outlasting.write(fill)

    async def _go_on_untold(self, refused: Untold) -> None:
        """The workflow's own note of a change failed, so the change is not true: fail because of that. If it
        was the end that could not be told, end without telling."""
        cause = refused.__cause__
        reason = f"{type(cause).__name__}: {cause}"
        self._log.error("a workflow could not take note of a change", change=refused.change, exc_info=cause)
        if refused.change not in (Change.FAILED, Change.CANCELLED):
            error = InternalError(f"A change could not be written down: {reason}")
            try:
                await self._fail(recorded(error, to.name_of_step(self._held.operation)))
            except Untold as again:
                refused = again
            else:
                return
        await self._end_untold(refused.operation.error or recorded(InternalError(reason), ""), reason)

    async def _end_untold(self, known: OperationError, reason: str) -> None:
        async def fill(tx: Transaction, transition: Transition) -> None:
            to.end_untold(transition, known, reason, timestamp(self._clock))

        await self._outlasting.write(fill)

    # --- taking back

    async def _undo(self) -> None:
        step = self._step()
        if step.undo is None:
            raise InternalError(f"step '{step.name}' cannot be taken back")
        await self._call(step, step.undo)

        async def fill(tx: Transaction, transition: Transition) -> None:
            to.undone(transition, timestamp(self._clock), self._called_at)
            await self._undo_next(tx, transition)

        await self._outlasting.write(fill)

    async def _leave_undone(self, error: BessemerError) -> None:
        self._log.warning(
            "a step could not be taken back", step=to.name_of_step(self._held.operation), error=str(error)
        )

        async def fill(tx: Transaction, transition: Transition) -> None:
            to.undo_failed(transition, error, timestamp(self._clock), self._called_at)
            await self._undo_next(tx, transition)

        await self._outlasting.write(fill)

    async def _undo_next(self, tx: Transaction, transition: Transition) -> None:
        below = transition.operation.position
        to.undo_next(transition, await self._next_undo(tx, below=below), timestamp(self._clock))
        if self._is_stopping():
            transition.change(owner=None)

    async def _next_undo(self, tx: Transaction, *, below: int | None = None) -> int | None:
        """The last step (``below`` a position) that was begun and has something to take back."""
        plan = self._held.operation.plan
        for position in reversed(await list_begun(tx, self._held.uuid)):
            step = self._workflow.by_name.get(plan[position].step)
            if step is not None and step.undo is not None and (below is None or position < below):
                return position
        return None

    # --- calling

    def _is_call_that_may_be_repeated(self) -> bool:
        """Then it need not be written down that it was begun: whoever finds it simply makes it."""
        return self._workflow.is_shared and self._step().on_interrupt is OnInterrupt.IDEMPOTENT

    def _step(self) -> Step[Any]:
        return step_of(self._workflow, self._held.operation)

    async def _call(self, step: Step[Any], face: Callable[[Any], Awaitable[Any]]) -> Any:
        self._called_at = timestamp(self._clock)
        return await call(face, step, self._held, self._deps, self._clock)
