"""A lab: a directory of virtual machines with their BMCs, alive while the lab is open."""

import fcntl
import json
import secrets
import shutil
import tempfile
import uuid
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

from bessemer_lab.bmc import Bmc
from bessemer_lab.bmc.certificate import ensure_certificate
from bessemer_lab.boot import BootSetting
from bessemer_lab.console import Console, ConsoleRelay
from bessemer_lab.disk import ensure_disk
from bessemer_lab.error import InvalidSpec, LabBusy
from bessemer_lab.machine import Machine
from bessemer_lab.mainboard import Mainboard
from bessemer_lab.port import PortReservation
from bessemer_lab.qemu_vm import QemuVm
from bessemer_lab.record import MachineRecord, find_record, write_private
from bessemer_lab.simulated import SimulatedVm
from bessemer_lab.spec import MachineSpec
from bessemer_lab.vm import VirtualMachine

#: The address of a UNIX socket has at most 107 bytes.
_SOCKET_PATH_LIMIT = 107
USERNAME = "admin"


class Lab:
    """Virtual bare metal in one directory.

    ``async with Lab(directory) as lab: machine = await lab.add(MachineSpec(name="node-0"))``

    Disks, NVRAM, BMC settings, ports and credentials are kept in the directory and found again by the next
    lab there; power is not: every machine begins off, and all of them end with the lab.
    """

    def __init__(self, directory: Path, *, password: str | None = None) -> None:
        """``password`` of the BMCs' account ``admin``; a random one, kept in the directory, when None."""
        self.directory = directory.resolve()
        self._password = password
        self._stack = AsyncExitStack()
        self._machines: dict[str, Machine] = {}
        self._lock_file: TextIO | None = None

    @property
    def machines(self) -> tuple[Machine, ...]:
        """Those added so far, in order."""
        return tuple(self._machines.values())

    async def __aenter__(self) -> "Lab":
        """Take the directory.

        Raises:
            LabBusy: Another lab is open in it.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        self._lock_file = self._stack.enter_context((self.directory / "lab.lock").open("w"))
        try:
            fcntl.flock(self._lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            await self._stack.aclose()
            raise LabBusy(f"another lab is running in {self.directory}") from None
        self._password = self._password or self._load_password()
        self._certificate, self._key = ensure_certificate(self.directory)
        self._write_index()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop every BMC and end every machine."""
        await self._stack.aclose()
        self._machines.clear()

    async def add(self, spec: MachineSpec, *, simulated: bool = False) -> Machine:
        """Add a machine and start its BMC; the machine is off.

        A machine that was in the directory before keeps its disks, identity and BMC settings. A
        ``simulated`` one has everything but a guest: its BMC answers, nothing boots.

        Raises:
            InvalidSpec: The description cannot be built, or does not fit what is in the directory.
            MissingPackage: A program or firmware the machine needs is not installed.
        """
        spec.validate()
        if spec.name in self._machines:
            raise InvalidSpec(f"there is a machine {spec.name!r} already")
        place = self.directory / "machines" / spec.name
        place.mkdir(parents=True, exist_ok=True)
        record = self._find_record(spec, place)
        spec = spec.resolve(record.uuid)
        record.bmc_port = self._reserve(record.bmc_port)
        record.agent_port = self._reserve(record.agent_port)
        console = Console(place / "console.log", self._choose_socket(place))
        console.log_path.touch()
        if spec.has_tcp_console:
            record.console_port = self._reserve(record.console_port)
            await self._open_relay(console, record.console_port)
        vm: VirtualMachine = SimulatedVm()
        if not simulated:
            for number, disk in enumerate(spec.disks):
                await ensure_disk(disk, place / f"disk{number}.qcow2")
            vm = QemuVm(spec, place, agent_port=record.agent_port, console_socket=console.socket_path)
        machine = await self._open(Mainboard(spec, record, place, vm), vm, console, record)
        self._machines[spec.name] = machine
        self._write_index()
        return machine

    async def wait_for_console(self, machine: Machine, text: str, timeout_s: float, since: int = 0) -> str:
        """Wait until a machine has written ``text`` after the offset ``since``; return the whole line.

        Raises:
            ConsoleTimeout: It has not in time; the message ends with what the machine did write.
        """
        return (await machine.console.wait_for(text, timeout_s=timeout_s, since=since)).text

    async def _open(
        self, board: Mainboard, vm: VirtualMachine, console: Console, record: MachineRecord
    ) -> Machine:
        assert self._password is not None  # noqa: S101 - set when the lab was opened
        board.save()
        board.open()
        self._stack.push_async_callback(board.close)
        bmc = Bmc(board, username=USERNAME, password=self._password, port=record.bmc_port)
        await bmc.open(self._certificate, self._key)
        self._stack.push_async_callback(bmc.close)
        return Machine(
            spec=board.spec,
            board=board,
            vm=vm,
            bmc=bmc,
            console=console,
            bmc_url=f"https://127.0.0.1:{record.bmc_port}",
            username=USERNAME,
            password=self._password,
            certificate_path=self._certificate,
            agent_port=record.agent_port,
            console_port=record.console_port if board.spec.has_tcp_console else 0,
        )

    async def _open_relay(self, console: Console, port: int) -> None:
        relay = ConsoleRelay(console, port)
        await relay.open()
        self._stack.push_async_callback(relay.close)

    def _find_record(self, spec: MachineSpec, place: Path) -> MachineRecord:
        record = find_record(place / "machine.json")
        if record is None:
            return MachineRecord(
                uuid=spec.uuid or str(uuid.uuid4()), boot=BootSetting(firmware=spec.firmware)
            )
        if spec.uuid not in (None, record.uuid):
            raise InvalidSpec(f"machine {spec.name!r} has the UUID {record.uuid} in {place}, not {spec.uuid}")
        return record

    def _reserve(self, wanted: int) -> int:
        reservation = PortReservation(wanted)
        self._stack.callback(reservation.close)
        return reservation.port

    def _choose_socket(self, place: Path) -> Path:
        path = place / "console.sock"
        if len(str(path).encode()) <= _SOCKET_PATH_LIMIT:
            return path
        short = Path(tempfile.mkdtemp(prefix="bessemer-lab-"))
        self._stack.callback(shutil.rmtree, short, ignore_errors=True)
        return short / "console.sock"

    def _load_password(self) -> str:
        path = self.directory / "password"
        if not path.exists():
            write_private(path, secrets.token_urlsafe(12) + "\n")
        return path.read_text().strip()

    def _write_index(self) -> None:
        """Keep lab.json: what other programs need to reach the machines."""
        machines = [describe(machine) for machine in self.machines]
        write_private(self.directory / "lab.json", json.dumps({"machines": machines}, indent=1) + "\n")


def describe(machine: Machine) -> dict[str, Any]:
    """How to reach a machine, as JSON; the BMC's password included."""
    return {
        "name": machine.name,
        "uuid": machine.uuid,
        "bmc_url": machine.bmc_url,
        "system_path": machine.system_path,
        "username": machine.username,
        "password": machine.password,
        "certificate": str(machine.certificate_path),
        "macs": list(machine.macs),
        "console_log": str(machine.console_path),
        "console_socket": str(machine.console_socket),
        "console_port": machine.console_port or None,
        "agent_port": machine.agent_port,
        "guest_gateway": machine.guest_gateway,
    }
