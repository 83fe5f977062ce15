"""Sensors: readings of temperatures, fans and supplies, as events for whoever subscribes to them."""

from bessemer.domain.provision import ProvisionState
from bessemer.engine.reconcile.sweep import Again
from bessemer.kernel.error import BessemerError, Unavailable
from bessemer.store.database import Database
from bessemer.store.event import add_event
from bessemer.workflow.reconcile.machine import Machines
from bessemer.workflow.reconcile.node_reader import NodeReader


class SensorReading:
    def __init__(self, database: Database, machines: Machines, *, interval_s: float, host: str) -> None:
        self._database = database
        self._machines = machines
        self._interval_s = interval_s
        self._host = host
        self._nodes = NodeReader(database)

    async def look(self, node_uuid: str, failures: int) -> Again:
        """Read one node's sensors. A machine that has none, or does not answer, gives no event.

        Raises:
            NotFound: The node is gone.
            Unavailable: The database is.
        """
        node = (await self._nodes.get(node_uuid)).node
        again = Again(self._interval_s)
        if node.provision_state is ProvisionState.ENROLL or node.maintenance:
            return again
        try:
            sensors = await self._machines.sensors(node)
        except Unavailable:
            raise
        except BessemerError:
            return again
        if sensors:
            async with self._database.write() as tx:
                await add_event(
                    tx,
                    node_uuid=node.uuid,
                    kind="sensors",
                    message="sensors were read",
                    conductor=self._host,
                    payload={"sensors": sensors},
                    in_history=False,
                )
        return again
