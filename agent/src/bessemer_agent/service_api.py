"""The calls the agent makes to its service.

Source: Ironic's bare metal API v1: discovery, ``GET /v1/lookup``, ``POST /v1/heartbeat/<node>``, ``POST
/v1/continue_inspection``.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlencode

from bessemer_agent.error import AgentError
from bessemer_agent.http_client import HttpClient
from bessemer_agent.journal import say
from bessemer_agent.secret import Secret
from bessemer_agent.version import (
    AGENT_CERTIFICATE_SINCE,
    AGENT_TOKEN_SINCE,
    AGENT_VERSION,
    AGENT_VERSION_SINCE,
    FALLBACK_API_VERSION,
    HEARTBEAT_API_VERSION,
    INSPECTION_API_VERSION,
    LOOKUP_API_VERSION,
    OLD_INSPECTION_API_VERSION,
)

Version = tuple[int, int]
#: What the service shows instead of a token it has given away before.
_MASKED = "******"


class BadAnswer(AgentError):
    """The service's answer makes no sense."""


class Found(NamedTuple):
    """What lookup told."""

    node: Mapping[str, Any]
    config: Mapping[str, Any]
    #: The token, when it was given with this answer: only the first lookup of a ramdisk's life gets it.
    token: Secret | None
    is_token_given_away: bool


class Reported(NamedTuple):
    """What the service answers to an inspection report."""

    node_uuid: str | None
    #: As in ``Found``.
    token: Secret | None


class ServiceApi:
    """The service behind one base URL.

    Args:
        url: Without trailing slash.
        client: Makes the requests.
        version: The service's highest API version, when it must not be asked.
        request_id: Sent along, so that the service can tie our calls to its own.
    """

    def __init__(
        self, url: str, client: HttpClient, version: str | None = None, request_id: str | None = None
    ) -> None:
        self.url = url
        self._client = client
        self._request_id = request_id
        self._version = parse_version(version) if version else None

    @property
    def version(self) -> Version:
        """The service's highest API version; asked once.

        Raises:
            HttpStatusError, OSError, HTTPException: It could not be asked.
        """
        if self._version is None:
            answer = self._call("GET", "/", None)
            shown = answer.get("default_version")
            text = str(shown.get("version")) if isinstance(shown, Mapping) else ""
            try:
                self._version = parse_version(text)
            except BadAnswer:
                say("the service does not tell its API version", assumed=_format(FALLBACK_API_VERSION))
                self._version = FALLBACK_API_VERSION
        return self._version

    @property
    def is_tls_verified(self) -> bool:
        """Whether the service takes our certificate and verifies us by it."""
        return self.version >= AGENT_CERTIFICATE_SINCE

    def lookup(self, macs: Sequence[str], node_uuid: str | None) -> Found:
        """Ask which node has one of these MAC addresses.

        Raises:
            HttpStatusError: The service knows none in a state to be looked up (404), is busy with it (409)
            ... BadAnswer: The answer has no node. OSError, HTTPException: The exchange broke.
        """
        query = {"addresses": ",".join(macs)}
        if node_uuid:
            query["node_uuid"] = node_uuid
        answer = self._call("GET", f"/v1/lookup?{urlencode(query)}", LOOKUP_API_VERSION)
        node, config = answer.get("node"), answer.get("config")
        if not isinstance(node, Mapping) or not isinstance(config, Mapping) or not node.get("uuid"):
            raise BadAnswer("the answer to lookup has no node or no config")
        return Found(node, config, _read_token(config), config.get("agent_token") == _MASKED)

    def heartbeat(
        self, node_uuid: str, callback_url: str, token: Secret | None, certificate: str | None
    ) -> None:
        """Tell that we are alive and where. Idempotent.

        Raises:
            HttpStatusError: The service refused, e.g. because the node is locked (409).
            OSError, HTTPException: The exchange broke.
        """
        body = {"callback_url": callback_url}
        if self.version >= AGENT_VERSION_SINCE:
            body["agent_version"] = AGENT_VERSION
        if token and self.version >= AGENT_TOKEN_SINCE:
            body["agent_token"] = token.reveal()
        if certificate and self.is_tls_verified:
            body["agent_verify_ca"] = certificate
        self._call("POST", f"/v1/heartbeat/{node_uuid}", HEARTBEAT_API_VERSION, body)

    def report_inspection(self, url: str, report: Mapping[str, object], node_uuid: str | None) -> Reported:
        """Report to ``url`` what the machine is made of. Idempotent.

        Raises:
            HttpStatusError: The service expects no report of this machine (404), or refused otherwise.
            OSError, HTTPException: The exchange broke.
        """
        is_new = self.version >= INSPECTION_API_VERSION
        if is_new and node_uuid:
            url += ("&" if "?" in url else "?") + urlencode({"node_uuid": node_uuid})
        version = INSPECTION_API_VERSION if is_new else OLD_INSPECTION_API_VERSION
        answer = self._call("POST", url, version, report)
        found, config = answer.get("uuid"), answer.get("config")
        token = _read_token(config) if isinstance(config, Mapping) else None
        return Reported(str(found) if found else None, token)

    def _call(
        self, method: str, path: str, highest: Version | None, body: Mapping[str, object] | None = None
    ) -> Mapping[str, Any]:
        """``path`` below our service's address, or a whole URL."""
        headers = {"Accept": "application/json"}
        if highest:
            headers["X-OpenStack-Ironic-API-Version"] = _format(min(self.version, highest))
        if self._request_id:
            headers["X-OpenStack-Request-ID"] = self._request_id
        data = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            data = json.dumps(body).encode()
        url = self.url + path if path.startswith("/") else path
        with self._client.open(url, method=method, headers=headers, body=data) as response:
            text = response.read()
        try:
            answer = json.loads(text or b"{}")
        except ValueError as error:
            raise BadAnswer(f"{path} was not answered with JSON") from error
        return answer if isinstance(answer, Mapping) else {}


def _read_token(config: Mapping[str, Any]) -> Secret | None:
    token = config.get("agent_token")
    return Secret(str(token)) if token and token != _MASKED else None


def parse_version(text: str) -> Version:
    """``"1.68"`` as a pair that compares.

    Raises:
        BadAnswer: It is no version.
    """
    major, _, minor = text.strip().partition(".")
    if not (major.isdigit() and minor.isdigit()):
        raise BadAnswer(f"{text!r} is no API version")
    return int(major), int(minor)


def _format(version: Version) -> str:
    return f"{version[0]}.{version[1]}"
