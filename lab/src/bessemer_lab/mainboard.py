"""The mainboard of a virtual server: its power, its boot override, its virtual media and its settings."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

from bessemer_lab.bios import DEFAULT_ATTRIBUTES
from bessemer_lab.boot import BootSetting, OverrideEnabled, consume_override, plan_boot_order
from bessemer_lab.error import LabError, MediaRefused, PowerLost, ResetRefused
from bessemer_lab.firmware import remove_secure_nvram
from bessemer_lab.power import NEEDS_POWER, PowerState, ResetType
from bessemer_lab.record import MachineRecord, Media, save_record
from bessemer_lab.spec import Firmware, MachineSpec
from bessemer_lab.vm import VirtualMachine, VmEvent, VmSetup

_log = logging.getLogger(__name__)

Job = Callable[[], Coroutine[Any, Any, None]]
#: Told that the machine has gone to a power state, or was reset while it was on.
Watcher = Callable[[PowerState], None]


class Mainboard:
    """What a BMC controls, on top of a ``VirtualMachine``.

    Power is changed in the background and in the order of the requests, as a BMC does it: ``request_reset``
    returns at once and ``power_state`` tells the truth at any time. Everything in the record survives the
    process; power does not, a machine begins without.
    """

    def __init__(self, spec: MachineSpec, record: MachineRecord, directory: Path, vm: VirtualMachine) -> None:
        """``spec`` must be resolved. Call ``open`` before anything else."""
        self.spec = spec
        self.directory = directory
        self._record = record
        self._vm = vm
        self._vm.listen(self._on_event)
        self._lock = asyncio.Lock()
        self._jobs: asyncio.Queue[Job] = asyncio.Queue()
        self._worker: asyncio.Task[None] | None = None
        self._power = PowerState.OFF
        self._power_changed = asyncio.Event()
        self._running_firmware: Firmware | None = None
        self._is_secure_boot_running = False
        self._has_restart_pending = False
        self._watcher: Watcher = _ignore
        self.last_error = ""

    @property
    def name(self) -> str:
        return self.spec.name

    @property
    def uuid(self) -> str:
        return self._record.uuid

    @property
    def power_state(self) -> PowerState:
        return self._power

    @property
    def boot(self) -> BootSetting:
        return self._record.boot

    @property
    def media(self) -> Media | None:
        return self._record.media

    @property
    def media_directory(self) -> Path:
        """Where images for the CD drive are to be put before they are inserted."""
        return self.directory / "media"

    @property
    def indicator_led(self) -> str:
        return self._record.indicator_led

    @property
    def asset_tag(self) -> str:
        return self._record.asset_tag

    @property
    def bios_attributes(self) -> dict[str, str]:
        """The attributes in effect."""
        return DEFAULT_ATTRIBUTES | self._record.bios

    @property
    def pending_bios_attributes(self) -> dict[str, str]:
        """The attributes that will be in effect after the next boot."""
        return self.bios_attributes | self._record.pending_bios

    @property
    def is_secure_boot_enabled(self) -> bool:
        """Whether Secure Boot will be enforced from the next power-on."""
        return self._record.is_secure_boot

    @property
    def is_secure_boot_running(self) -> bool:
        return self._is_secure_boot_running

    @property
    def is_setup_mode(self) -> bool:
        return self._record.is_setup_mode

    def open(self) -> None:
        """Begin to carry out power requests."""
        self.media_directory.mkdir(exist_ok=True)
        self._worker = asyncio.create_task(self._run_jobs(), name=f"{self.name} power")

    def watch(self, watcher: Watcher) -> None:
        """Name the one who is told of changes of power; a reset is told as ``ON`` again."""
        self._watcher = watcher

    async def close(self) -> None:
        """Take the power away and end. Idempotent."""
        if self._worker is not None:
            self._worker.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._worker
            self._worker = None
        async with self._lock:
            await self._vm.stop()

    def request_reset(self, kind: ResetType) -> None:
        """Ask for a change of power and return at once.

        Raises:
            ResetRefused: The machine has no power and the request needs it.

        Source: DMTF DSP0266, ComputerSystem.Reset.
        """
        if kind in NEEDS_POWER and self._power is PowerState.OFF and self._jobs.empty():
            raise ResetRefused(f"{self.name} is off: {kind} needs a machine that is on")
        self._jobs.put_nowait(lambda: self._reset(kind))

    async def wait_for_power(self, state: PowerState, *, timeout_s: float) -> None:
        """Wait until the machine is in ``state``.

        Raises:
            LabError: It was not in time; the message has the reason when QEMU gave one.
        """
        try:
            async with asyncio.timeout(timeout_s):
                while self._power is not state:
                    await self._power_changed.wait()
        except TimeoutError:
            raise LabError(
                f"{self.name} is not {state} after {timeout_s:g} s. {self.last_error}".rstrip()
            ) from None

    async def set_boot(self, setting: BootSetting) -> None:
        """Set the boot override; it counts for the next boot, whoever causes it. Idempotent.

        Another firmware (boot mode) counts from the next power-on, or reset by the BMC.
        """
        if setting.enabled is OverrideEnabled.DISABLED or setting.target is None:
            setting = replace(setting, enabled=OverrideEnabled.DISABLED, target=None)
        async with self._lock:
            with contextlib.suppress(PowerLost):
                await self._vm.set_boot_order(plan_boot_order(setting, self.spec.boot_order))
            self._record.boot = setting
            self.save()

    async def insert_media(self, media: Media) -> None:
        """Put an image, already in ``media_directory``, in the CD drive.

        Raises:
            MediaRefused: The drive holds another one.
        """
        async with self._lock:
            if self._record.media is not None:
                raise MediaRefused(f"the drive of {self.name} holds {self._record.media.url}")
            with contextlib.suppress(PowerLost):
                await self._vm.change_medium(Path(media.path))
            self._record.media = media
            self.save()

    async def eject_media(self) -> None:
        """Empty the CD drive, even when the guest has locked it, and forget the image. Idempotent."""
        async with self._lock:
            with contextlib.suppress(PowerLost):
                await self._vm.change_medium(None)
            self._forget_media()

    def set_indicator_led(self, state: str) -> None:
        self._record.indicator_led = state
        self.save()

    def set_asset_tag(self, text: str) -> None:
        self._record.asset_tag = text
        self.save()

    def set_bios_attributes(self, attributes: dict[str, str]) -> None:
        """Change BIOS attributes from the next boot on; those not named stay."""
        self._record.pending_bios.update(attributes)
        self.save()

    def reset_bios(self) -> None:
        """Return every BIOS attribute to its default at the next boot."""
        self._record.pending_bios = dict(DEFAULT_ATTRIBUTES)
        self.save()

    def set_secure_boot(self, *, is_enabled: bool) -> None:
        """Enforce Secure Boot, or not, from the next power-on."""
        self._record.is_secure_boot = is_enabled
        self.save()

    def reset_secure_boot_keys(self, *, is_setup_mode: bool) -> None:
        """From the next power-on have the default keys, or none at all (setup mode)."""
        remove_secure_nvram(self.directory)
        self._record.is_setup_mode = is_setup_mode
        self.save()

    def save(self) -> None:
        save_record(self._record, self.directory / "machine.json")

    async def _run_jobs(self) -> None:
        while True:
            job = await self._jobs.get()
            try:
                async with self._lock:
                    await job()
            except LabError as error:
                self.last_error = str(error)
                _log.warning("a power change failed: %s", error, extra={"machine": self.name})
            except Exception:  # noqa: BLE001  the top edge of the worker: one failed job must not end the machine
                self.last_error = "an internal error; see the log"
                _log.exception("a power change failed", extra={"machine": self.name})

    async def _reset(self, kind: ResetType) -> None:
        self._has_restart_pending = False
        is_on = self._power is PowerState.ON
        match kind:
            case ResetType.ON:
                await self._start()
            case ResetType.FORCE_OFF:
                await self._vm.stop()
            case ResetType.POWER_CYCLE:
                await self._vm.stop()
                await self._start()
            case ResetType.FORCE_RESTART if is_on:
                await self._restart()
            case ResetType.NMI if is_on:
                await self._vm.inject_nmi()
            case ResetType.PUSH_POWER_BUTTON if not is_on:
                await self._start()
            case ResetType.GRACEFUL_SHUTDOWN | ResetType.GRACEFUL_RESTART | ResetType.PUSH_POWER_BUTTON if (
                is_on
            ):
                self._has_restart_pending = kind is ResetType.GRACEFUL_RESTART
                await self._vm.press_power_button()

    async def _start(self) -> None:
        if self._power is PowerState.ON:
            return
        self._apply_settings()
        boot = self._record.boot
        media = self._record.media
        is_secure = boot.firmware is Firmware.UEFI and self._record.is_secure_boot
        await self._vm.start(
            VmSetup(
                firmware=boot.firmware,
                is_secure_boot=is_secure,
                is_setup_mode=self._record.is_setup_mode,
                boot_order=plan_boot_order(boot, self.spec.boot_order),
                medium=Path(media.path) if media is not None else None,
            )
        )
        self._running_firmware = boot.firmware
        self._is_secure_boot_running = is_secure
        self.last_error = ""
        self._set_power(PowerState.ON)
        await self._begin_boot()

    async def _restart(self) -> None:
        """Reset a running machine; with another firmware that takes a new start."""
        boot = self._record.boot
        is_secure = boot.firmware is Firmware.UEFI and self._record.is_secure_boot
        if boot.firmware is self._running_firmware and is_secure is self._is_secure_boot_running:
            await self._vm.reset()
        else:
            await self._vm.stop()
            await self._start()

    def _apply_settings(self) -> None:
        self._record.bios = self.pending_bios_attributes
        self._record.pending_bios = {}

    async def _begin_boot(self) -> None:
        """A boot has begun: use up a *Once* override and arm the order of the boot after it."""
        self._record.boot = consume_override(self._record.boot)
        self.save()
        await self._arm_next_boot()

    async def _arm_next_boot(self) -> None:
        # a machine that lost its power meanwhile is given the order when it starts
        with contextlib.suppress(PowerLost):
            await self._vm.set_boot_order(plan_boot_order(self._record.boot, self.spec.boot_order))

    def _on_event(self, event: VmEvent) -> None:
        match event:
            case VmEvent.RESET:
                # at once, not in the job: an override set after this reset must not be used up by it
                self._record.boot = consume_override(self._record.boot)
                self._apply_settings()
                self.save()
                self._jobs.put_nowait(self._arm_next_boot)
                self._watcher(PowerState.ON)
            case VmEvent.STOPPED:
                self._set_power(PowerState.OFF)
                self._running_firmware = None
                self._is_secure_boot_running = False
                if self._has_restart_pending:
                    self._has_restart_pending = False
                    self._jobs.put_nowait(self._start)
            case VmEvent.EJECTED:
                self._jobs.put_nowait(self._follow_ejection)

    async def _follow_ejection(self) -> None:
        """The guest ejected the medium: take it away, so that the next boot finds a closed, empty drive."""
        if self._record.media is not None:
            with contextlib.suppress(PowerLost):
                await self._vm.change_medium(None)
            self._forget_media()

    def _forget_media(self) -> None:
        media, self._record.media = self._record.media, None
        self.save()
        if media is not None:
            Path(media.path).unlink(missing_ok=True)

    def _set_power(self, state: PowerState) -> None:
        if state is self._power:
            return
        self._power = state
        self._power_changed.set()
        self._power_changed = asyncio.Event()
        self._watcher(state)


def _ignore(_: PowerState) -> None:
    return None
