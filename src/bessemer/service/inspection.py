"""The inspection callback: a ramdisk tells what its machine is made of.

Open to anybody on the inspection network, as lookup is. What guards it: a report is taken only for a node
whose inspection waits for one, and only the first; a token that is sent along has to be the right one.
Source: v1 contract, agent API: inspection callback.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import structlog

from bessemer.domain.inspection.report import Report, list_bmc_addresses, list_cards, read_report
from bessemer.domain.node import Node
from bessemer.domain.provision import ProvisionState
from bessemer.engine.gateway import Gateway
from bessemer.kernel.error import NotFound
from bessemer.kernel.secret import Secret
from bessemer.service.agent import AgentService, Found, check_token
from bessemer.service.caller import Caller
from bessemer.service.node_access import NodeAccess
from bessemer.store.database import Transaction
from bessemer.store.inspection_report import add_report
from bessemer.store.node import get_node
from bessemer.store.node_list import NodeFilter, list_node_rows
from bessemer.store.page import Page
from bessemer.store.port import find_nodes_by_addresses
from bessemer.store.record import decode_object
from bessemer.workflow.inspect import SIGNAL

STATES = frozenset({ProvisionState.INSPECTING, ProvisionState.INSPECT_WAIT})
#: Nodes under inspection whose BMC address is looked at.
_MOST_NODES = 1000

log = structlog.get_logger(__name__)


class InspectionService:
    def __init__(self, access: NodeAccess, gateway: Gateway, agents: AgentService) -> None:
        self._access = access
        self._database = access.database
        self._gateway = gateway
        self._agents = agents

    async def report(
        self, caller: Caller, document: Mapping[str, Any], *, node_uuid: str | None, hands_out_token: bool
    ) -> Found:
        """Keep what a ramdisk reports, and wake the inspection that waits for it.

        Idempotent: a node's second report is answered like its first and changes nothing.

        Raises:
            Forbidden: The ramdisk endpoints are off.
            InvalidValue: The document is no report, or has a token that is not the node's.
            NotFound: It belongs to no node, or to several, or to one that waits for no report.
        """
        self._agents.check_open()
        report = read_report(document)
        token = document.get("agent_token")
        async with self._database.read() as tx:
            node = await self._find(tx, report, node_uuid)
        if token is not None:
            check_token(node, Secret(token))

        async def work(tx: Transaction, node: Node) -> None:
            if not _is_waiting(node):
                raise _nobody()
            if await add_report(tx, node.uuid, report):
                await self._gateway.signal(tx, node.uuid, SIGNAL)

        await self._access.touch(caller, node.uuid, work)
        return await self._agents.introduce(node, hands_out_token=hands_out_token)

    async def _find(self, tx: Transaction, report: Report, node_uuid: str | None) -> Node:
        """The one node this can come from."""
        if node_uuid is None:
            uuids: Iterable[str] = await self._list_candidates(tx, report.inventory)
        else:
            uuids = [node_uuid]
        try:
            found = [node for uuid in uuids if _is_waiting(node := await get_node(tx, uuid))]
        except NotFound as error:
            raise _nobody() from error
        if len(found) != 1:
            log.info("an inspection report that belongs to no one node", nodes=[node.uuid for node in found])
            raise _nobody()
        return found[0]

    async def _list_candidates(self, tx: Transaction, inventory: Mapping[str, Any]) -> set[str]:
        """Nodes with a port that the machine has a card for, or with the BMC it says it has."""
        macs = [card.mac for card in list_cards(inventory)]
        uuids = set(await find_nodes_by_addresses(tx, macs))
        addresses = list_bmc_addresses(inventory)
        if addresses:
            uuids |= await _find_by_bmc(tx, addresses)
        return uuids


async def _find_by_bmc(tx: Transaction, addresses: Sequence[str]) -> set[str]:
    """Nodes under inspection whose driver settings name one of these BMC addresses."""
    filters = NodeFilter(provision_states=sorted(STATES), include_children=True)
    rows = await list_node_rows(tx, ("uuid", "driver_info"), filters, Page(limit=_MOST_NODES))
    return {uuid for uuid, info in rows if not set(addresses).isdisjoint(bmc_hosts(decode_object(info)))}


def bmc_hosts(driver_info: Mapping[str, Any]) -> set[str]:
    """The hosts that driver settings name as the BMC (``redfish_address``, ``ipmi_address``...)."""
    told = (value for key, value in driver_info.items() if key.endswith("_address"))
    return {host for value in told if isinstance(value, str) and (host := _host(value))}


def _host(address: str) -> str | None:
    try:
        return urlsplit(address if "://" in address else f"//{address}").hostname
    except ValueError:
        return None


def _is_waiting(node: Node) -> bool:
    """Whether a ramdisk was booted for the node's inspection."""
    return node.provision_state in STATES and bool(node.driver_internal_info.get("boot_key"))


def _nobody() -> NotFound:
    """One answer for every reason: strangers must not learn which nodes exist."""
    return NotFound("No node waits for this inspection report.")
