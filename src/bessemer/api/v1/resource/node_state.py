"""What moves a node: provision and power requests, boot mode, console. They answer at once and say where to
look. And the RAID configuration it is to have, which only takes effect with cleaning."""

from collections.abc import Mapping
from typing import Any

from bessemer.api.v1 import show, value
from bessemer.api.v1.call import Answer, Call, empty, ok
from bessemer.api.v1.error import Refusal
from bessemer.api.v1.route import Anything, Route
from bessemer.api.v1.table import action
from bessemer.api.v1.table.node import NODE
from bessemer.domain.power import BootMode, PowerTarget
from bessemer.domain.provision import ProvisionState, Verb
from bessemer.kernel.error import InvalidValue
from bessemer.service.provision import ProvisionRequest
from bessemer.service.services import Services

_STATES = "/nodes/{node}/states"


class NodeStateApi:
    def __init__(self, services: Services, *, provision_size_kib: int) -> None:
        self._provision = services.provision
        self._power = services.power
        self._nodes = services.nodes
        self._raids = services.target_raids
        self._modes = services.firmware_modes
        self._consoles = services.consoles
        self._provision_size_kib = provision_size_kib

    def routes(self) -> list[Route]:
        return [
            Route(
                "PUT",
                f"{_STATES}/power",
                self.set_power,
                rule="baremetal:node:set_power_state",
                body=action.POWER,
            ),
            Route(
                "PUT",
                f"{_STATES}/provision",
                self.set_provision,
                rule="baremetal:node:set_provision_state",
                body=action.PROVISION,
                size_kib=self._provision_size_kib,
            ),
            Route(
                "PUT",
                f"{_STATES}/raid",
                self.set_raid,
                rule="baremetal:node:set_raid_state",
                since=action.RAID_SINCE,
                gate=406,
                body=Anything(),
            ),
            Route(
                "PUT",
                f"{_STATES}/boot_mode",
                self.set_boot_mode,
                rule="baremetal:node:set_boot_mode",
                since=action.FIRMWARE_MODE_SINCE,
                body=action.TARGET_MODE,
            ),
            Route(
                "PUT",
                f"{_STATES}/secure_boot",
                self.set_secure_boot,
                rule="baremetal:node:set_secure_boot",
                since=action.FIRMWARE_MODE_SINCE,
                body=action.TARGET_FLAG,
            ),
            Route("GET", f"{_STATES}/console", self.get_console, rule="baremetal:node:get_console"),
            Route(
                "PUT",
                f"{_STATES}/console",
                self.set_console,
                rule="baremetal:node:set_console_state",
                body=action.CONSOLE,
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
        verb = await self._verb(call, ident)
        given = {name: held for name, held in call.body.items() if name != "target" and held is not None}
        request = ProvisionRequest(verb=verb, arguments=given)

        def gate(state: ProvisionState) -> None:
            _check_arguments(call.version.minor, verb, given)
            since = action.VERB_IN_STATE_SINCE.get((verb, state), 0)
            if call.version.minor < since:
                raise value.too_new(f"{verb} in state '{state}'", since)

        await self._provision.request(call.caller, ident, request, gate=gate)
        return _accepted(call)

    async def _verb(self, call: Call, ident: str) -> Verb:
        """The verb asked for. Of a node that is not there, that is told rather than that the verb is none."""
        try:
            return _verb(call)
        except (InvalidValue, Refusal):
            await self._nodes.get(call.caller, ident)
            raise

    async def set_raid(self, call: Call) -> Answer:
        """The body is the configuration itself. Answers 204: nothing goes on afterwards."""
        if not isinstance(call.body, dict):
            raise InvalidValue("A RAID configuration must be an object.")
        await self._raids.set(call.caller, show.ident(call, NODE), call.body)
        return empty()

    async def set_boot_mode(self, call: Call) -> Answer:
        word = show.check_word("target", call.body["target"], list(BootMode))
        await self._modes.request_boot_mode(call.caller, show.ident(call, NODE), BootMode(word))
        return _accepted(call)

    async def set_secure_boot(self, call: Call) -> Answer:
        enabled = call.body["target"]
        await self._modes.request_secure_boot(call.caller, show.ident(call, NODE), enabled=enabled)
        return _accepted(call)

    async def get_console(self, call: Call) -> Answer:
        console = await self._consoles.get(call.caller, show.ident(call, NODE))
        return ok({"console_enabled": console.is_enabled, "console_info": console.info})

    async def set_console(self, call: Call) -> Answer:
        enabled = call.body["enabled"]
        await self._consoles.request(call.caller, show.ident(call, NODE), enabled=enabled)
        return empty(202, location=f"{_states(call)}/console")


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
    return empty(202, location=_states(call))


def _states(call: Call) -> str:
    return f"{call.base}/v1/nodes/{call.params['node']}/states"
