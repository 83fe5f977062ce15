"""Gives each request that may change something its place in the audit trail."""

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from bessemer.service.audit import AuditTrail, Draft, current_draft, is_hidden_refusal
from bessemer.service.caller import Caller

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

#: Methods that change nothing.
_READING = ("GET", "HEAD", "OPTIONS")
#: What machines say of themselves: it is in the journal and the node's history, and there is very much of it.
_OF_MACHINES = (
    "/v1/heartbeat",
    "/heartbeat",
    "/v1/continue_inspection",
    "/continue_inspection",
    "/redfish/events/",
)


#: What the first parts of a path are about; the names that the store has for it.
_NOUNS = {
    "nodes": "node", "ports": "port", "portgroups": "portgroup", "volume/connectors": "volume_connector",
    "volume/targets": "volume_target", "allocations": "allocation", "deploy_templates": "deploy_template",
    "runbooks": "runbook", "inspection_rules": "inspection_rule", "drivers": "driver",
    "operations": "operation",
}  # fmt: skip


def describe(route: str, rule: str, params: Mapping[str, str], caller: Caller) -> None:
    """Tell the draft of the request at hand, if there is one, which route it has taken and who makes it."""
    draft = current_draft()
    if draft is None:
        return
    parts = route.removeprefix("/v2").strip("/").split("/")
    key = "/".join(parts[:2]) if parts[0] == "volume" else parts[0]
    draft.route, draft.rule, draft.caller = route, rule, caller
    draft.noun, draft.ident = _NOUNS.get(key, key), next(iter(params.values()), "")


class Audited:
    """Around everything else: also requests of nobody we know are recorded when they are refused."""

    def __init__(self, app: App, trail: AuditTrail) -> None:
        self._app = app
        self._trail = trail

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in _READING or scope["path"].startswith(_OF_MACHINES):
            await self._app(scope, receive, send)
            return
        client = scope.get("client")
        draft = Draft(scope["method"], scope["path"], client[0] if client else "")

        status = 0

        async def send_recorded(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                draft.caller = draft.caller or scope.get("state", {}).get("caller")
                status = message["status"]
                if not is_hidden_refusal(draft, status):
                    await self._trail.end(draft, status)
            await send(message)

        with self._trail.during(draft):
            await self._app(scope, receive, send_recorded)
        if is_hidden_refusal(draft, status):
            # Behind the answer: one that took longer than if there were nothing would tell that there is.
            await self._trail.end(draft, status)
