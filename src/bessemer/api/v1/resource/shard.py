"""Shards: how many nodes each has."""

from bessemer.api.v1.call import Answer, Call, ok
from bessemer.api.v1.route import Route
from bessemer.api.v1.table import action
from bessemer.service.services import Services

#: What nodes without a shard are listed under. Source: v1 contract, fields of ``shard``.
_NO_SHARD = "None"


class ShardApi:
    def __init__(self, services: Services) -> None:
        self._shards = services.shards

    def routes(self) -> list[Route]:
        return [Route("GET", "/shards", self.list, rule="baremetal:shards:get", since=action.SHARDS_SINCE)]

    async def list(self, call: Call) -> Answer:
        counts = await self._shards.count(call.caller)
        return ok(
            {"shards": [{"name": _NO_SHARD if name is None else name, "count": n} for name, n in counts]}
        )
