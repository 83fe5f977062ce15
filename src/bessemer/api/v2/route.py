"""Routes of v2: each names the policy rule that its calls stand or fall with."""

from collections.abc import Callable
from typing import Any

from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from bessemer.api.audit import describe


class RuledRoute(Route):
    """A route under ``rule``, which the audit trail then names with each call that changes something."""

    def __init__(self, path: str, endpoint: Callable[..., Any], *, rule: str, methods: list[str]) -> None:
        super().__init__(path, endpoint, methods=methods)
        self.rule = rule

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        describe(self.path, self.rule, scope.get("path_params", {}), scope["state"]["caller"])
        await super().handle(scope, receive, send)
