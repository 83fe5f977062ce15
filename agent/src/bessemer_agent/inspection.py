"""Inspection: telling the service what this machine is made of, before anything else is asked of it.

Source: ironic-python-agent's inspection callback (``ipa-inspection-callback-url``): the inventory, the disk
that an image would go to, the network card the machine booted from.
"""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from bessemer_agent.context import Context
from bessemer_agent.error import AgentError, DeviceNotFound, InspectionFailed
from bessemer_agent.http_client import TRANSPORT_ERRORS, HttpStatusError
from bessemer_agent.inventory.hardware import collect_hardware
from bessemer_agent.inventory.nic import list_nics
from bessemer_agent.journal import say
from bessemer_agent.secret import Secret
from bessemer_agent.service_api import BadAnswer, ServiceApi
from bessemer_agent.step import current_versions

#: Pauses between attempts, seconds; the last one repeats.
_PAUSES_S = (1.0, 2.0, 5.0, 10.0)


class Answered(NamedTuple):
    """What the service says to a report: which node this is, and its token when it was made just now."""

    node_uuid: str | None
    token: Secret | None


def collect_report(context: Context) -> dict[str, object]:
    """The report; one that says why when the machine cannot be looked at."""
    settings, root = context.settings, Path(context.machine.root)
    collectors = [name.strip() for name in settings.inspection_collectors.split(",") if name.strip()]
    try:
        disks = context.machine.list_devices()
        report: dict[str, object] = {
            "inventory": collect_hardware(disks, settings.boot_mac, root),
            "root_disk": _find_root_disk(context),
            "boot_interface": settings.boot_mac,
            "error": None,
        }
    except (AgentError, OSError, ValueError) as error:
        say("inspection failed", why=f"{type(error).__name__}: {error}")
        interfaces = [nic._asdict() for nic in list_nics(root)]
        report = {"inventory": {"interfaces": interfaces}, "error": f"{type(error).__name__}: {error}"}
    if "logs" in collectors:
        from bessemer_agent.system_log import collect_logs

        report["logs"] = collect_logs(context.machine.run, root)
    report["configuration"] = {"collectors": collectors, "managers": _describe_managers()}
    return report


def send_report(
    service: ServiceApi,
    url: str,
    report: Mapping[str, object],
    node_uuid: str | None,
    *,
    timeout_s: float,
    pause: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Answered:
    """Report to ``url`` until the service takes it; a report that was taken twice counts once there.

    Raises:
        InspectionFailed: It did not within ``timeout_s``; says what it answered last.
    """
    deadline, told, attempt = clock() + timeout_s, "", 0
    while True:
        try:
            found = service.report_inspection(url, report, node_uuid)
            return Answered(found.node_uuid, found.token)
        except (HttpStatusError, BadAnswer) as error:
            why = error.details
        except TRANSPORT_ERRORS as error:
            why = f"{type(error).__name__}: {error}"
        if why != told:  # the same refusal every second would hide everything else on the console
            say("inspection report not taken yet", why=why)
            told = why
        pause_s = _PAUSES_S[min(attempt, len(_PAUSES_S) - 1)]
        attempt += 1
        if clock() + pause_s > deadline:
            raise InspectionFailed(f"no success within {timeout_s:.0f} s; last: {told}")
        pause(pause_s)


def _find_root_disk(context: Context) -> dict[str, object] | None:
    try:
        return context.choose_root_device().to_wire()
    except DeviceNotFound:
        return None


def _describe_managers() -> list[dict[str, str]]:
    return [{"name": name, "version": version} for name, version in current_versions().items()]
