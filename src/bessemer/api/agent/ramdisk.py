"""Lookup, heartbeat and inspection callback on the wire.

Tokens are in bodies and answers only, never in what is logged. Source: v1 contract, agent API.
"""

from typing import Any

import msgspec

from bessemer.api.v1 import show
from bessemer.api.v1.call import Answer, Call, empty, ok
from bessemer.api.v1.route import Route
from bessemer.api.v1.table import action
from bessemer.api.v1.table.node import NODE
from bessemer.api.v1.version import Behaviour
from bessemer.api.v1.view import view
from bessemer.config.settings import Settings
from bessemer.kernel.secret import MASK, Secret
from bessemer.service.agent import Found, Heartbeat
from bessemer.service.caller import Caller
from bessemer.service.services import Services

#: The fields of the node an agent is told, whatever version it speaks.
_NODE_FIELDS = ("driver_internal_info", "instance_info", "properties", "uuid")
_NODE_MINOR = 3


class RamdiskApi:
    def __init__(self, services: Services, settings: Settings) -> None:
        self._agents = services.agents
        self._inspections = services.inspections
        self._settings = settings

    def routes(self) -> list[Route]:
        return [
            Route(
                "GET",
                "/lookup",
                self.lookup,
                rule="baremetal:driver:ipa_lookup",
                since=action.LOOKUP_SINCE,
                query=action.LOOKUP,
            ),
            Route(
                "POST",
                "/heartbeat/{node}",
                self.heartbeat,
                rule="baremetal:node:ipa_heartbeat",
                since=action.HEARTBEAT_SINCE,
                body=action.HEARTBEAT,
            ),
            Route(
                "POST",
                "/continue_inspection",
                self.continue_inspection,
                rule="baremetal:driver:ipa_continue_inspection",
                since=action.INSPECTION_SINCE,
                also_in=action.INSPECTION_ALSO_IN,
                query=action.INSPECTION_QUERY,
                body=action.INSPECTION,
                size_kib=action.INSPECTION_KIB,
            ),
        ]

    async def lookup(self, call: Call) -> Answer:
        has_tokens = call.version.has(Behaviour.AGENT_TOKENS)
        found = await self._agents.lookup(
            _admitted(call),
            addresses=call.query.get("addresses", ()),
            node_uuid=call.query.get("node_uuid"),
            hands_out_token=has_tokens,
        )
        return ok(self._introduction(call, found))

    async def heartbeat(self, call: Call) -> Answer:
        given = call.body
        beat = Heartbeat(
            callback_url=given["callback_url"],
            token=Secret(given.get("agent_token") or ""),
            version=given.get("agent_version"),
            verify_ca=given.get("agent_verify_ca"),
            status=given.get("agent_status"),
            status_message=given.get("agent_status_message"),
        )
        if beat.status is not None:
            show.check_word("agent_status", beat.status, ("start", "end", "error"))
        await self._agents.heartbeat(_admitted(call), show.ident(call, NODE), beat)
        return empty(202)

    async def continue_inspection(self, call: Call) -> Answer:
        """Older ramdisks are told which node they run on, newer ones all that lookup would tell them."""
        found = await self._inspections.report(
            _admitted(call),
            call.body,
            node_uuid=call.query.get("node_uuid"),
            hands_out_token=call.version.has(Behaviour.AGENT_TOKENS),
        )
        is_new = call.version.has(Behaviour.INSPECTION_TELLS_LIKE_LOOKUP)
        more = self._introduction(call, found) if is_new else {}
        return ok({"uuid": found.node.uuid, **more}, 202)

    def _introduction(self, call: Call, found: Found) -> dict[str, Any]:
        """What an agent is told of its node and of how to behave."""
        config = self._config()
        if call.version.has(Behaviour.AGENT_TOKENS):
            config["agent_token"] = found.token.reveal() if found.token else MASK
        return {"node": _shown(call, found), "config": config}

    def _config(self) -> dict[str, Any]:
        conductor, agent = self._settings.conductor, self._settings.agent
        return {
            "heartbeat_timeout": self._settings.api.ramdisk_heartbeat_timeout,
            "agent_token_required": True,
            "metrics": {
                "backend": "noop",
                "prepend_host": False,
                "prepend_uuid": False,
                "prepend_host_reverse": True,
                "global_prefix": None,
            },
            "metrics_statsd": {"statsd_host": "localhost", "statsd_port": 8125},
            "agent_containers": {
                "allow_arbitrary_containers": False,
                "allowed_containers": [],
                "container_steps_file": "/etc/ironic-python-agent.d/mysteps.yaml",
                "runner": "podman",
                "pull_options": "--tls-verify=false",
                "run_options": "--rm --network=host --tls-verify=false",
                "container_conf_file": "/etc/containers/containers.conf",
            },
            "agent_md5_checksum_enable": agent.allow_md5_checksum,
            "disable_deep_image_inspection": conductor.disable_deep_image_inspection,
            "permitted_image_formats": conductor.permitted_image_formats,
            "agent_skip_bmc_detect": False,
            "enable_bios_bootloader_install": False,
            "tls_min_version": "1.3",
            "tls_cipher_suites": None,
        }


def _admitted(call: Call) -> Caller:
    """The agent. What it may do on its node is a matter of its token, not of the node's owner.

    Raises:
        Forbidden: The operator's policy refuses such calls.
    """
    call.caller.check()
    return call.caller.cleared()


def _shown(call: Call, found: Found) -> msgspec.Raw:
    shown = view(NODE, max(call.version.minor, _NODE_MINOR), _NODE_FIELDS)
    return shown.render(shown.row_of(found.node), call.links(NODE))
