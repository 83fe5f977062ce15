"""Processor. Source: https://redfish.dmtf.org/schemas/v1/Processor.json"""

from dataclasses import dataclass

from bessemer.hardware.redfish.resource import Resource, each, read_members_if_any
from bessemer.hardware.redfish.system import ComputerSystem

#: Names that Linux gives to what Redfish calls InstructionSet.
_ARCHITECTURES = {
    "x86": "i686",
    "x86-64": "x86_64",
    "ARM-A32": "armv7l",
    "ARM-A64": "aarch64",
    "IA-64": "ia64",
    "MIPS32": "mips",
    "MIPS64": "mips64",
    "PowerISA": "ppc64le",
    "RV32": "riscv32",
    "RV64": "riscv64",
}


@dataclass(frozen=True, slots=True)
class Processors:
    """``count`` is what an operating system would see: logical processors of all sockets."""

    count: int | None = None
    architecture: str | None = None
    model: str | None = None
    frequency_mhz: int | None = None


async def read_processors(system: ComputerSystem) -> Processors:
    every = await read_members_if_any(system.bmc, system.resource.find_link("Processors"))
    cpus = [cpu for cpu in every if _is_cpu(cpu)]
    sets = [_ARCHITECTURES.get(name) for name in each(cpus, "InstructionSet")]
    speeds = [speed for cpu in cpus if (speed := cpu.find(int, "MaxSpeedMHz"))]
    return Processors(
        count=_count(system, cpus),
        architecture=next((name for name in sets if name), None),
        model=next(each(cpus, "Model"), None) or system.resource.find(str, "ProcessorSummary", "Model"),
        frequency_mhz=max(speeds, default=None),
    )


def _is_cpu(processor: Resource) -> bool:
    is_absent = processor.find(str, "Status", "State") == "Absent"
    return not is_absent and processor.find(str, "ProcessorType") in (None, "CPU")


def _count(system: ComputerSystem, cpus: list[Resource]) -> int | None:
    """Logical processors: as summed up by the BMC, else threads or cores of each, else sockets."""
    stated = system.resource.find(int, "ProcessorSummary", "LogicalProcessorCount")
    if stated:
        return stated
    for name in ("TotalThreads", "TotalCores"):
        numbers = [cpu.find(int, name) for cpu in cpus]
        if numbers and all(numbers):
            return sum(number for number in numbers if number)
    return system.resource.find(int, "ProcessorSummary", "Count") or len(cpus) or None
