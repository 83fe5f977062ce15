"""Virtual media of a node. Source: v1 contract, routes: vmedia."""

from bessemer.api.v1.table.field import Body, Kind, Param, member

SINCE = 89
LIST_SINCE = 93
DEVICES = ("cdrom", "disk", "floppy")
#: Who fetches the image: ``http`` is the BMC itself.
SOURCES = ("http", "local", "swift")

ATTACH = Body((
    member("device_type", Kind.STRING, is_required=True),
    member("image_url", Kind.STRING, is_required=True, length=(1, 2048)),
    member("image_download_source", Kind.STRING, default="http"),
))  # fmt: skip
DETACH = (Param("device_types", Kind.LIST),)
