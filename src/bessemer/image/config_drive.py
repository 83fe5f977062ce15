"""Config drives: the small disc by which a deployed system learns its name, keys and user data.

Sources: cloud-init's ConfigDrive data source, version 2 (label ``config-2``, ``openstack/<version>/``);
the v1 API's ``configdrive`` argument.
"""

import asyncio
import base64
import binascii
import gzip
import io
import json
import zlib
from typing import Any

from bessemer.domain.node import Node
from bessemer.kernel.error import InvalidValue
from bessemer.transfer.iso9660 import IsoTree
from bessemer.transfer.url import WEB_SCHEMES, check_web, scheme_of

JsonObject = dict[str, Any]

LABEL = "config-2"
#: The agent makes no larger partition for it.
LIMIT_BYTES = 64 * 1024 * 1024
#: The oldest format that readers know, and the name under which they look for the newest.
_VERSIONS = ("2012-08-10", "latest")
_OBJECTS = {
    "meta_data": "meta_data.json",
    "network_data": "network_data.json",
    "vendor_data": "vendor_data2.json",
}
_KEYS = (*_OBJECTS, "user_data")


def check_config_drive(value: Any) -> None:
    """Check the form of a ``configdrive`` argument: quick, and without looking into a given image.

    Raises:
        InvalidValue: Not text, nor an object with the known keys in their types.
    """
    if value is None or isinstance(value, str):
        return
    if not isinstance(value, dict):
        raise InvalidValue("configdrive must be an object, or text: a URL, or a base64-encoded gzipped ISO.")
    unknown = sorted(map(str, value.keys() - set(_KEYS)))
    if unknown:
        raise InvalidValue(f"configdrive may hold {', '.join(_KEYS)}; not {', '.join(unknown)}.")
    for key in _OBJECTS:
        if not isinstance(value.get(key), dict | None):
            raise InvalidValue(f"configdrive.{key} must be an object.")
    if not isinstance(value.get("user_data"), str | dict | list | None):
        raise InvalidValue("configdrive.user_data must be text, an object or a list.")


async def make_config_drive(node: Node, value: Any) -> str | None:
    """Give what the agent takes as ``configdrive``: base64 text of a gzipped image, or a URL; or None.

    An object becomes an ISO image; text is checked and passed on as it is. ``user_data`` text is used as it
    stands (never decoded), an object or list in it becomes JSON.

    Raises:
        InvalidValue: As ``check_config_drive``; text that is neither a URL nor base64 of gzip; over 64 MiB.
    """
    check_config_drive(value)
    if not value:
        return None
    if isinstance(value, dict):
        return await asyncio.to_thread(_pack, _documents(node, value))
    if scheme_of(value) in WEB_SCHEMES:
        return check_web(value, "configdrive")
    await asyncio.to_thread(_check_packed, value)
    return str(value)


def _documents(node: Node, value: JsonObject) -> dict[str, bytes]:
    """The files of the drive. An instance is identified by its node, unless ``meta_data`` says otherwise."""
    meta_data = dict(value.get("meta_data") or {})
    meta_data.setdefault("uuid", node.uuid)
    name = node.instance_name or node.name
    if name:
        meta_data.setdefault("name", name)
    meta_data.setdefault("hostname", meta_data.get("name") or node.uuid)
    objects = {**value, "meta_data": meta_data}
    files = {file: _json(objects[key]) for key, file in _OBJECTS.items() if objects.get(key)}
    user_data = value.get("user_data")
    if user_data:
        files["user_data"] = user_data.encode() if isinstance(user_data, str) else _json(user_data)
    return files


def _json(document: Any) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode()


def _pack(files: dict[str, bytes]) -> str:
    first, *others = _VERSIONS
    image = io.BytesIO()
    with IsoTree(LABEL) as tree:
        for name, data in files.items():
            tree.add_bytes(f"openstack/{first}/{name}", data)
            for version in others:
                tree.add_link(f"openstack/{version}/{name}", f"openstack/{first}/{name}")
        tree.write(image)
    if image.tell() > LIMIT_BYTES:
        raise InvalidValue("The config drive would be larger than 64 MiB.")
    return base64.b64encode(gzip.compress(image.getbuffer(), mtime=0)).decode()


def _check_packed(text: str) -> None:
    """Raises InvalidValue unless ``text`` unpacks to at most 64 MiB."""
    try:
        packed = base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidValue("configdrive is neither a URL nor base64 text.") from error
    unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        unpacked = len(unpacker.decompress(packed, LIMIT_BYTES + 1))
    except zlib.error as error:
        raise InvalidValue("configdrive is not a gzipped image in base64.") from error
    if unpacked > LIMIT_BYTES:
        raise InvalidValue("The config drive is larger than 64 MiB.")
    if not unpacked or not unpacker.eof:
        raise InvalidValue("configdrive is cut short: its gzip stream has no end.")
