"""BIOS attributes, in effect and pending.

Source: DMTF Bios.v1_1_0; DSP0266, "Settings resource".
"""

from bessemer_lab.bios import ATTRIBUTES
from bessemer_lab.bmc import message
from bessemer_lab.bmc.body import read_choice, require_writable
from bessemer_lab.bmc.path import SystemPath
from bessemer_lab.bmc.resource import NO_CONTENT, Answer, Json, Resource, link
from bessemer_lab.mainboard import Mainboard


class Bios:
    """The attributes in effect, and the settings resource through which they are changed."""

    def __init__(self, board: Mainboard) -> None:
        self._board = board
        self._path = SystemPath(board.uuid).below("Bios")
        self._settings_path = f"{self._path}/Settings"
        self._reset_path = f"{self._path}/Actions/Bios.ResetBios"

    def build(self) -> list[Resource]:
        return [
            Resource(path=self._path, get=self._read),
            Resource(path=self._settings_path, get=self._read_settings, patch=self._write_settings),
            Resource(path=self._reset_path, post=self._reset),
        ]

    def _read(self) -> Json:
        return {
            "@odata.id": self._path,
            "@odata.type": "#Bios.v1_1_0.Bios",
            "Id": "Bios",
            "Name": "BIOS Configuration",
            "Attributes": self._board.bios_attributes,
            "@Redfish.Settings": {
                "@odata.type": "#Settings.v1_3_0.Settings",
                "SettingsObject": link(self._settings_path),
                "SupportedApplyTimes": ["OnReset"],
            },
            "Actions": {"#Bios.ResetBios": {"target": self._reset_path}},
        }

    def _read_settings(self) -> Json:
        return {
            "@odata.id": self._settings_path,
            "@odata.type": "#Bios.v1_1_0.Bios",
            "Id": "Settings",
            "Name": "BIOS Configuration, pending",
            "Attributes": self._board.pending_bios_attributes,
        }

    async def _write_settings(self, body: Json) -> Answer:
        require_writable(body, {"Attributes", "@Redfish.SettingsApplyTime"}, self._read_settings())
        attributes = body.get("Attributes")
        if not isinstance(attributes, dict):
            raise message.property_wrong_type("Attributes", attributes)
        require_writable(attributes, ATTRIBUTES, ATTRIBUTES)
        wanted = {name: read_choice(attributes, name, ATTRIBUTES[name]) for name in attributes}
        self._board.set_bios_attributes(wanted)
        return Answer(self._read_settings())

    async def _reset(self, _: Json) -> Answer:
        self._board.reset_bios()
        return NO_CONTENT
