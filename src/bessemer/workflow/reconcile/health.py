"""Health: what the BMC says of the machine as a whole, on the node (``node.health``)."""

from bessemer.domain.node import Node
from bessemer.domain.provision import ProvisionState
from bessemer.engine.reconcile.sweep import Again
from bessemer.kernel.clock import timestamp
from bessemer.kernel.error import BessemerError, Unavailable
from bessemer.store.database import Database
from bessemer.store.event import add_event
from bessemer.store.node import get_node, update_node
from bessemer.workflow.reconcile.machine import Machines
from bessemer.workflow.reconcile.node_reader import NodeReader
from bessemer.workflow.reconcile.pace import rested_interval

#: What fits into the node's field.
_MOST_CHARACTERS = 32


class HealthCheck:
    def __init__(
        self,
        database: Database,
        machines: Machines,
        *,
        interval_s: float,
        host: str,
        event_poll_s: float = 0.0,
    ) -> None:
        """``event_poll_s`` is the longest pause between looks at machines that tell of changes themselves."""
        self._database = database
        self._machines = machines
        self._interval_s = interval_s
        self._host = host
        self._event_poll_s = event_poll_s
        self._nodes = NodeReader(database)

    async def look(self, node_uuid: str, failures: int) -> Again:
        """Look at one node. A machine that cannot say, or does not answer, has no known health; that it does
        not answer is power sync's matter.

        Raises:
            NotFound: The node is gone.
            Unavailable: The database is.
        """
        view = await self._nodes.get(node_uuid)
        seen, again = view.node, Again(self._interval_s)
        if seen.provision_state is ProvisionState.ENROLL or seen.maintenance:
            return again
        try:
            health = await self._machines.health(seen)
        except Unavailable:
            raise
        except BessemerError:
            health = None
        if health is not None:
            health = health[:_MOST_CHARACTERS]
        if health != seen.health:
            await self._note(seen, health)
        elif view.has_events and health is not None:
            now = timestamp(self._database.clock)
            return Again(rested_interval(self._interval_s, self._event_poll_s, seen, now))
        return again

    async def _note(self, seen: Node, health: str | None) -> None:
        async with self._database.write() as tx:
            node = await get_node(tx, seen.uuid, lock=True)
            if node.health != seen.health:
                return
            await update_node(tx, node.uuid, health=health)
            is_bad = health not in ("OK", None)
            await add_event(
                tx,
                node_uuid=node.uuid,
                kind="health",
                severity="ERROR" if is_bad else "INFO",
                message=f"the machine's health is {health or 'unknown'}, and was {seen.health or 'unknown'}",
                conductor=self._host,
                state=node.provision_state,
            )
