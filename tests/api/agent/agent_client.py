"""What a service does with an agent: calls its command API and verifies its certificate."""

import http.client
import json
import ssl
import time
from typing import Any
from urllib.parse import urlencode, urlsplit


class AgentClient:
    """Calls one agent.

    Args:
        url: Its callback URL.
        token: Sent with every call about commands; None sends none.
        certificate: PEM text that must be the agent's; None for plain HTTP.
    """

    def __init__(self, url: str, token: str | None, certificate: str | None) -> None:
        self._address = urlsplit(url)
        self.token = token
        self._tls = ssl.create_default_context(cadata=certificate) if certificate else None

    def call(
        self, method: str, path: str, body: Any = None, *, timeout_s: float = 60.0, **query: str
    ) -> tuple[int, Any]:
        """One request; status and JSON answer."""
        if self.token is not None:
            query["agent_token"] = self.token
        host, port = str(self._address.hostname), self._address.port
        connection: http.client.HTTPConnection
        if self._tls:
            connection = http.client.HTTPSConnection(host, port, timeout=timeout_s, context=self._tls)
        else:
            connection = http.client.HTTPConnection(host, port, timeout=timeout_s)
        try:
            data = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
            connection.request(method, f"{path}?{urlencode(query)}" if query else path, body=data)
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        finally:
            connection.close()

    def command(self, name: str, *, timeout_s: float = 60.0, is_waited: bool = True, **params: Any) -> Any:
        """Run a command; its result, which must not be an HTTP error."""
        query = {"wait": "true"} if is_waited else {}
        body = {"name": name, "params": params}
        status, answer = self.call("POST", "/v1/commands/", body, timeout_s=timeout_s, **query)
        assert status == 200, answer
        return answer

    def wait_until_answering(self, timeout_s: float = 60.0) -> None:
        """Wait until the API answers at all."""
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                self.call("GET", "/v1/status", timeout_s=5.0)
            except OSError:
                assert time.monotonic() < deadline, "the agent does not answer"
            else:
                return
