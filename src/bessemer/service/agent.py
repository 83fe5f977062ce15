"""The ramdisk agent's side doors: finding out which node it runs on, and saying that it lives.

Both are open to anybody on the provisioning network. What guards them: lookup answers only for nodes that
expect an agent, and hands a token out once; a heartbeat needs that token.
Source: v1 contract, agent API: lookup, heartbeat, tokens.
"""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import structlog

from bessemer.config.settings import Settings
from bessemer.domain.node import Node
from bessemer.domain.provision import ProvisionState
from bessemer.engine.gateway import Gateway
from bessemer.kernel.error import Forbidden, InvalidValue, NotFound
from bessemer.kernel.ident import is_mac, new_token
from bessemer.kernel.secret import Secret
from bessemer.service.caller import Caller
from bessemer.service.node_access import NodeAccess
from bessemer.store.database import Transaction
from bessemer.store.node import get_node, merge_node
from bessemer.store.operation import find_active
from bessemer.store.port import find_nodes_by_addresses
from bessemer.workflow.cancel_reason import MAINTENANCE

_S = ProvisionState

#: States in which a node expects an agent.
LOOKUP_STATES = frozenset({
    _S.DEPLOYING, _S.DEPLOY_WAIT, _S.CLEANING, _S.CLEAN_WAIT, _S.INSPECTING, _S.INSPECT_WAIT, _S.RESCUING,
    _S.RESCUE_WAIT, _S.SERVICE_WAIT, _S.SERVICING,
})  # fmt: skip
#: The signal that wakes the operation waiting for the agent.
SIGNAL = "agent"

_TOKEN = "agent_secret_token"  # noqa: S105  the name of the fact, not the token
_MOST_CERTIFICATE = 64 * 1024
_MOST_TEXT = 4096

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Found:
    """The node an agent runs on. ``token`` only the first time, and never when it was put on its medium."""

    node: Node
    token: Secret | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    callback_url: str
    token: Secret | None = None
    version: str | None = None
    verify_ca: str | None = None
    status: str | None = None
    status_message: str | None = None


class AgentService:
    def __init__(self, access: NodeAccess, gateway: Gateway, settings: Settings) -> None:
        self._access = access
        self._database = access.database
        self._gateway = gateway
        self._settings = settings

    async def lookup(
        self, caller: Caller, *, addresses: Sequence[str], node_uuid: str | None, hands_out_token: bool
    ) -> Found:
        """The node with this UUID, else the one that has a port with one of these MAC addresses.

        Raises:
            Forbidden: The ramdisk endpoints are off.
            InvalidValue: Neither a UUID nor any address that is one.
            NotFound: No such node, more than one, or it expects no agent.
        """
        self.check_open()
        macs = [address.lower() for address in addresses if is_mac(address)]
        if node_uuid is None and not macs:
            raise InvalidValue("Lookup needs node_uuid, or addresses with at least one MAC address.")
        async with self._database.read() as tx:
            node = await self._look(tx, macs, node_uuid)
        if self._settings.api.restrict_lookup and node.provision_state not in LOOKUP_STATES:
            log.info("lookup of a node that expects no agent", node=node.uuid, state=node.provision_state)
            raise _nobody()
        return await self.introduce(node, hands_out_token=hands_out_token)

    async def introduce(self, node: Node, *, hands_out_token: bool) -> Found:
        """``node`` as its agent is told of it, with a token if it has none yet."""
        if not hands_out_token or node.driver_internal_info.get(_TOKEN):
            return Found(node, None)
        return await self._hand_out(node.uuid)

    async def _look(self, tx: Transaction, macs: Sequence[str], node_uuid: str | None) -> Node:
        if node_uuid is None:
            uuids = await find_nodes_by_addresses(tx, macs)
            if len(uuids) != 1:
                raise _nobody()
            node_uuid = uuids[0]
        try:
            return await get_node(tx, node_uuid)
        except NotFound as error:
            raise _nobody() from error

    async def _hand_out(self, uuid: str) -> Found:
        async with self._database.write() as tx:
            node = await get_node(tx, uuid, lock=True)
            if node.driver_internal_info.get(_TOKEN):
                return Found(node, None)
            token = new_token()
            node = await merge_node(tx, uuid, "driver_internal_info", {_TOKEN: token})
        return Found(node, Secret(token))

    async def heartbeat(self, caller: Caller, ident: str, beat: Heartbeat) -> None:
        """Note where the agent is and that it lives, and wake the operation that waits for it.

        Raises:
            Forbidden: The ramdisk endpoints are off.
            NotFound: No such node.
            InvalidValue: A missing or wrong token, another address than before, an address without TLS.
        """
        self.check_open()
        self._check_beat(beat)
        # Strangers are turned away before they can keep others from writing.
        check_token(await self._access.get(caller, ident), beat.token)

        async def work(tx: Transaction, node: Node) -> None:
            check_token(node, beat.token)
            known = node.driver_internal_info.get("agent_url")
            if known is not None and known != beat.callback_url:
                raise InvalidValue("callback_url must not change while the ramdisk lives.")
            await merge_node(tx, node.uuid, "driver_internal_info", _facts(tx, beat))
            if node.maintenance and not self._settings.conductor.allow_provisioning_in_maintenance:
                await self._stop(tx, node)
            await self._gateway.signal(tx, node.uuid, SIGNAL)

        await self._access.touch(caller, ident, work)

    async def _stop(self, tx: Transaction, node: Node) -> None:
        """A node in maintenance is not provisioned on: the work that waits for this agent ends."""
        active = await find_active(tx, node.uuid)
        if active is not None and node.provision_state in LOOKUP_STATES:
            await self._gateway.cancel(tx, active.uuid, MAINTENANCE)

    def check_open(self) -> None:
        """Raises Forbidden when the ramdisk endpoints are off."""
        if not self._settings.api.enable_ramdisk_endpoints:
            raise Forbidden("Ramdisk endpoints are disabled here.")

    def _check_beat(self, beat: Heartbeat) -> None:
        if beat.version is None and beat.status is None:
            raise InvalidValue("'agent_version' is missing.")
        scheme = _scheme(beat.callback_url)
        if scheme not in ("http", "https"):
            raise InvalidValue("callback_url must be an http or https URL.")
        if scheme != "https" and self._settings.agent.require_tls:
            raise InvalidValue("callback_url must be https: TLS is required of agents.")
        if beat.verify_ca and (
            len(beat.verify_ca) > _MOST_CERTIFICATE or "-----BEGIN CERTIFICATE-----" not in beat.verify_ca
        ):
            raise InvalidValue("agent_verify_ca must be a certificate in PEM form.")


def _facts(tx: Transaction, beat: Heartbeat) -> dict[str, Any]:
    """What to remember; facts that were not sent stay as they are."""
    facts: dict[str, Any] = {"agent_url": beat.callback_url, "agent_last_heartbeat": tx.now()}
    more = {
        "agent_version": beat.version,
        "agent_verify_ca": beat.verify_ca,
        "agent_status": beat.status,
        "agent_status_message": beat.status_message and beat.status_message[:_MOST_TEXT],
    }
    return facts | {name: value for name, value in more.items() if value}


def check_token(node: Node, given: Secret | None) -> None:
    """Whether it is the node's token, in a time that tells nothing about it. Raises InvalidValue."""
    known = node.driver_internal_info.get(_TOKEN)
    if given is None or not given:
        raise InvalidValue("'agent_token' is missing.")
    if not isinstance(known, str) or not hmac.compare_digest(known.encode(), given.reveal().encode()):
        log.warning("an agent called with a wrong token", node=node.uuid)
        raise InvalidValue("'agent_token' is not valid.")


def _scheme(url: str) -> str:
    try:
        parts = urlsplit(url)
        has_host = bool(parts.hostname)
    except ValueError:
        return ""
    return parts.scheme if has_host else ""


def _nobody() -> NotFound:
    """One answer for every reason: lookup must not tell strangers which nodes exist."""
    return NotFound("No node was found for this lookup.")
