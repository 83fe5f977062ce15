"""A virtual machine run by QEMU and driven over QMP."""

import asyncio
import contextlib
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bessemer_lab.error import MissingPackage, PowerLost, VmError
from bessemer_lab.firmware import choose_uefi, ensure_nvram
from bessemer_lab.qemu import CD_ID, plan_boot_index, plan_command_line
from bessemer_lab.qmp import QmpClient, QmpError
from bessemer_lab.spec import BootDevice, Firmware, MachineSpec
from bessemer_lab.vm import VmEvent, VmListener, VmSetup

_START_TIMEOUT_S = 30.0
_STOP_TIMEOUT_S = 15.0


class QemuVm:
    """One QEMU process while the machine has power, none while it has not. A ``VirtualMachine``.

    QEMU is told to end when this process dies (PR_SET_PDEATHSIG), so no machine outlives its lab.
    """

    def __init__(self, spec: MachineSpec, directory: Path, *, agent_port: int, console_socket: Path) -> None:
        self._spec = spec
        self._directory = directory
        self._agent_port = agent_port
        self._console_socket = console_socket
        self._listener: VmListener = lambda _: None
        self._process: asyncio.subprocess.Process | None = None
        self._qmp: QmpClient | None = None
        self._watcher: asyncio.Task[None] | None = None
        self._has_reset = asyncio.Event()
        self._is_changing_medium = False

    @property
    def pid(self) -> int | None:
        """The process of a machine that has power."""
        return self._process.pid if self._process is not None else None

    def listen(self, listener: VmListener) -> None:
        self._listener = listener

    async def start(self, setup: VmSetup) -> None:
        if self._process is not None:
            raise VmError(f"{self._spec.name} is running already")
        ours, theirs = socket.socketpair()
        try:
            self._process = await self._spawn(setup, theirs)
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        try:
            self._qmp = await QmpClient.connect(ours, self._on_event, timeout_s=_START_TIMEOUT_S)
            if setup.medium is not None:
                await self._load_medium(setup.medium)
            for number, nic in enumerate(self._spec.nics):
                if not nic.is_connected:
                    await self._qmp.execute("set_link", name=f"nic{number}", up=False)
            await self._qmp.execute("cont")
        except BaseException as error:
            await self._end()
            if isinstance(error, VmError):
                raise VmError(
                    f"{self._spec.name} did not start: {error}. {self._read_complaint()}"
                ) from error
            raise
        self._watcher = asyncio.create_task(self._watch(self._process), name=f"{self._spec.name} watcher")

    async def stop(self) -> None:
        await self._end()

    async def reset(self) -> None:
        self._has_reset.clear()
        await self._monitor().execute("system_reset")
        try:
            async with asyncio.timeout(_STOP_TIMEOUT_S):
                await self._has_reset.wait()
        except TimeoutError:
            raise VmError(f"{self._spec.name} was not reset within {_STOP_TIMEOUT_S:g} s") from None

    async def press_power_button(self) -> None:
        await self._monitor().execute("system_powerdown")

    async def inject_nmi(self) -> None:
        await self._monitor().execute("inject-nmi")

    async def set_boot_order(self, order: Sequence[BootDevice]) -> None:
        indexes = plan_boot_index(self._spec, order)
        # first make room: two devices must never hold the same index
        for device in indexes:
            await self._set_boot_index(device, -1)
        for device, index in indexes.items():
            if index >= 0:
                await self._set_boot_index(device, index)

    async def change_medium(self, image: Path | None) -> None:
        if image is None:
            await self._empty_drive()
        else:
            await self._load_medium(image)

    async def _set_boot_index(self, device: str, index: int) -> None:
        await self._monitor().execute(
            "qom-set", path=f"/machine/peripheral/{device}", property="bootindex", value=index
        )

    async def _load_medium(self, image: Path) -> None:
        self._is_changing_medium = True
        try:
            await self._monitor().execute(
                "blockdev-change-medium",
                id=CD_ID,
                filename=str(image),
                format="raw",
                read_only_mode="read-only",
                force=True,
            )
        finally:
            self._is_changing_medium = False

    async def _empty_drive(self) -> None:
        self._is_changing_medium = True
        try:
            await self._monitor().execute("eject", id=CD_ID, force=True)
            with contextlib.suppress(QmpError):  # an open tray without a medium is what was wanted
                await self._monitor().execute("blockdev-close-tray", id=CD_ID)
        finally:
            self._is_changing_medium = False

    async def _spawn(self, setup: VmSetup, monitor: socket.socket) -> asyncio.subprocess.Process:
        uefi = None
        if setup.firmware is Firmware.UEFI:
            firmware = choose_uefi(is_secure_boot=setup.is_secure_boot, is_setup_mode=setup.is_setup_mode)
            uefi = (firmware, ensure_nvram(firmware, self._directory))
        arguments = plan_command_line(
            self._spec,
            uefi=uefi,
            boot_order=setup.boot_order,
            agent_port=self._agent_port,
            monitor_fd=monitor.fileno(),
            console_socket=self._console_socket,
        )
        with (self._directory / "qemu.log").open("wb") as log:
            try:
                return await asyncio.create_subprocess_exec(
                    *arguments,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    cwd=self._directory,
                    pass_fds=(monitor.fileno(),),
                    start_new_session=True,  # a terminal's Ctrl-C is for the lab, which ends machines itself
                )
            except FileNotFoundError:
                raise MissingPackage("setpriv is not installed: install the package util-linux") from None

    async def _watch(self, process: asyncio.subprocess.Process) -> None:
        """Notice the end of the process, whoever brought it about."""
        await process.wait()
        self._watcher = None
        await self._forget()

    async def _end(self) -> None:
        """Make sure that the process is gone, by force if it must be."""
        process = self._process
        if process is None:
            return
        if self._watcher is not None:
            self._watcher.cancel()
            self._watcher = None
        try:
            with contextlib.suppress(ProcessLookupError):
                # a clean end: killing QEMU would lose qcow2 metadata it still holds
                process.terminate()
            async with asyncio.timeout(_STOP_TIMEOUT_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
        await self._forget()

    async def _forget(self) -> None:
        if self._process is None:
            return
        self._process = None
        qmp, self._qmp = self._qmp, None
        if qmp is not None:
            await qmp.close()
        self._listener(VmEvent.STOPPED)

    def _monitor(self) -> QmpClient:
        if self._qmp is None:
            raise PowerLost(f"{self._spec.name} has no power")
        return self._qmp

    def _on_event(self, name: str, data: dict[str, Any]) -> None:
        if name == "RESET":
            self._has_reset.set()
            self._listener(VmEvent.RESET)
        elif name == "DEVICE_TRAY_MOVED" and data.get("tray-open") and not self._is_changing_medium:
            self._listener(VmEvent.EJECTED)

    def _read_complaint(self) -> str:
        """The last lines QEMU wrote, which say why it did not start."""
        text = (self._directory / "qemu.log").read_text(errors="replace").strip()
        return "\n".join(text.splitlines()[-5:])
