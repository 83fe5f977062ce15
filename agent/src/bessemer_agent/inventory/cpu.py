"""The processors."""

from pathlib import Path
from typing import NamedTuple

from bessemer_agent.inventory.sysfs import read_int


class Cpu(NamedTuple):
    """All processors as one, which is how the service schedules them."""

    model_name: str
    #: MHz as text, e.g. "2600.000".
    frequency: str
    logical_count: int
    architecture: str
    flags: list[str]
    socket_count: int

    def to_wire(self) -> dict[str, object]:
        """As the inventory's ``cpu``."""
        fields = self._asdict()
        fields["count"] = fields.pop("logical_count")
        return fields


def read_cpu(root: Path = Path("/")) -> Cpu:
    """The processors of ``/proc/cpuinfo`` (x86 and arm64 spellings)."""
    import os

    first: dict[str, str] = {}
    count, sockets = 0, set()
    for line in (root / "proc/cpuinfo").read_text().splitlines():
        name, _, value = (part.strip() for part in line.partition(":"))
        first.setdefault(name, value)
        count += name == "processor"
        if name == "physical id":
            sockets.add(value)
    frequency = first.get("cpu MHz", "")
    most_khz = read_int(root / "sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq")
    if most_khz:
        frequency = f"{most_khz / 1000:.4f}"
    return Cpu(
        model_name=first.get("model name", ""),
        frequency=frequency,
        logical_count=count,
        architecture=os.uname().machine,
        flags=(first.get("flags") or first.get("Features") or "").split(),
        socket_count=len(sockets) or 1,
    )
