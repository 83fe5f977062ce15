"""The service root, and the version document above it.

Source: DMTF ServiceRoot.v1_9_0; DSP0266, "Resource identifier".
"""

from bessemer_lab.bmc.path import (
    ALL_CHASSIS,
    EVENT_SERVICE,
    MANAGERS,
    ROOT,
    SESSION_SERVICE,
    SESSIONS,
    SYSTEMS,
)
from bessemer_lab.bmc.resource import Json, Resource, link
from bessemer_lab.mainboard import Mainboard

REDFISH_VERSION = "1.15.0"
_SERVICES = {
    "Systems": SYSTEMS,
    "Managers": MANAGERS,
    "Chassis": ALL_CHASSIS,
    "SessionService": SESSION_SERVICE,
    "EventService": EVENT_SERVICE,
}


def build(board: Mainboard) -> list[Resource]:
    def read() -> Json:
        return {
            "@odata.id": f"{ROOT}/",
            "@odata.type": "#ServiceRoot.v1_9_0.ServiceRoot",
            "Id": "RootService",
            "Name": "Root Service",
            "RedfishVersion": REDFISH_VERSION,
            "UUID": board.uuid,
            "Vendor": "Bessemer",
            "Product": "Bessemer Lab BMC",
            "ProtocolFeaturesSupported": {
                "ExcerptQuery": False,
                "FilterQuery": False,
                "OnlyMemberQuery": False,
                "SelectQuery": False,
                "ExpandQuery": {"ExpandAll": False, "Levels": False, "Links": False, "NoLinks": False},
            },
            **{name: link(path) for name, path in _SERVICES.items()},
            "Links": {"Sessions": link(SESSIONS)},
        }

    return [
        Resource(path="/redfish", get=lambda: {"v1": f"{ROOT}/"}, is_public=True),
        Resource(path=ROOT, get=read, is_public=True),
        Resource(path=f"{ROOT}/odata", get=_read_odata, is_public=True),
    ]


def _read_odata() -> Json:
    services = [{"name": name, "kind": "Singleton", "url": path} for name, path in _SERVICES.items()]
    return {
        "@odata.context": f"{ROOT}/$metadata",
        "value": [{"name": "Service", "kind": "Singleton", "url": f"{ROOT}/"}, *services],
    }
