"""One of the two servers, as a client meets it."""

import http.client
import json
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any

NEWEST = "1.115"
VERSION_HEADER = "X-OpenStack-Ironic-API-Version"
#: Longest wait for an answer, and for a node to come to rest, in seconds.
ANSWER_S = 60.0
PATIENCE_S = 60.0
#: Provision states in which a conductor is at work.
_MOVING = frozenset({
    "verifying", "deploying", "cleaning", "deleting", "inspecting", "adopting", "rescuing", "unrescuing",
    "servicing",
})  # fmt: skip


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def document(self) -> Any:
        """The body as JSON; text where it is none, None where there is none."""
        try:
            return json.loads(self.body) if self.body else None
        except ValueError:
            return self.body.decode(errors="replace")


class Side:
    def __init__(self, name: str, port: int, *, has_operations: bool) -> None:
        self.name = name
        self.address = f"http://127.0.0.1:{port}"
        self._has_operations = has_operations
        self._port = port
        #: What ``let`` has kept of answers.
        self.kept: dict[str, str] = {}

    def call(
        self, method: str, path: str, body: str = "", headers: Mapping[str, str] | None = None
    ) -> Answer:
        """``headers`` are all there are; None: those of a client of the newest version."""
        given = {VERSION_HEADER: NEWEST} if headers is None else dict(headers)
        if body:
            given.setdefault("Content-Type", "application/json")
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=ANSWER_S)
        with closing(connection):
            connection.request(method, path, body.encode() or None, given)
            answer = connection.getresponse()
            found = {name.lower(): held for name, held in answer.getheaders()}
            return Answer(answer.status, found, answer.read())

    def get(self, path: str) -> Any:
        return self.call("GET", path).document

    def settle(self, ident: str) -> Any:
        """The node once nothing is at work on it.

        Raises:
            TimeoutError: Something still is.
        """
        deadline = time.monotonic() + PATIENCE_S
        while True:
            node = self.get(f"/v1/nodes/{ident}")
            if "provision_state" not in node or self._is_at_rest(node):
                return node
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.name}: {ident} stays {node['provision_state']}")
            time.sleep(0.01)

    def _is_at_rest(self, node: Mapping[str, Any]) -> bool:
        if node["reservation"] or node["target_power_state"] or node["provision_state"] in _MOVING:
            return False
        if not self._has_operations:
            return True
        operations = self.get(f"/v2/nodes/{node['uuid']}/operations")["operations"]
        return all(one["state"] not in ("queued", "running") for one in operations)

    def wipe(self) -> None:
        """Remove everything there is."""
        for node in self._all("nodes", "include_children=true&fields=uuid,protected"):
            self.settle(node["uuid"])
            if node["protected"]:
                self.call("PATCH", f"/v1/nodes/{node['uuid']}", '[{"op": "remove", "path": "/protected"}]')
            self.call("PUT", f"/v1/nodes/{node['uuid']}/maintenance")
        for allocation in self._all("allocations"):
            self.call("DELETE", f"/v1/allocations/{allocation['uuid']}")
        for node in self._all("nodes", "include_children=true"):
            self.call("DELETE", f"/v1/nodes/{node['uuid']}")
        for kind in ("chassis", "deploy_templates", "runbooks", "inspection_rules"):
            for one in self._all(kind):
                self.call("DELETE", f"/v1/{kind}/{one['uuid']}")
        left = self._all("nodes", "include_children=true")
        assert not left, f"{self.name} keeps {left}"

    def _all(self, kind: str, query: str = "") -> Any:
        return self.get(f"/v1/{kind}?{query}")[kind]
