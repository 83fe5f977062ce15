"""One simulated server: what is true of it at the moment, and how it gets from one state to the next."""

import asyncio
import ipaddress
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from bessemer_lab.bmc.event_service import EventService
from bessemer_lab.bmc.path import SYSTEMS
from bessemer_lab.power import NEEDS_POWER, PowerState, ResetType

#: Path of the one system.
SYSTEM = f"{SYSTEMS}/1"

_FIRST_ADDRESS = ipaddress.IPv4Address("127.1.0.1")
_NAMESPACE = uuid.UUID("6f1c2f0e-6c0e-4df5-9f0a-2f1f6a2b7f10")


@dataclass(frozen=True, slots=True)
class Pace:
    """How long things take, in seconds."""

    #: From a call to a BMC to its answer.
    answer_s: float = 0.05
    #: From a change of power to its effect.
    power_s: float = 0.5
    #: From power to the ramdisk's first call.
    boot_s: float = 2.0
    #: Work of the agent that takes time: a step, an image write, a boot loader.
    command_s: float = 1.0


@dataclass(slots=True)
class ImageWrite:
    """An image written to the disk. ``finished_at`` is None until it is whole: the machine may lose power."""

    command_id: str
    image: str
    checksum: str
    began_at: float
    finished_at: float | None = None

    def finish(self) -> None:
        self.finished_at = time.time()


class SimulatedServer:
    """``boots`` is called when the machine has come up from its virtual CD, ``dies`` when it has gone down or
    is reset."""

    def __init__(self, number: int, pace: Pace, boots: "React", dies: "React") -> None:
        self.number = number
        self.pace = pace
        self.boots = boots
        self.dies = dies
        self.address = address_of(number)
        self.uuid = str(uuid.uuid5(_NAMESPACE, str(number)))
        self.mac = "52:54:" + ":".join(f"{byte:02x}" for byte in number.to_bytes(4, "big"))
        self.power = PowerState.OFF
        self.health = "OK"
        self.boot_target, self.boot_enabled, self.boot_mode = "None", "Disabled", "UEFI"
        #: URL of the image in the virtual CD drive.
        self.medium: str | None = None
        #: Sessions that are open at the BMC: their names by token.
        self.tokens: dict[str, str] = {}
        #: Tells of changes of power; None where the BMC has none.
        self.events: EventService | None = None
        self.writes: list[ImageWrite] = []
        #: Whether what it runs now is what was written to its disk.
        self.has_instance = False
        self.calls = 0
        self.count_boots = 0
        self._change: asyncio.TimerHandle | None = None

    def may_reset(self, kind: ResetType) -> bool:
        return self.power is PowerState.ON or kind not in NEEDS_POWER

    def reset(self, kind: ResetType) -> None:
        """Begin a change of power; it takes effect ``power_s`` later, in place of one that was under way."""
        if kind is ResetType.NMI:
            return
        is_off = kind in (ResetType.FORCE_OFF, ResetType.GRACEFUL_SHUTDOWN) or (
            kind is ResetType.PUSH_POWER_BUTTON and self.power is PowerState.ON
        )
        if kind is ResetType.ON and self.power is PowerState.ON and self._change is None:
            return
        self._later(self.go_down if is_off else self._come_up)

    def go_down(self) -> None:
        """Lose power now: switched off, or by the ramdisk itself."""
        self._settle()
        was_on, self.power = self.power is PowerState.ON, PowerState.OFF
        self.has_instance = False
        self.dies(self)
        if was_on and self.events is not None:
            self.events.tell_power(PowerState.OFF, SYSTEM)

    def restart_bmc(self) -> None:
        """The BMC, not the machine, starts anew: sessions and subscriptions are gone."""
        self.tokens = {}
        if self.events is not None:
            self.events.forget()

    def close(self) -> None:
        self._settle()
        self.dies(self)

    def _come_up(self) -> None:
        self._settle()
        self.dies(self)
        self._tell_start(was_on=self.power is PowerState.ON)
        self.power = PowerState.ON
        self.count_boots += 1
        is_overridden = self.boot_enabled != "Disabled"
        target = self.boot_target
        if self.boot_enabled == "Once":
            self.boot_enabled, self.boot_target = "Disabled", "None"
        if is_overridden and target == "Cd" and self.medium:
            self.has_instance = False
            self.boots(self)
        else:
            self.has_instance = bool(self.writes) and self.writes[-1].finished_at is not None

    def _tell_start(self, *, was_on: bool) -> None:
        if self.events is None:
            return
        if was_on:
            self.events.tell_reset(SYSTEM)
        else:
            self.events.tell_power(PowerState.ON, SYSTEM)

    def _later(self, change: Callable[[], None]) -> None:
        self._settle()
        self._change = asyncio.get_running_loop().call_later(self.pace.power_s, change)

    def _settle(self) -> None:
        if self._change is not None:
            self._change.cancel()
            self._change = None

    def begin_write(self, command_id: str, image: str, checksum: str) -> ImageWrite:
        """The disk holds nothing whole from now on."""
        write = ImageWrite(command_id, image, checksum, time.time())
        self.writes.append(write)
        return write

    def describe(self) -> dict[str, object]:
        """As JSON, for tests in other processes."""
        return {
            "number": self.number,
            "uuid": self.uuid,
            "address": self.address,
            "mac": self.mac,
            "power": self.power.value,
            "has_instance": self.has_instance,
            "boots": self.count_boots,
            "sessions": len(self.tokens),
            "subscriptions": len(self.events.subscriptions) if self.events else 0,
            "calls": self.calls,
            "writes": [
                {
                    "image": write.image,
                    "checksum": write.checksum,
                    "began_at": write.began_at,
                    "finished_at": write.finished_at,
                }
                for write in self.writes
            ],
        }


React = Callable[[SimulatedServer], None]


def address_of(number: int) -> str:
    return str(_FIRST_ADDRESS + number)


def number_of(address: str) -> int:
    """The server at an address of 127.0.0.0/8; negative for addresses before the first server's."""
    return int(ipaddress.IPv4Address(address)) - int(_FIRST_ADDRESS)
