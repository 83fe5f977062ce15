"""The virtual CD drive.

Source: DMTF VirtualMedia.v1_4_0.
"""

import secrets

from bessemer_lab.bmc import message
from bessemer_lab.bmc.body import Parameters
from bessemer_lab.bmc.download import download_image
from bessemer_lab.bmc.path import CD, VIRTUAL_MEDIA
from bessemer_lab.bmc.resource import NO_CONTENT, Answer, Json, Resource, collection
from bessemer_lab.error import MediaRefused
from bessemer_lab.mainboard import Mainboard
from bessemer_lab.record import Media

_INSERT = f"{CD}/Actions/VirtualMedia.InsertMedia"
_EJECT = f"{CD}/Actions/VirtualMedia.EjectMedia"
_PARAMETERS = {
    "Image",
    "Inserted",
    "WriteProtected",
    "UserName",
    "Password",
    "TransferMethod",
    "TransferProtocolType",
    "MediaType",
}


class VirtualCd:
    """The one virtual drive: read only, and one image at a time."""

    def __init__(self, board: Mainboard) -> None:
        self._board = board

    def build(self) -> list[Resource]:
        return [
            collection(VIRTUAL_MEDIA, "VirtualMediaCollection", "Virtual Media", [CD]),
            Resource(path=CD, get=self._read),
            Resource(path=_INSERT, post=self._insert),
            Resource(path=_EJECT, post=self._eject),
        ]

    def _read(self) -> Json:
        media = self._board.media
        return {
            "@odata.id": CD,
            "@odata.type": "#VirtualMedia.v1_4_0.VirtualMedia",
            "Id": "Cd",
            "Name": "Virtual CD",
            "MediaTypes": ["CD", "DVD"],
            "Image": media.url if media else None,
            "ImageName": media.name if media else None,
            "ConnectedVia": "URI" if media else "NotConnected",
            "Inserted": media is not None,
            "WriteProtected": True,
            "TransferMethod": "Upload" if media else None,
            "Actions": {
                "#VirtualMedia.InsertMedia": {"target": _INSERT},
                "#VirtualMedia.EjectMedia": {"target": _EJECT},
            },
        }

    async def _insert(self, body: Json) -> Answer:
        """Fetch the image, then put it in the drive; the answer comes when both are done.

        A drive that holds an image refuses another one, as the strictest of real BMCs do.
        """
        parameters = Parameters("VirtualMedia.InsertMedia", body)
        parameters.require_known(_PARAMETERS)
        url = parameters.get_text("Image")
        self._require_possible(parameters)
        if self._board.media is not None:
            raise message.in_use(f"The drive holds {self._board.media.url}; eject it first.")
        username, password = parameters.find_text("UserName"), parameters.find_text("Password")
        target = self._board.media_directory / f"{secrets.token_hex(4)}.iso"
        credentials = (username, password or "") if username else None
        await download_image(url, target, credentials=credentials)
        try:
            await self._board.insert_media(Media(url=url, path=str(target)))
        except MediaRefused as error:
            target.unlink()
            raise message.in_use(f"{error}; eject it first.") from error
        return NO_CONTENT

    async def _eject(self, body: Json) -> Answer:
        Parameters("VirtualMedia.EjectMedia", body).require_known(())
        await self._board.eject_media()
        return NO_CONTENT

    def _require_possible(self, parameters: Parameters) -> None:
        action = parameters.action
        if parameters.find_flag("Inserted") is False:
            raise message.parameter_wrong_value(action, "Inserted", "false")
        if parameters.find_flag("WriteProtected") is False:
            raise message.parameter_wrong_value(action, "WriteProtected", "false")
        for name, allowed in (
            ("TransferMethod", ("Stream", "Upload")),
            ("TransferProtocolType", ("HTTP", "HTTPS")),
            ("MediaType", ("CD", "DVD")),
        ):
            if parameters.find_text(name) is not None:
                parameters.get_choice(name, allowed)
