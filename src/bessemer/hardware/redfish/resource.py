"""A Redfish resource as read: its attributes by name, with errors that say which one is missing or malformed.

Source: DMTF DSP0266, "Data model".
"""

from collections.abc import Iterator
from typing import Any, TypeVar
from urllib.parse import urlsplit

from bessemer.hardware.redfish.connection import BmcConnection, JsonObject
from bessemer.hardware.redfish.failure import BmcRefused, BmcUnreachable
from bessemer.kernel.error import DeviceError

T = TypeVar("T")


class AttributeMissing(DeviceError):
    """A resource lacks an attribute that is needed."""

    code = "attribute-missing"


class AttributeMalformed(DeviceError):
    """A resource has an attribute of another kind than its schema says."""

    code = "attribute-malformed"


class Resource:
    """One resource at the moment it was read. Reading attributes never talks to the BMC.

    Attributes are named by their path: ``get(str, "Boot", "BootSourceOverrideTarget")``. A null counts as
    missing.
    """

    def __init__(self, bmc: BmcConnection, path: str, body: JsonObject) -> None:
        self.bmc = bmc
        self.path = path
        self.body = body

    def find(self, kind: type[T], *names: str) -> T | None:
        """The attribute, or None when it is missing. Raises AttributeMalformed."""
        value: Any = self.body
        for depth, name in enumerate(names):
            if not isinstance(value, dict):
                raise self._malformed(names[:depth], "an object", value)
            value = value.get(name)
            if value is None:
                return None
        if kind in (int, float):
            value = _number(value, is_whole=kind is int)
        if not isinstance(value, kind):
            raise self._malformed(names, _KINDS[kind], self._raw(names))
        return value

    def get(self, kind: type[T], *names: str) -> T:
        """The attribute. Raises AttributeMissing, AttributeMalformed."""
        value = self.find(kind, *names)
        if value is None:
            raise AttributeMissing(
                f"Resource {self.path} of the BMC at {self.bmc.name} lacks {_name(names)}."
            )
        return value

    def find_list(self, kind: type[T], *names: str) -> list[T] | None:
        """An attribute that is a list of ``kind``, or None when it is missing."""
        values: list[Any] | None = self.find(list, *names)
        if values is not None and not all(isinstance(value, kind) for value in values):
            raise self._malformed(names, f"a list, each item {_KINDS[kind]}", values)
        return values

    def find_link(self, *names: str) -> str | None:
        """Path of another resource that the attribute refers to, or None."""
        return self.find(str, *names, "@odata.id")

    def links(self, *names: str) -> list[str]:
        """Paths of the resources that a list attribute refers to; empty when it is missing."""
        items = self.find_list(dict, *names) or []
        paths = [item.get("@odata.id") for item in items]
        return [path for path in paths if isinstance(path, str)]

    def find_action(self, name: str) -> str | None:
        """Where to post to run the action, as ``#ComputerSystem.Reset``, or None when it is not offered."""
        return self.find(str, "Actions", name, "target")

    def get_action(self, name: str) -> str:
        """As ``find_action``. Raises AttributeMissing."""
        return self.get(str, "Actions", name, "target")

    def _raw(self, names: tuple[str, ...]) -> Any:
        value: Any = self.body
        for name in names:
            value = value[name]
        return value

    def _malformed(self, names: tuple[str, ...], expected: str, value: Any) -> AttributeMalformed:
        return AttributeMalformed(
            f"Resource {self.path} of the BMC at {self.bmc.name} has {_name(names)} = {str(value)[:80]!r}, "
            f"which is not {expected}."
        )


_KINDS: dict[Any, str] = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    dict: "an object",
    list: "a list",
}


def _number(value: Any, *, is_whole: bool) -> int | float | None:
    """The number, or None when it is none. Some BMCs put numbers into quotation marks."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    if not is_whole:
        return number
    return int(number) if number.is_integer() else None


def _name(names: tuple[str, ...]) -> str:
    return "/".join(names)


async def read(bmc: BmcConnection, path: str) -> Resource:
    """Read the resource at ``path``."""
    return Resource(bmc, path, await bmc.get(path))


async def read_members(bmc: BmcConnection, path: str) -> list[Resource]:
    """Read every member of the collection at ``path``, in its order."""
    return [await read(bmc, member) for member in await member_paths(bmc, path)]


async def read_members_if_any(bmc: BmcConnection, path: str | None) -> list[Resource]:
    """As ``read_members``, for collections that we can do without.

    Empty when there is no ``path``, and when the BMC answers that it cannot show what it links to: many have
    parts that do not work.
    """
    if path is None:
        return []
    try:
        return await read_members(bmc, path)
    except (BmcRefused, BmcUnreachable) as error:
        if error.status in (0, 401, 403):
            raise
        return []


def path_of(named: object) -> str | None:
    """The path that a BMC means by ``named``, in a header or an attribute; None when that is no address.

    BMCs name what they have made by its path, or by any of their own addresses.
    """
    if not isinstance(named, str):
        return None
    try:
        return urlsplit(named)._replace(scheme="", netloc="").geturl() or None
    except ValueError:
        return None


async def member_paths(bmc: BmcConnection, path: str) -> list[str]:
    """Paths of the members of a collection, over all its pages."""
    found: list[str] = []
    for _ in range(_MOST_PAGES):
        collection = await read(bmc, path)
        found += collection.links("Members")
        following = collection.find(str, "Members@odata.nextLink")
        if following is None:
            break
        path = following
    return list(dict.fromkeys(found))


#: A collection of more pages than this is taken for a loop.
_MOST_PAGES = 50


def each(resources: list[Resource], *names: str) -> Iterator[str]:
    """The text attribute of every resource that has it."""
    for resource in resources:
        value = resource.find(str, *names)
        if value is not None:
            yield value
