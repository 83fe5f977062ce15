"""What moves a node: provision and power requests. Both answer at once and say where to look."""

from collections.abc import Mapping
from typing import Any

from bessemer.api.v1 import show, value
from bessemer.api.v1.call import Answer, Call, empty
from bessemer.api.v1.route import Route
from bessemer.api.v1.table import action
from bessemer.api.v1.table.node import NODE
from bessemer.domain.power import PowerTarget
from bessemer.domain.provision import ProvisionState, Verb
from bessemer.service.provision import ProvisionRequest
from bessemer.service.services import Services


class NodeStateApi:
    def __init__(self, services: Services, *, provision_size_kib: int) -> None:
        self._provision = services.provision
        self._power = services.power
        self._nodes = services.nodes
        self._provision_size_kib = provision_size_kib

    def routes(self) -> list[Route]:
        return [
            Route(
                "PUT",
                "/nodes/{node}/states/power",
                self.set_power,
                rule="baremetal:node:set_power_state",
                body=action.POWER,
            ),
            Route(
                "PUT",
                "/nodes/{node}/states/provision",
                self.set_provision,
                rule="baremetal:node:set_provision_state",
                body=action.PROVISION,
                size_kib=self._provision_size_kib,
            ),
        ]

    async def set_power(self, call: Call) -> Answer:
        word = call.body["target"]
        target = PowerTarget(show.check_word("target", word, list(PowerTarget)))
        since = action.POWER_TARGET_SINCE.get(target, 0)
        if call.version.minor < since:
            raise value.too_new(word, since)
        await self._power.request(
            call.caller, show.ident(call, NODE), target, timeout_s=call.body.get("timeout")
        )
        return _accepted(call)

    async def set_provision(self, call: Call) -> Answer:
        ident = show.ident(call, NODE)
        await self._nodes.get(call.caller, ident)
        verb = _verb(call)
        given = {name: held for name, held in call.body.items() if name != "target" and held is not None}
        request = ProvisionRequest(verb=verb, arguments=given)

        def gate(state: ProvisionState) -> None:
            _check_arguments(call.version.minor, verb, given)
            since = action.VERB_IN_STATE_SINCE.get((verb, state), 0)
            if call.version.minor < since:
                raise value.too_new(f"{verb} in state '{state}'", since)

        await self._provision.request(call.caller, ident, request, gate=gate)
        return _accepted(call)


def _verb(call: Call) -> Verb:
    word = call.body["target"]
    verb = Verb(show.check_word("target", word, list(Verb)))
    since = action.VERB_SINCE.get(verb, 0)
    if call.version.minor < since:
        raise value.too_new(f"the target '{word}'", since)
    return verb


def _check_arguments(minor: int, verb: Verb, given: Mapping[str, Any]) -> None:
    """Arguments, and forms of them, that came later than the verb. Raises Refusal."""
    for name in given:
        since, status = action.ARGUMENT_SINCE.get((verb, name), (0, 0))
        if minor < since:
            raise value.too_new(f"'{name}' with the target '{verb}'", since, status)
    drive = given.get("configdrive")
    if not isinstance(drive, dict):
        return
    keys = {name: since for name, since in action.CONFIG_DRIVE_KEY_SINCE.items() if name in drive}
    since = max(action.CONFIG_DRIVE_OBJECT_SINCE, *keys.values(), 0)
    if minor < since:
        raise value.too_new("this form of configdrive", since, 400)


def _accepted(call: Call) -> Answer:
    """202, and the address at which the outcome shows; the node is named there as the client named it."""
    return empty(202, location=f"{call.base}/v1/nodes/{call.params['node']}/states")
