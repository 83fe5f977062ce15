"""Calling one face of a step: within its time, and with every way of failing told as an error of ours."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import structlog

from bessemer.engine.context import StepContext
from bessemer.engine.held import Held
from bessemer.engine.span import attempt, note_outcome
from bessemer.engine.workflow import Step
from bessemer.kernel.clock import Clock
from bessemer.kernel.error import BessemerError, DeadlineExceeded, InternalError

R = TypeVar("R")

_log = structlog.get_logger()

#: How much of an unexpected error's text is shown to people.
_SHORT = 200


async def call(
    face: Callable[[Any], Awaitable[R]], step: Step[Any], held: Held, deps: Any, clock: Clock
) -> R:
    """What ``face`` of ``step`` returns.

    Raises:
        BessemerError: Whatever went wrong. An unexpected exception becomes an InternalError (its traceback
            goes to the log), a call that takes too long becomes a DeadlineExceeded that names the step.
        asyncio.CancelledError: This task was cancelled.
    """
    context: StepContext[Any] = StepContext(held, deps, clock)
    try:
        with attempt(step, face, held.operation) as span:
            result = await _bounded(face(context), step)
            note_outcome(span, result)
        held.check_data()
    except BessemerError:
        held.check_data()
        raise
    finally:
        await context.close()
    return result


async def _bounded(work: Awaitable[R], step: Step[Any]) -> R:
    limit = asyncio.timeout(step.timeout_s)
    try:
        async with limit:
            return await work
    except BessemerError:
        raise
    except TimeoutError as error:
        if limit.expired():
            raise DeadlineExceeded(
                f"Step '{step.name}' did not answer within {step.timeout_s:g} seconds."
            ) from error
        raise _unexpected(error, step) from error
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        # Something the step waited for was cancelled, not we.
        raise _unexpected(error, step) from error
    except Exception as error:
        raise _unexpected(error, step) from error


def _unexpected(error: BaseException, step: Step[Any]) -> InternalError:
    _log.error("a step failed unexpectedly", step=step.name, exc_info=error)
    text = str(error).partition("\n")[0][:_SHORT]
    return InternalError(
        f"Step '{step.name}' failed unexpectedly: {type(error).__name__}: {text}".removesuffix(": "),
        hint="This is a defect; the log has the details.",
    )
