"""What a simulated BMC answers. Enough for a service to drive a server; no more.

Source: DMTF DSP0266; ServiceRoot, SessionService, ComputerSystem, Manager and VirtualMedia schemas.
"""

import base64
import secrets
from collections.abc import Callable, Mapping
from typing import Any

from bessemer_lab.bmc import message
from bessemer_lab.bmc.event_service import TEST_ACTION, EventService
from bessemer_lab.bmc.path import (
    CD,
    EVENT_SERVICE,
    MANAGER,
    MANAGERS,
    ROOT,
    SESSION_SERVICE,
    SESSIONS,
    SUBSCRIPTIONS,
    SYSTEMS,
    VIRTUAL_MEDIA,
)
from bessemer_lab.bmc.resource import NO_CONTENT, Answer, Json, collection_body, link
from bessemer_lab.fleet.machine import SYSTEM, SimulatedServer
from bessemer_lab.power import ResetType

USERNAME, PASSWORD = "admin", "password"
#: Sessions a BMC has room for, as many a real one.
MOST_SESSIONS = 8

_RESET = f"{SYSTEM}/Actions/ComputerSystem.Reset"
_INSERT, _EJECT = f"{CD}/Actions/VirtualMedia.InsertMedia", f"{CD}/Actions/VirtualMedia.EjectMedia"
_TARGETS = ("None", "Pxe", "Cd", "Hdd", "UefiHttp")
_ENABLED = ("Disabled", "Once", "Continuous")
_MODES = ("UEFI", "Legacy")
_PUBLIC = ("/redfish", ROOT)
_BASIC = "Basic " + base64.b64encode(f"{USERNAME}:{PASSWORD}".encode()).decode()


def answer(server: SimulatedServer, method: str, path: str, headers: Mapping[str, str], body: Json) -> Answer:
    """Do what is asked, and answer.

    Raises:
        RedfishError: The BMC says no.
    """
    if (method, path) == ("POST", SESSIONS):
        return _log_in(server, body)
    if path not in _PUBLIC and not _is_known(server, headers):
        raise message.no_session()
    if method == "GET":
        return Answer(_read(server, path))
    if method == "DELETE" and path.startswith(f"{SESSIONS}/"):
        return _log_out(server, path.rpartition("/")[2])
    if server.events is not None and path.startswith(EVENT_SERVICE):
        return _change_events(server.events, method, path, body)
    change = _CHANGES.get((method, path))
    if change is None:
        raise message.method_not_allowed(method, path)
    return change(server, body)


def _change_events(events: EventService, method: str, path: str, body: Json) -> Answer:
    if (method, path) == ("POST", SUBSCRIPTIONS):
        return events.create(body)
    if (method, path) == ("POST", TEST_ACTION):
        return events.submit_test(body)
    if method == "DELETE" and path.startswith(f"{SUBSCRIPTIONS}/"):
        return events.remove(path.rpartition("/")[2])
    raise message.method_not_allowed(method, path)


def _read_events(events: EventService, path: str) -> Json | None:
    if path == EVENT_SERVICE:
        return events.read()
    return events.read_all() if path == SUBSCRIPTIONS else events.find_body(path)


def _is_known(server: SimulatedServer, headers: Mapping[str, str]) -> bool:
    token = headers.get("X-Auth-Token")
    return token in server.tokens if token is not None else headers.get("Authorization") == _BASIC


def _log_in(server: SimulatedServer, body: Json) -> Answer:
    if (body.get("UserName"), body.get("Password")) != (USERNAME, PASSWORD):
        raise message.login_failed(SESSIONS)
    if len(server.tokens) >= MOST_SESSIONS:
        raise message.session_limit()
    token, name = secrets.token_hex(16), secrets.token_hex(4)
    server.tokens[token] = name
    path = f"{SESSIONS}/{name}"
    return Answer({"@odata.id": path, "Id": name}, 201, {"X-Auth-Token": token, "Location": path})


def _log_out(server: SimulatedServer, name: str) -> Answer:
    server.tokens = {token: kept for token, kept in server.tokens.items() if kept != name}
    return NO_CONTENT


def _read(server: SimulatedServer, path: str) -> Json:
    if path == SYSTEM:
        return _system(server)
    if path == CD:
        return _drive(server)
    if path == ROOT:
        return {
            "@odata.id": f"{ROOT}/",
            "@odata.type": "#ServiceRoot.v1_9_0.ServiceRoot",
            "Id": "RootService",
            "RedfishVersion": "1.15.0",
            "UUID": server.uuid,
            "Systems": link(SYSTEMS),
            "Managers": link(MANAGERS),
            "SessionService": link(SESSION_SERVICE),
            **({"EventService": link(EVENT_SERVICE)} if server.events is not None else {}),
            "Links": {"Sessions": link(SESSIONS)},
        }
    found = _FIXED.get(path)
    if found is None and server.events is not None:
        found = _read_events(server.events, path)
    if found is None:
        raise message.not_found(path)
    return found


def _system(server: SimulatedServer) -> Json:
    return {
        "@odata.id": SYSTEM,
        "@odata.type": "#ComputerSystem.v1_16_0.ComputerSystem",
        "Id": "1",
        "Name": f"server {server.number}",
        "UUID": server.uuid,
        "Manufacturer": "Bessemer",
        "Model": "Simulated Server",
        "SerialNumber": f"S{server.number:06}",
        "PowerState": server.power.value,
        "Status": {"State": "Enabled", "Health": server.health, "HealthRollup": server.health},
        "Boot": {
            "BootSourceOverrideEnabled": server.boot_enabled,
            "BootSourceOverrideEnabled@Redfish.AllowableValues": _ENABLED,
            "BootSourceOverrideTarget": server.boot_target,
            "BootSourceOverrideTarget@Redfish.AllowableValues": _TARGETS,
            "BootSourceOverrideMode": server.boot_mode,
            "BootSourceOverrideMode@Redfish.AllowableValues": _MODES,
        },
        "Links": {"ManagedBy": [link(MANAGER)]},
        "Actions": {
            "#ComputerSystem.Reset": {
                "target": _RESET,
                "ResetType@Redfish.AllowableValues": [kind.value for kind in ResetType],
            }
        },
    }


def _drive(server: SimulatedServer) -> Json:
    return {
        "@odata.id": CD,
        "@odata.type": "#VirtualMedia.v1_4_0.VirtualMedia",
        "Id": "Cd",
        "Name": "Virtual CD",
        "MediaTypes": ["CD", "DVD"],
        "Image": server.medium,
        "Inserted": server.medium is not None,
        "WriteProtected": True,
        "Actions": {
            "#VirtualMedia.InsertMedia": {"target": _INSERT},
            "#VirtualMedia.EjectMedia": {"target": _EJECT},
        },
    }


_FIXED: Mapping[str, Json] = {
    "/redfish": {"v1": f"{ROOT}/"},
    SYSTEMS: collection_body(SYSTEMS, "ComputerSystemCollection", "Computer Systems", [SYSTEM]),
    MANAGERS: collection_body(MANAGERS, "ManagerCollection", "Managers", [MANAGER]),
    MANAGER: {
        "@odata.id": MANAGER,
        "@odata.type": "#Manager.v1_10_0.Manager",
        "Id": "BMC",
        "Name": "BMC",
        "ManagerType": "BMC",
        "VirtualMedia": link(VIRTUAL_MEDIA),
        "Links": {"ManagerForServers": [link(SYSTEM)]},
    },
    VIRTUAL_MEDIA: collection_body(VIRTUAL_MEDIA, "VirtualMediaCollection", "Virtual Media", [CD]),
    SESSION_SERVICE: {
        "@odata.id": SESSION_SERVICE,
        "@odata.type": "#SessionService.v1_1_7.SessionService",
        "Id": "SessionService",
        "Name": "Session Service",
        "Sessions": link(SESSIONS),
    },
}


def _reset(server: SimulatedServer, body: Json) -> Answer:
    wanted = body.get("ResetType")
    if wanted not in list(ResetType):
        raise message.parameter_wrong_value("ComputerSystem.Reset", "ResetType", str(wanted))
    kind = ResetType(wanted)
    if not server.may_reset(kind):
        raise message.in_standby(f"{kind} needs a system that is on.")
    server.reset(kind)
    return NO_CONTENT


def _write_system(server: SimulatedServer, body: Json) -> Answer:
    boot = body.get("Boot")
    if not isinstance(boot, dict) or len(body) != 1:
        raise message.property_unknown(next((name for name in body if name != "Boot"), "Boot"))
    chosen = {}
    for name, allowed in (
        ("BootSourceOverrideTarget", _TARGETS),
        ("BootSourceOverrideEnabled", _ENABLED),
        ("BootSourceOverrideMode", _MODES),
    ):
        value: Any = boot.get(name)
        if value is not None and value not in allowed:
            raise message.property_not_in_list(name, str(value))
        chosen[name] = value
    server.boot_target = chosen["BootSourceOverrideTarget"] or server.boot_target
    server.boot_enabled = chosen["BootSourceOverrideEnabled"] or server.boot_enabled
    server.boot_mode = chosen["BootSourceOverrideMode"] or server.boot_mode
    return NO_CONTENT


def _insert(server: SimulatedServer, body: Json) -> Answer:
    url = body.get("Image")
    if not isinstance(url, str) or not url:
        raise message.parameter_missing("VirtualMedia.InsertMedia", "Image")
    if server.medium is not None:
        raise message.in_use("The drive holds a medium; eject it first.")
    server.medium = url
    return NO_CONTENT


def _eject(server: SimulatedServer, _: Json) -> Answer:
    server.medium = None
    return NO_CONTENT


_CHANGES: Mapping[tuple[str, str], Callable[[SimulatedServer, Json], Answer]] = {
    ("POST", _RESET): _reset,
    ("PATCH", SYSTEM): _write_system,
    ("POST", _INSERT): _insert,
    ("POST", _EJECT): _eject,
}
