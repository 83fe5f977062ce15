"""Places in documents: ``/driver_info/ipmi_username``, ``driver_info/ipmi_username``,
``driver_info.ipmi_username``. Source: RFC 6901 for the first form; OpenStack documentation for the others."""

from typing import Any

from bessemer.kernel.error import InvalidValue

JsonObject = dict[str, Any]


def parse_path(text: object) -> tuple[str, ...]:
    """The keys on the way. Raises InvalidValue when ``text`` is no path."""
    if not isinstance(text, str) or not text.strip("/."):
        raise InvalidValue("a path is text like /driver_info/ipmi_username")
    if "/" not in text:
        keys = text.split(".")
    else:
        parts = text.removeprefix("/").split("/")
        keys = [part.replace("~1", "/").replace("~0", "~") for part in parts]
    if not all(keys):
        raise InvalidValue(f"the path {text[:80]!r} has an empty part")
    return tuple(keys)


def set_at(document: JsonObject, path: tuple[str, ...], value: Any) -> None:
    """Put ``value`` at ``path``; objects that are not there yet are made. Raises InvalidValue."""
    _parent(document, path)[path[-1]] = value


def extend_at(document: JsonObject, path: tuple[str, ...], value: Any, *, unique: bool) -> None:
    """Append ``value`` to the list at ``path``, which is made when it is not there; ``unique``: unless it
    is in it. Raises InvalidValue when something else than a list is there."""
    parent = _parent(document, path)
    items = parent.get(path[-1])
    if items is None:
        items = []
    if not isinstance(items, list):
        raise InvalidValue(f"there is no list at {'/'.join(path)}")
    if not (unique and value in items):
        parent[path[-1]] = [*items, value]


def delete_at(document: JsonObject, path: tuple[str, ...]) -> None:
    """Take away what is at ``path``; nothing happens when nothing is there."""
    place: Any = document
    for key in path[:-1]:
        place = place.get(key) if isinstance(place, dict) else None
    if isinstance(place, dict):
        place.pop(path[-1], None)


def _parent(document: JsonObject, path: tuple[str, ...]) -> JsonObject:
    place = document
    for depth, key in enumerate(path[:-1], 1):
        if place.get(key) is None:
            place[key] = {}
        inner = place[key]
        if not isinstance(inner, dict):
            raise InvalidValue(f"there is no object at {'/'.join(path[:depth])}")
        place = inner
    return place
