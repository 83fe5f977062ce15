"""Outlasting the database: what was done is written however long that takes, and once.

A database that goes away in the middle of a step is no failure of the step. One that goes away in the middle
of a commit leaves open whether the commit became true; so whoever writes again looks first.
"""

import asyncio
from collections.abc import Awaitable, Callable

from structlog.typing import FilteringBoundLogger

from bessemer.engine.held import Held
from bessemer.engine.transition import Transition
from bessemer.kernel.backoff import Backoff
from bessemer.kernel.error import DatabaseLost
from bessemer.store.database import Transaction

#: How long to wait before asking again for what the database did not give or take.
_AGAIN = Backoff(first_s=0.1, most_s=5.0)

#: A step that finds the database lost so often in a row is what makes it fail: when the database is really
#: away, the lease has ended long before.
_MOST_LOSSES = 20

#: What is done to a transition inside the transaction that will write it.
Fill = Callable[[Transaction, Transition], Awaitable[None]]


class Outlast:
    """For one operation that is carried on. ``is_alone``: what it writes is nothing but its own row, which
    guards itself."""

    def __init__(self, held: Held, log: FilteringBoundLogger, *, is_alone: bool) -> None:
        self._held = held
        self._log = log
        self._is_alone = is_alone
        #: How often in a row the database was lost in a face of the step.
        self._losses = 0

    def came_through(self) -> None:
        """A round of work did without losing the database."""
        self._losses = 0

    async def can_go_on(self, error: DatabaseLost) -> bool:
        """The database was lost in the middle of a step: wait a little. False when that has been so often
        that the step itself must be what does it."""
        self._losses += 1
        if self._losses > _MOST_LOSSES:
            return False
        if self._losses == 1:
            self._log.warning("the database was lost in the middle of a step", error=str(error))
        await asyncio.sleep(_AGAIN.delay_s(self._losses))
        return True

    async def write(self, fill: Fill, *, is_one: bool = False) -> None:
        """Write a transition, again and again while the database cannot take it.

        The work has been done: giving up here would mean to forget it. Should this process lose the operation
        meanwhile, its owner cancels this task. ``is_one``: it is nothing but a change of the operation's row.

        Raises:
            FenceLost: Somebody else has the operation.
            Untold: The workflow refused to hear of it.
        """
        doubtful: list[Transition] = []
        while True:
            try:
                await self._try(fill, doubtful, is_alone=is_one or self._is_alone)
            except DatabaseLost as error:
                failures = len(doubtful)
                if failures == 1:
                    self._log.warning("the database did not take a change", error=str(error))
                await asyncio.sleep(_AGAIN.delay_s(max(failures, 1)))
            else:
                return

    async def _try(self, fill: Fill, doubtful: list[Transition], *, is_alone: bool) -> None:
        """``doubtful`` are the transitions of earlier tries: one of them may have become true."""
        is_unguarded = is_alone and not doubtful
        transition = self._held.begin()
        doubtful.append(transition)
        async with self._held.write_one() if is_unguarded else self._held.write() as tx:
            for earlier in doubtful[:-1]:
                if await self._held.adopt(tx, earlier):
                    self._log.info("a change had become true although the database did not say so")
                    return
            await fill(tx, transition)
            await self._held.apply(tx, transition)
