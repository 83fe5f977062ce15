"""BIOS settings kept on the node."""

from collections.abc import Sequence
from typing import Any

from bessemer.domain.interface import InterfaceType
from bessemer.domain.step import HardwareStep, StepKind
from bessemer.hardware.fake.behaviour import Behaviour
from bessemer.hardware.interface import BareInterface, InProgress, JsonObject, Task
from bessemer.kernel.error import InvalidValue

SETTINGS_KEY = "fake_bios"

_CHOICE: JsonObject = {
    "attribute_type": "Enumeration",
    "allowable_values": ["Enabled", "Disabled"],
    "read_only": False,
    "reset_required": True,
    "unique": False,
}
_FACTORY: dict[str, JsonObject] = {
    "HyperThreading": {**_CHOICE, "value": "Enabled"},
    "Virtualization": {**_CHOICE, "value": "Disabled"},
    "NumaNodesPerSocket": {
        "attribute_type": "Integer",
        "lower_bound": 1,
        "upper_bound": 8,
        "read_only": False,
        "reset_required": True,
        "unique": False,
        "value": "1",
    },
    "SerialNumber": {"attribute_type": "String", "read_only": True, "unique": True, "value": "FAKE-0001"},
}

_ARGS: JsonObject = {"settings": {"description": "List of {name, value} to set.", "required": True}}


class FakeBios(BareInterface):
    name = "fake"

    def __init__(self, behaviour: Behaviour) -> None:
        self._behaviour = behaviour

    def steps(self, kind: StepKind) -> Sequence[HardwareStep]:
        if kind is StepKind.VERIFY:
            return ()
        return (
            HardwareStep(
                interface=InterfaceType.BIOS,
                step="apply_configuration",
                argsinfo=_ARGS,
                requires_ramdisk=False,
            ),
            HardwareStep(interface=InterfaceType.BIOS, step="factory_reset", requires_ramdisk=False),
        )

    async def get_settings(self, task: Task) -> Sequence[JsonObject]:
        await self._behaviour.call(task, InterfaceType.BIOS, "get_settings")
        changed = task.node.driver_internal_info.get(SETTINGS_KEY) or {}
        return [
            {"name": name, **facts, "value": changed.get(name, facts["value"])}
            for name, facts in _FACTORY.items()
        ]

    async def execute(self, task: Task, step: HardwareStep) -> InProgress | None:
        """Raises InvalidValue for a setting that does not exist, is read-only or takes other values."""
        if step.step == "factory_reset":
            await task.remember(**{SETTINGS_KEY: None})
        elif step.step == "apply_configuration":
            changes = dict(_change(item) for item in step.args.get("settings") or ())
            old = task.node.driver_internal_info.get(SETTINGS_KEY) or {}
            await task.remember(**{SETTINGS_KEY: {**old, **changes}})
        else:
            return await super().execute(task, step)
        return await self._behaviour.start_step(task, step)

    async def poll(self, task: Task, step: HardwareStep) -> InProgress | None:
        return self._behaviour.poll_step(task)


def _change(item: Any) -> tuple[str, str]:
    if not isinstance(item, dict) or not {"name", "value"} <= set(item):
        raise InvalidValue("BIOS settings are a list of objects with 'name' and 'value'.")
    name, value = str(item["name"]), str(item["value"])
    facts = _FACTORY.get(name)
    if facts is None:
        raise InvalidValue(
            f"There is no BIOS setting '{name}'.", hint=f"There are: {', '.join(sorted(_FACTORY))}."
        )
    if facts["read_only"]:
        raise InvalidValue(f"BIOS setting '{name}' is read-only.")
    allowed = facts.get("allowable_values")
    if allowed is not None and value not in allowed:
        raise InvalidValue(
            f"BIOS setting '{name}' cannot be '{value}'.", hint=f"One of: {', '.join(allowed)}."
        )
    if facts["attribute_type"] == "Integer" and not _is_within(value, facts):
        raise InvalidValue(
            f"BIOS setting '{name}' cannot be '{value}'.",
            hint=f"A whole number from {facts['lower_bound']} to {facts['upper_bound']}.",
        )
    return name, value


def _is_within(value: str, facts: JsonObject) -> bool:
    return value.isdecimal() and int(facts["lower_bound"]) <= int(value) <= int(facts["upper_bound"])
