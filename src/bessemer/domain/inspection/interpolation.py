"""Replacement fields in rules, such as ``{node.driver}``, ``{inventory[cpu][count]}`` and ``{item}``.

A field names something that is known; it never runs code. Of the node, fields are named with a dot, and what
is inside documents with brackets, as operators know it. Text with a field that names nothing stays as it is.
"""

import re
import string
from collections.abc import Callable, Mapping
from typing import Any, Final

#: What fields may begin with.
Names = Mapping[str, Any]

_FIELD = re.compile(r"(\w+)((?:\.\w+|\[[^\[\]{}]+\])*)")
_SEGMENT = re.compile(r"\.(\w+)|\[([^\[\]{}]+)\]")
#: Format specifications without nested fields, and without widths that fill the memory.
_SPECIFICATION = re.compile(r"(?!.*\d{4})[^{}]{0,20}")
_PARSE = string.Formatter().parse
_CONVERSIONS: Final[Mapping[str | None, Callable[[Any], Any]]] = {
    None: lambda value: value,
    "s": str,
    "r": repr,
}


class _Unknown(Exception):
    """The field names nothing."""


def interpolated(value: Any, names: Names) -> Any:
    """``value`` with every text in it, at any depth, filled in. What comes of a text is text."""
    if isinstance(value, str):
        try:
            return _filled(value, names)
        except (_Unknown, ValueError, TypeError):
            return value
    if isinstance(value, list):
        return [interpolated(one, names) for one in value]
    if isinstance(value, dict):
        return {key: interpolated(one, names) for key, one in value.items()}
    return value


def referred(value: Any, names: Names) -> Any:
    """As ``interpolated``, but a text that is one field and nothing else becomes the very thing it names:
    a number stays a number. What is not in the inventory or the plugin data is None."""
    if isinstance(value, str):
        field = _lone_field(value)
        if field is not None and field.partition("[")[0].partition(".")[0] in names:
            try:
                return _look_up(field, names)
            except _Unknown:
                return None if "[" in field and "." not in field else value
    if isinstance(value, list):
        return [referred(one, names) for one in value]
    if isinstance(value, dict):
        return {key: referred(one, names) for key, one in value.items()}
    return interpolated(value, names)


def _lone_field(text: str) -> str | None:
    if text.startswith("{") and text.endswith("}") and _FIELD.fullmatch(text[1:-1]):
        return text[1:-1]
    return None


def _filled(text: str, names: Names) -> str:
    found = []
    for literal, field, specification, conversion in _PARSE(text):
        found.append(literal)
        if field is None:
            continue
        if conversion not in _CONVERSIONS or _SPECIFICATION.fullmatch(specification or "") is None:
            raise _Unknown
        found.append(format(_CONVERSIONS[conversion](_look_up(field, names)), specification or ""))
    return "".join(found)


def _look_up(field: str, names: Names) -> Any:
    form = _FIELD.fullmatch(field)
    if form is None or form[1] not in names:
        raise _Unknown
    found = names[form[1]]
    for number, segment in enumerate(_SEGMENT.finditer(form[2])):
        has_dot = segment[1] is not None
        if has_dot != (form[1] == "node" and number == 0):
            raise _Unknown
        found = _inside(found, segment[1] or segment[2])
    return found


def _inside(place: Any, key: str) -> Any:
    if isinstance(place, Mapping) and key in place:
        return place[key]
    if isinstance(place, list) and key.isdecimal() and int(key) < len(place):
        return place[int(key)]
    raise _Unknown
