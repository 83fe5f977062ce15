"""Firmware versions kept on the node."""

from collections.abc import Sequence
from typing import Any

from bessemer.domain.interface import InterfaceType
from bessemer.domain.step import HardwareStep, StepKind
from bessemer.hardware.fake.behaviour import Behaviour
from bessemer.hardware.interface import BareInterface, InProgress, JsonObject, Task
from bessemer.kernel.error import InvalidValue

FIRMWARE_KEY = "fake_firmware"

_FACTORY: dict[str, str] = {"bios": "1.0", "bmc": "2.0", "nic:1": "3.0"}
_ARGS: JsonObject = {
    "settings": {"description": "List of {component, url, wait?} to install.", "required": True}
}


class FakeFirmware(BareInterface):
    name = "fake"

    def __init__(self, behaviour: Behaviour) -> None:
        self._behaviour = behaviour

    def steps(self, kind: StepKind) -> Sequence[HardwareStep]:
        if kind is StepKind.VERIFY:
            return ()
        return (HardwareStep(interface=InterfaceType.FIRMWARE, step="update", argsinfo=_ARGS),)

    async def get_components(self, task: Task) -> Sequence[JsonObject]:
        await self._behaviour.call(task, InterfaceType.FIRMWARE, "get_components")
        flashed = task.node.driver_internal_info.get(FIRMWARE_KEY) or {}
        return [
            {
                "component": component,
                "initial_version": version,
                "current_version": flashed.get(component, version),
                "last_version_flashed": flashed.get(component),
            }
            for component, version in _FACTORY.items()
        ]

    async def execute(self, task: Task, step: HardwareStep) -> InProgress | None:
        """The version of a component becomes the last part of the URL it was updated from."""
        if step.step != "update":
            return await super().execute(task, step)
        updates = dict(_update(item) for item in step.args.get("settings") or ())
        if not updates:
            raise InvalidValue("A firmware update names at least one component.")
        old = task.node.driver_internal_info.get(FIRMWARE_KEY) or {}
        await task.remember(**{FIRMWARE_KEY: {**old, **updates}})
        return await self._behaviour.start_step(task, step)

    async def poll(self, task: Task, step: HardwareStep) -> InProgress | None:
        return self._behaviour.poll_step(task)


def _update(item: Any) -> tuple[str, str]:
    if not isinstance(item, dict) or not {"component", "url"} <= set(item) <= {"component", "url", "wait"}:
        raise InvalidValue(
            "Firmware settings are a list of objects with 'component', 'url' and maybe 'wait'."
        )
    component, url = str(item["component"]), str(item["url"])
    if component not in _FACTORY:
        raise InvalidValue(
            f"There is no firmware component '{component}'.", hint=f"There are: {', '.join(_FACTORY)}."
        )
    return component, url.rstrip("/").rpartition("/")[2]
