"""Telling later whether everything was taken back: a node that could not be put right is marked so."""

from dataclasses import replace

from bessemer.domain.operation import Operation
from bessemer.engine.workflow import Undo
from bessemer.workflow.collaborators import Collaborators, NodeContext, NodeStep

_KEY = "left_undone"


def noting(step: NodeStep) -> NodeStep:
    """``step``, which notes that its undo failed."""
    if step.undo is None:
        return step
    return replace(step, undo=_noting(step.name, step.undo))


def is_taken_back(operation: Operation) -> bool:
    """Whether no undo failed."""
    return not operation.data.get(_KEY)


def _noting(name: str, undo: Undo[Collaborators]) -> Undo[Collaborators]:
    async def noted(context: NodeContext) -> None:
        failed = [other for other in context.data.get(_KEY, []) if other != name]
        # Noted before: a deadline, for one, ends the undo from outside.
        context.data[_KEY] = [*failed, name]
        await undo(context)
        context.data[_KEY] = failed

    return noted
