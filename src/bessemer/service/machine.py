"""The way to a node's machine: calls that a conductor makes for us, the answer or the error brought back.

Nothing here needs to reach a BMC: the call goes through the database to whichever conductor serves the node's
group, in this process or another one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from bessemer.domain.limit import Priority
from bessemer.domain.node import Node
from bessemer.domain.operation import NewOperation, Operation
from bessemer.engine.call import Calls
from bessemer.engine.gateway import Gateway
from bessemer.kernel.clock import timestamp
from bessemer.service.caller import Caller
from bessemer.service.conductor import ConductorService
from bessemer.service.node_access import NodeAccess
from bessemer.service.start import start
from bessemer.store.database import Transaction
from bessemer.workflow.machine_call import CALL_TIMEOUT_S


@dataclass(frozen=True, slots=True)
class MachineCall:
    """``name`` and ``given`` as in ``workflow.machine_call``; ``what`` completes "The machine did not ...".

    ``of_free_node``: whether a command is refused while an operation is at work on the node.
    """

    name: str
    what: str
    given: Mapping[str, Any] = field(default_factory=dict)
    of_free_node: bool = True


class MachineService:
    def __init__(self, access: NodeAccess, gateway: Gateway, conductors: ConductorService) -> None:
        self._access = access
        self._gateway = gateway
        self._conductors = conductors
        self._calls = Calls(access.database, gateway)

    async def ask(self, caller: Caller, node: Node, call: MachineCall) -> Any:
        """The answer to a query, also while an operation is at work on the node.

        Raises:
            Unavailable: No conductor of the node's group is alive.
            InvalidValue: None of those has the node's hardware type enabled.
            DeadlineExceeded: No answer within ``CALL_TIMEOUT_S``.
            BessemerError: What the driver raised.
        """
        (await self._conductors.landscape()).check_served(node)

        async def start() -> Operation:
            async with self._access.database.write() as tx:
                args = {**_args(tx, call), "of_free_node": False}
                return await self._gateway.enqueue(tx, _new("query", caller, node, args))

        return await self._calls.answer(start, call.what, CALL_TIMEOUT_S)

    async def tell(self, caller: Caller, node: Node, call: MachineCall) -> Any:
        """The answer to a command, which changes something.

        Raises:
            NodeLocked: An operation is at work on the node, which must be free.
            Unavailable, DeadlineExceeded, BessemerError: As ``ask``.
        """
        (await self._conductors.landscape()).check_served(node)

        async def begin(tx: Transaction, fresh: Node) -> Operation:
            return await self._gateway.enqueue(tx, _new("command", caller, fresh, _args(tx, call)))

        async def start() -> Operation:
            if call.of_free_node:
                return await self._access.change(caller, node.uuid, begin)
            return await self._access.touch(caller, node.uuid, begin)

        return await self._calls.answer(start, call.what, CALL_TIMEOUT_S)

    async def begin(self, caller: Caller, node: Node, kind: str, call: MachineCall) -> None:
        """Start an operation of ``kind`` with what is given, and do not wait for it.

        It queues behind no other work, which may wait for an agent that never comes.

        Raises:
            NodeLocked: An operation is at work on the node.
            InvalidValue: No conductor has the node's hardware type enabled.
        """
        (await self._conductors.landscape()).check_offered(node)

        async def work(tx: Transaction, fresh: Node) -> None:
            await start(tx, self._gateway, caller, fresh, kind, call.given, may_join=True)

        async def work_beside(tx: Transaction, fresh: Node) -> None:
            new = _new(kind, caller, fresh, dict(call.given))
            await self._gateway.enqueue(tx, msgspec.structs.replace(new, is_exclusive=False))

        if call.of_free_node:
            await self._access.change(caller, node.uuid, work)
        else:
            await self._access.touch(caller, node.uuid, work_beside)


def _args(tx: Transaction, call: MachineCall) -> dict[str, Any]:
    return {
        "call": call.name,
        "given": dict(call.given),
        "until": timestamp(tx.clock, after_s=CALL_TIMEOUT_S),
        "of_free_node": call.of_free_node,
    }


def _new(kind: str, caller: Caller, node: Node, args: dict[str, Any]) -> NewOperation:
    return NewOperation(
        node_uuid=node.uuid,
        kind=kind,
        args=args,
        conductor_group=node.conductor_group,
        requested_by=caller.label,
        request_id=caller.request_id,
        project=caller.project or "",
        priority=Priority.HIGH,
    )
