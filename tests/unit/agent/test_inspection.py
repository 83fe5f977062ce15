"""The inspection report: what is in it, and who is asked to take it for how long."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from bessemer_agent.context import Context, Machine
from bessemer_agent.error import DeviceError, InspectionFailed
from bessemer_agent.http_client import HttpStatusError
from bessemer_agent.inspection import Answered, collect_report, send_report
from bessemer_agent.inventory.block_device import BlockDevice
from bessemer_agent.service_api import Reported
from bessemer_agent.settings import Settings
from unit.agent.device_maker import PLAIN
from unit.agent.fake_child import FakeChild
from unit.agent.test_inventory import machine

__all__ = ["machine"]

SMALL = PLAIN._replace(name="/dev/sdb", size=50 * 2**30)


def context(root: Path, *devices: BlockDevice, **settings: object) -> Context:
    given = Settings(**settings)  # type: ignore[arg-type]
    return Context(given, Machine(lambda: list(devices), run=FakeChild({"busybox": "x"}), root=str(root)))


def test_a_report_has_the_inventory_the_root_disk_and_the_boot_card(machine: Path) -> None:
    report = collect_report(context(machine, PLAIN, SMALL, boot_mac="01-aa-bb-cc-dd-ee-ff"))
    inventory = report["inventory"]
    assert isinstance(inventory, dict)
    assert [disk["name"] for disk in inventory["disks"]] == ["/dev/sda", "/dev/sdb"]
    assert inventory["cpu"]["count"] == 4
    assert isinstance(report["root_disk"], dict)
    assert report["root_disk"]["name"] == "/dev/sdb"
    assert (report["boot_interface"], report["error"]) == ("01-aa-bb-cc-dd-ee-ff", None)
    assert "logs" not in report


def test_logs_are_sent_where_they_are_asked_for(machine: Path) -> None:
    report = collect_report(context(machine, inspection_collectors="default, logs"))
    assert isinstance(report["logs"], str)
    assert report["root_disk"] is None


def test_a_machine_that_cannot_be_looked_at_is_told_with_the_reason(machine: Path) -> None:
    broken = context(machine)

    def fail() -> list[BlockDevice]:
        raise DeviceError("the controller hangs")

    broken.machine.list_devices = fail
    report = collect_report(broken)
    assert report["error"] == "DeviceError: the controller hangs"
    assert isinstance(report["inventory"], dict)
    assert report["inventory"]["interfaces"]


class Service:
    """Answers from a list; its last answer repeats."""

    def __init__(self, *answers: Reported | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, str | None]] = []

    def report_inspection(self, url: str, report: Mapping[str, object], node_uuid: str | None) -> Reported:
        self.asked.append((url, node_uuid))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def send(service: Service, pauses: list[float]) -> Answered:
    return send_report(
        service,  # type: ignore[arg-type]
        "http://s/v1/continue_inspection",
        {},
        "n1",
        timeout_s=100.0,
        pause=pauses.append,
        clock=lambda: sum(pauses),
    )


def test_a_refused_report_is_sent_again_with_growing_pauses() -> None:
    pauses: list[float] = []
    service = Service(
        HttpStatusError(404, "not yet"), ConnectionRefusedError("no"), HttpStatusError(409, "locked"),
        Reported("n1", None),
    )  # fmt: skip
    assert send(service, pauses) == Answered("n1", None)
    assert pauses == [1.0, 2.0, 5.0]
    assert service.asked == [("http://s/v1/continue_inspection", "n1")] * 4


def test_a_report_that_nobody_takes_is_given_up_with_the_last_answer() -> None:
    with pytest.raises(InspectionFailed, match="HTTP 404: not here"):
        send(Service(HttpStatusError(404, "not here")), [])
