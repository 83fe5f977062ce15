"""The documents at / and /v1: what is served here. Source: v1 contract, api_wide.discovery."""

from typing import Any

from bessemer.api.v1.call import Answer, Call, ok
from bessemer.api.v1.route import OPEN, Route
from bessemer.api.v1.version import MAX, MIN

_NAME = "Bessemer"
_DESCRIPTION = "Bare-metal provisioning with the Ironic v1 API."
_DOCUMENTATION = "https://docs.openstack.org/api-ref/baremetal/"
_MEDIA_TYPE = {"base": "application/json", "type": "application/vnd.openstack.ironic.v1+json"}

#: Resources named in the document, with the version each came with.
RESOURCES = {
    "chassis": 1,
    "nodes": 1,
    "ports": 1,
    "drivers": 1,
    "lookup": 22,
    "heartbeat": 22,
    "portgroups": 23,
    "volume": 32,
    "events": 54,
    "shards": 82,
    "conductors": 49,
    "allocations": 52,
    "deploy_templates": 55,
    "continue_inspection": 84,
    "runbooks": 92,
    "inspection_rules": 96,
}


class DiscoveryApi:
    """``newest`` is the newest version served."""

    def __init__(self, newest: int = MAX) -> None:
        self._newest = newest

    def routes(self) -> list[Route]:
        return [Route("GET", "/", self.root, rule=OPEN), Route("GET", "/v1", self.v1, rule=OPEN)]

    async def root(self, call: Call) -> Answer:
        version = _version(call, self._newest)
        return ok(
            {
                "name": _NAME,
                "description": _DESCRIPTION,
                "default_version": version,
                "versions": [version],
            }
        )

    async def v1(self, call: Call) -> Answer:
        links = [
            {"href": f"{call.base}/v1/", "rel": "self"},
            {"href": _DOCUMENTATION, "rel": "describedby", "type": "text/html"},
        ]
        document: dict[str, Any] = {
            "id": "v1",
            "links": links,
            "media_types": _MEDIA_TYPE,
            "version": _version(call, self._newest),
        }
        for name, since in RESOURCES.items():
            if call.version.minor >= since:
                document[name] = [
                    {"href": f"{call.base}/v1/{name}/", "rel": "self"},
                    {"href": f"{call.base}/{name}/", "rel": "bookmark"},
                ]
        return ok(document)


def _version(call: Call, newest: int) -> dict[str, Any]:
    return {
        "id": "v1",
        "links": [{"href": f"{call.base}/v1/", "rel": "self"}],
        "status": "CURRENT",
        "min_version": f"1.{MIN}",
        "version": f"1.{newest}",
    }
