"""UEFI Secure Boot.

Source: DMTF SecureBoot.v1_1_0.
"""

from bessemer_lab.bmc.body import Parameters, read_flag, require_writable
from bessemer_lab.bmc.path import SystemPath
from bessemer_lab.bmc.resource import NO_CONTENT, Answer, Json, Resource
from bessemer_lab.mainboard import Mainboard

_ALL_TO_DEFAULT = "ResetAllKeysToDefault"
_DELETE_ALL = "DeleteAllKeys"


class SecureBoot:
    """Whether it is enforced from the next power-on, and with which keys."""

    def __init__(self, board: Mainboard) -> None:
        self._board = board
        self._path = SystemPath(board.uuid).below("SecureBoot")
        self._reset_path = f"{self._path}/Actions/SecureBoot.ResetKeys"

    def build(self) -> list[Resource]:
        return [
            Resource(path=self._path, get=self._read, patch=self._write),
            Resource(path=self._reset_path, post=self._reset_keys),
        ]

    def _read(self) -> Json:
        board = self._board
        is_enforced = board.is_secure_boot_running and not board.is_setup_mode
        return {
            "@odata.id": self._path,
            "@odata.type": "#SecureBoot.v1_1_0.SecureBoot",
            "Id": "SecureBoot",
            "Name": "UEFI Secure Boot",
            "SecureBootEnable": board.is_secure_boot_enabled,
            "SecureBootCurrentBoot": "Enabled" if is_enforced else "Disabled",
            "SecureBootMode": "SetupMode" if board.is_setup_mode else "UserMode",
            "Actions": {
                "#SecureBoot.ResetKeys": {
                    "target": self._reset_path,
                    "ResetKeysType@Redfish.AllowableValues": [_ALL_TO_DEFAULT, _DELETE_ALL],
                }
            },
        }

    async def _write(self, body: Json) -> Answer:
        require_writable(body, {"SecureBootEnable"}, self._read())
        self._board.set_secure_boot(is_enabled=read_flag(body, "SecureBootEnable"))
        return Answer(self._read())

    async def _reset_keys(self, body: Json) -> Answer:
        parameters = Parameters("SecureBoot.ResetKeys", body)
        parameters.require_known({"ResetKeysType"})
        kind = parameters.get_choice("ResetKeysType", [_ALL_TO_DEFAULT, _DELETE_ALL])
        self._board.reset_secure_boot_keys(is_setup_mode=kind == _DELETE_ALL)
        return NO_CONTENT
