"""Commands to the agent in a machine's ramdisk, over its HTTP interface.

A command is never given twice by accident: when a request may have arrived although its answer did not, the
agent's own list of commands tells. Source: agent API, "routes" and "client_side_rules".
"""

import asyncio
from collections.abc import Mapping
from typing import Any

import aiohttp
import msgspec

from bessemer.config.settings import AgentSettings
from bessemer.domain.node import SECRET_KEYS, Node, label
from bessemer.hardware.agent.failure import (
    AgentBusy,
    AgentRefused,
    AgentUnreachable,
    CommandFailed,
    CommandLost,
    CommandUnknown,
)
from bessemer.hardware.agent.result import CommandResult, CommandStatus, decode_list, decode_result
from bessemer.hardware.agent.trust import AgentTrust
from bessemer.hardware.call_span import call_span
from bessemer.kernel.backoff import Backoff
from bessemer.kernel.error import DeadlineExceeded, DeviceError
from bessemer.kernel.secret import secrets_in, without_secrets
from bessemer.transfer.bounded import AnswerTooLong

__all__ = [
    "AgentBusy",
    "AgentClient",
    "AgentRefused",
    "AgentUnreachable",
    "CommandFailed",
    "CommandLost",
    "CommandResult",
    "CommandStatus",
    "CommandUnknown",
]

_COMMANDS = "/v1/commands/"
_ONE_COMMAND = "/v1/commands/{id}"
_SECRET_KEYS = frozenset[str]().union(*SECRET_KEYS.values())
#: Pauses between tries of one call.
_BACKOFF = Backoff(first_s=1.0, most_s=5.0)


class AgentClient:
    """The agents of all nodes; which one is meant is in the node's ``driver_internal_info``.

    ``session`` belongs to the caller; its ``response_class`` should bound answers. All methods raise:
        AgentUnreachable: No answer in ``command_timeout`` or no connection, after ``max_command_attempts``.
        AgentBusy: It carries out another command (409).
        AgentRefused: It said no; with its own words. CommandUnknown, CommandLost: see there.
    """

    def __init__(
        self, session: aiohttp.ClientSession, settings: AgentSettings, *, backoff: Backoff = _BACKOFF
    ) -> None:
        self._session = session
        self._settings = settings
        self._backoff = backoff
        self._trust = AgentTrust(settings)

    async def execute(
        self, node: Node, command: str, params: Mapping[str, Any], *, wait: bool = False
    ) -> CommandResult:
        """Give the agent a command (``extension.name``).

        Without ``wait`` a long command is still running in the result. With ``wait`` the result is final; for
        commands that answer within ``command_timeout`` seconds, else DeadlineExceeded.
        """
        known = {result.id for result in await self.list_commands(node)}
        body = msgspec.json.encode({"name": command, "params": dict(params)})
        for attempt in range(1, self._attempts + 1):
            try:
                with call_span("POST", _template, _COMMANDS, {"bessemer.agent.command": command}):
                    answer = await self._request(node, "POST", _COMMANDS, body=body, wait=wait)
                return _quiet(node, decode_result(answer))
            except AgentUnreachable as error:
                if not error.is_unsent:
                    arrived = await self._find_new(node, command, known)
                    if arrived is not None:
                        return await self._awaited(node, arrived) if wait else arrived
                if attempt == self._attempts:
                    raise
            await asyncio.sleep(self._backoff.delay_s(attempt))
        raise AssertionError("unreachable")

    async def list_commands(self, node: Node) -> list[CommandResult]:
        """Every command of this ramdisk's life, oldest first."""
        return [_quiet(node, result) for result in decode_list(await self._read(node, _COMMANDS))]

    async def get_command(self, node: Node, command_id: str) -> CommandResult:
        """Raises CommandLost when the agent does not know the command (any more)."""
        return _quiet(node, decode_result(await self._read(node, _COMMANDS + command_id)))

    @property
    def _attempts(self) -> int:
        return max(1, self._settings.max_command_attempts)

    async def _find_new(self, node: Node, command: str, known: set[str]) -> CommandResult | None:
        """The command that a broken request gave to the agent after all."""
        name = command.rpartition(".")[2]
        new = [r for r in await self.list_commands(node) if r.id not in known and r.name == name]
        return new[-1] if new else None

    async def _awaited(self, node: Node, result: CommandResult) -> CommandResult:
        try:
            async with asyncio.timeout(self._settings.command_timeout):
                while result.is_running:
                    await asyncio.sleep(min(1.0, self._settings.poll_interval))
                    result = await self.get_command(node, result.id)
        except TimeoutError as error:
            raise DeadlineExceeded(
                f"The agent of node {label(node)} did not finish {result.name} within "
                f"{self._settings.command_timeout} s."
            ) from error
        return result

    async def _read(self, node: Node, path: str) -> bytes:
        """A request that may be repeated as often as it takes."""
        for attempt in range(1, self._attempts + 1):
            try:
                with call_span("GET", _template, path, {}):
                    return await self._request(node, "GET", path)
            except AgentUnreachable:
                if attempt == self._attempts:
                    raise
            await asyncio.sleep(self._backoff.delay_s(attempt))
        raise AssertionError("unreachable")

    async def _request(
        self, node: Node, method: str, path: str, *, body: bytes | None = None, wait: bool = False
    ) -> bytes:
        """One HTTP call. The token travels in the query, as the agent expects it, and is never logged."""
        url = self._agent_url(node)
        query = {"agent_token": str(node.driver_internal_info.get("agent_secret_token") or "")}
        if method == "POST":
            query["wait"] = "true" if wait else "false"
        try:
            async with self._session.request(
                method,
                url + path,
                params=query,
                data=body,
                headers={"Content-Type": "application/json", "Accept": "application/json"},
                ssl=self._trust.context_for(node) if url.startswith("https:") else False,
                timeout=aiohttp.ClientTimeout(total=self._settings.command_timeout),
                allow_redirects=False,
            ) as response:
                answer = await response.read()
                if 200 <= response.status < 300:
                    return answer
                raise _refusal(node, f"{method} {path}", response.status, answer, is_post=method == "POST")
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise _no_answer(node, url, error, self._settings.command_timeout) from error

    def _agent_url(self, node: Node) -> str:
        url = node.driver_internal_info.get("agent_url")
        if not isinstance(url, str) or not url:
            raise AgentUnreachable(f"No agent has called back from node {label(node)}.", is_unsent=True)
        if self._settings.require_tls and not url.startswith("https:"):
            raise AgentRefused(
                f"The agent of node {label(node)} is reached without TLS.",
                hint="Use an agent that speaks https, or set [agent]require_tls = false.",
            )
        return url.rstrip("/")


def _template(path: str) -> str:
    return path if path == _COMMANDS else _ONE_COMMAND


def _secrets(node: Node) -> set[str]:
    """What an agent may know and repeat: commands hold the config drive, the token is in every request."""
    return secrets_in([node.driver_info, node.instance_info, node.driver_internal_info], _SECRET_KEYS)


def _quiet(node: Node, result: CommandResult) -> CommandResult:
    """The result without secrets of the node in what the agent says of its failure."""
    if result.error is None:
        return result
    secrets = _secrets(node)
    said = {
        name: without_secrets(text, secrets) if isinstance(text, str) else text
        for name, text in result.error.items()
    }
    return msgspec.structs.replace(result, error=said)


def _refusal(node: Node, what: str, status: int, answer: bytes, *, is_post: bool) -> DeviceError:
    """The error that an answer of the agent outside 200-299 stands for."""
    said = without_secrets(_fault(answer), _secrets(node))
    message = f"The agent of node {label(node)} answered {what} with HTTP {status}" + (
        f": {said}" if said else "."
    )
    if status == 409:
        return AgentBusy(message)
    if status == 401:
        return AgentRefused(
            message, hint="Its token is not the one handed out: is an old ramdisk still running?", status=401
        )
    if status == 404 and is_post:
        return CommandUnknown(message, hint="Use a newer agent ramdisk.", status=404)
    if status == 404:
        return CommandLost(message, hint="Was the ramdisk restarted?", status=404)
    if status in (502, 503, 504):
        return AgentUnreachable(message)
    return AgentRefused(message, status=status)


def _fault(answer: bytes) -> str:
    try:
        body = msgspec.json.decode(answer)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
    return str(body.get("faultstring") or "")[:1000] if isinstance(body, dict) else ""


def _no_trust(where: str, error: aiohttp.ClientConnectorCertificateError) -> AgentRefused:
    problem = str(getattr(error.certificate_error, "verify_message", "") or error.certificate_error)
    if "mismatch" in problem:
        return AgentRefused(
            f"{where} shows a certificate that is not for this address: {problem}.",
            hint="Tell the agent by which address it is reached: kernel parameter ipa-advertise-host.",
        )
    return AgentRefused(f"{where} shows another certificate than the one it sent: {problem}.")


def _no_answer(node: Node, url: str, error: Exception, timeout_s: float) -> DeviceError:
    where = f"The agent of node {label(node)} at {url}"
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return _no_trust(where, error)
    if isinstance(error, aiohttp.ClientConnectorError):
        return AgentUnreachable(f"{where} cannot be reached: {error.os_error.strerror}.", is_unsent=True)
    if isinstance(error, TimeoutError):
        return AgentUnreachable(f"{where} did not answer within {timeout_s:g} s.")
    if isinstance(error, AnswerTooLong):
        return AgentUnreachable(f"{where} talks without end: {error}.")
    return AgentUnreachable(f"The connection to the agent of node {label(node)} at {url} broke.")
