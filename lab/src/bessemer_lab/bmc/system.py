"""The computer system: power, boot override, summaries.

Source: DMTF ComputerSystem.v1_16_0.
"""

from dataclasses import replace

from bessemer_lab.bmc import message
from bessemer_lab.bmc.body import Parameters, read_choice, read_text, require_writable
from bessemer_lab.bmc.path import CHASSIS, MANAGER, SYSTEMS, SystemPath
from bessemer_lab.bmc.resource import NO_CONTENT, Answer, Json, Resource, collection, link
from bessemer_lab.boot import BootSetting, OverrideEnabled
from bessemer_lab.error import ResetRefused
from bessemer_lab.mainboard import Mainboard
from bessemer_lab.power import ResetType
from bessemer_lab.qemu import plan_serial
from bessemer_lab.spec import BootDevice, Firmware

_MODES = {Firmware.UEFI: "UEFI", Firmware.BIOS: "Legacy"}
_TARGETS = ["None", *BootDevice]
_LEDS = ["Lit", "Blinking", "Off"]
_BOOT_PROPERTIES = {"BootSourceOverrideTarget", "BootSourceOverrideEnabled", "BootSourceOverrideMode"}


class System:
    """The one system of a BMC."""

    def __init__(self, board: Mainboard) -> None:
        self._board = board
        self._path = SystemPath(board.uuid)
        self._reset_path = self._path.below("Actions", "ComputerSystem.Reset")

    def build(self) -> list[Resource]:
        return [
            collection(SYSTEMS, "ComputerSystemCollection", "Computer Systems", [self._path.system]),
            Resource(path=self._path.system, get=self._read, patch=self._write),
            Resource(path=self._reset_path, post=self._reset),
        ]

    def _read(self) -> Json:
        board = self._board
        return {
            "@odata.id": self._path.system,
            "@odata.type": "#ComputerSystem.v1_16_0.ComputerSystem",
            "Id": board.uuid,
            "Name": board.name,
            "UUID": board.uuid,
            "SystemType": "Physical",
            "Manufacturer": "Bessemer",
            "Model": "Virtual Server",
            "SerialNumber": plan_serial(board.spec),
            "AssetTag": board.asset_tag,
            "BiosVersion": "OVMF" if board.boot.firmware is Firmware.UEFI else "SeaBIOS",
            "IndicatorLED": board.indicator_led,
            "PowerState": board.power_state.value,
            "Status": self._read_status(),
            "Boot": self._read_boot(),
            **self._read_summaries(),
            **{
                name: link(self._path.below(name))
                for name in (
                    *("Bios", "SecureBoot", "Processors", "Memory"),
                    *("EthernetInterfaces", "Storage", "SimpleStorage"),
                )
            },
            "Links": {"Chassis": [link(CHASSIS)], "ManagedBy": [link(MANAGER)]},
            "Actions": {
                "#ComputerSystem.Reset": {
                    "target": self._reset_path,
                    "ResetType@Redfish.AllowableValues": [kind.value for kind in ResetType],
                }
            },
        }

    def _read_status(self) -> Json:
        health = "Critical" if self._board.last_error else "OK"
        return {"State": "Enabled", "Health": health, "HealthRollup": health}

    def _read_boot(self) -> Json:
        boot = self._board.boot
        return {
            "BootSourceOverrideEnabled": boot.enabled.value,
            "BootSourceOverrideEnabled@Redfish.AllowableValues": [value.value for value in OverrideEnabled],
            "BootSourceOverrideTarget": boot.target.value if boot.target else "None",
            "BootSourceOverrideTarget@Redfish.AllowableValues": [str(value) for value in _TARGETS],
            "BootSourceOverrideMode": _MODES[boot.firmware],
            "BootSourceOverrideMode@Redfish.AllowableValues": list(_MODES.values()),
        }

    def _read_summaries(self) -> Json:
        spec = self._board.spec
        memory_gib = spec.memory_mib / 1024
        return {
            "ProcessorSummary": {
                "Count": 1,
                "CoreCount": spec.processors,
                "LogicalProcessorCount": spec.processors,
                "Model": "QEMU Virtual CPU",
                "Status": {"State": "Enabled", "Health": "OK", "HealthRollup": "OK"},
            },
            "MemorySummary": {
                "TotalSystemMemoryGiB": int(memory_gib) if memory_gib.is_integer() else memory_gib,
                "Status": {"State": "Enabled", "Health": "OK", "HealthRollup": "OK"},
            },
        }

    async def _write(self, body: Json) -> Answer:
        require_writable(body, {"Boot", "IndicatorLED", "AssetTag"}, self._read())
        # look at everything before changing anything
        boot = self._plan_boot(body["Boot"]) if "Boot" in body else None
        led = read_choice(body, "IndicatorLED", _LEDS) if "IndicatorLED" in body else None
        tag = read_text(body, "AssetTag") if "AssetTag" in body else None
        if boot is not None:
            await self._board.set_boot(boot)
        if led is not None:
            self._board.set_indicator_led(led)
        if tag is not None:
            self._board.set_asset_tag(tag)
        return Answer(self._read())

    def _plan_boot(self, wanted: object) -> BootSetting:
        """The setting a PATCH of Boot asks for; what it does not name stays.

        A target alone means *Once*, as most BMCs take it.
        """
        if not isinstance(wanted, dict):
            raise message.property_wrong_type("Boot", wanted)
        require_writable(wanted, _BOOT_PROPERTIES, self._read_boot())
        boot = self._board.boot
        if "BootSourceOverrideMode" in wanted:
            mode = read_choice(wanted, "BootSourceOverrideMode", list(_MODES.values()))
            boot = replace(boot, firmware=next(key for key, value in _MODES.items() if value == mode))
        if "BootSourceOverrideTarget" in wanted:
            target = read_choice(wanted, "BootSourceOverrideTarget", _TARGETS)
            boot = replace(boot, target=None if target == "None" else BootDevice(target))
            if boot.enabled is OverrideEnabled.DISABLED:
                boot = replace(boot, enabled=OverrideEnabled.ONCE)
        if "BootSourceOverrideEnabled" in wanted:
            enabled = OverrideEnabled(read_choice(wanted, "BootSourceOverrideEnabled", list(OverrideEnabled)))
            boot = replace(boot, enabled=enabled)
            if boot.target is None and enabled is not OverrideEnabled.DISABLED and len(wanted) == 1:
                raise message.property_missing("BootSourceOverrideTarget")
        return boot

    async def _reset(self, body: Json) -> Answer:
        parameters = Parameters("ComputerSystem.Reset", body)
        parameters.require_known({"ResetType"})
        kind = ResetType(parameters.get_choice("ResetType", list(ResetType)))
        try:
            self._board.request_reset(kind)
        except ResetRefused as error:
            raise message.in_standby(str(error)) from error
        return NO_CONTENT
