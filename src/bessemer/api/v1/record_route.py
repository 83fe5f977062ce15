"""The five routes of a resource whose records are listed, made, shown, changed and deleted."""

from collections.abc import Sequence
from typing import Protocol

from bessemer.api.v1.call import Answer, Call
from bessemer.api.v1.route import PatchOf, Route
from bessemer.api.v1.table.field import Param, Table


class RecordApi(Protocol):
    """What answers them."""

    async def list(self, call: Call) -> Answer: ...

    async def create(self, call: Call) -> Answer: ...

    async def get(self, call: Call) -> Answer: ...

    async def update(self, call: Call) -> Answer: ...

    async def delete(self, call: Call) -> Answer: ...


def record_routes(
    api: RecordApi,
    table: Table,
    path: str,
    *,
    rule: str,
    since: int,
    list_query: Sequence[Param],
    get_query: Sequence[Param],
    list_rule: str = "get",
) -> list[Route]:
    """Lists and new records are at ``path``, single ones below it. Rules are named ``rule`` and what is done.

    To requests from before ``since`` what reads is not found, and what writes is no method of what is there.
    Source: v1 contract, routes (deploy_templates, runbooks, inspection_rules).
    """
    one = f"{path}/{{{table.noun}}}"
    return [
        Route("GET", path, api.list, rule=f"{rule}:{list_rule}", since=since, query=list_query),
        Route("POST", path, api.create, rule=f"{rule}:create", since=since, gate=405, body=table.creation),
        Route("GET", one, api.get, rule=f"{rule}:get", since=since, query=get_query),
        Route("PATCH", one, api.update, rule=f"{rule}:update", since=since, gate=405, body=PatchOf(table)),
        Route("DELETE", one, api.delete, rule=f"{rule}:delete", since=since, gate=405),
    ]
