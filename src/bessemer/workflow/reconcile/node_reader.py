"""Reading nodes for sweeps: looks that begin together read together."""

import asyncio

from bessemer.kernel.error import NotFound, Unavailable
from bessemer.store.database import Database
from bessemer.store.node_view import NodeView, read_node_views

#: Nodes read by one statement.
MOST = 200

_Waiting = dict[str, list[asyncio.Future[NodeView]]]


class NodeReader:
    """A sweep begins many looks in one turn of the event loop. A statement for each of them would cost more
    than the looks themselves, so all that are asked for in one turn are read by the next one."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: _Waiting = {}
        self._reading: set[asyncio.Task[None]] = set()

    async def get(self, node_uuid: str) -> NodeView:
        """The node as it is now.

        Raises:
            NotFound: There is none.
            Unavailable: The database cannot be read.
        """
        answer: asyncio.Future[NodeView] = asyncio.get_running_loop().create_future()
        if not self._waiting:
            self._begin()
        self._waiting.setdefault(node_uuid, []).append(answer)
        if len(self._waiting) >= MOST:
            self._waiting = {}  # what reads those holds them; the next ones are read apart
        return await answer

    def _begin(self) -> None:
        waiting = self._waiting = {}
        task = asyncio.create_task(self._read(waiting), name="read nodes for sweeps")
        self._reading.add(task)
        task.add_done_callback(self._reading.discard)

    async def _read(self, waiting: _Waiting) -> None:
        await asyncio.sleep(0)  # let those that begin in this turn join
        if self._waiting is waiting:
            self._waiting = {}
        try:
            await self._answer(waiting)
        except Unavailable as error:
            _refuse(waiting, error)
        except Exception as error:  # noqa: BLE001  those who asked are told
            if len(waiting) == 1:
                _refuse(waiting, error)
                return
            # One that cannot be read, as when its secrets do not open, is no reason not to see the others.
            for uuid, answers in waiting.items():
                await self._read({uuid: answers})

    async def _answer(self, waiting: _Waiting) -> None:
        async with self._database.read() as tx:
            found = await read_node_views(tx, list(waiting))
        for uuid, answers in waiting.items():
            if uuid not in found:
                _refuse({uuid: answers}, NotFound(f"Node '{uuid}' could not be found."))
                continue
            for answer in answers:
                if not answer.done():  # else nobody waits for it any more
                    answer.set_result(found[uuid])


def _refuse(waiting: _Waiting, reason: Exception) -> None:
    for answers in waiting.values():
        for answer in answers:
            if not answer.done():
                answer.set_exception(reason)
