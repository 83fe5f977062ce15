"""Checks of single values against the tables: from JSON bodies and from query strings."""

import copy
import re
from collections.abc import Callable, Mapping
from typing import Any

from bessemer.api.v1.error import Refusal
from bessemer.api.v1.table.field import Body, Create, Field, Kind
from bessemer.kernel.error import InvalidValue
from bessemer.kernel.ident import is_mac, is_uuid

_TRUE = frozenset({"true", "t", "1", "y", "yes", "on"})
_FALSE = frozenset({"false", "f", "0", "n", "no", "off"})
_INTEGER = re.compile(r"[+-]?\d{1,18}", re.ASCII)
_MOST = 2**63 - 1

#: Names of things, newest rule first: from which version, the form, and what it is called.
#: Source: v1 contract, names; RFC 3986 section 2.3, RFC 1123 section 2.1.
_NAMES = (
    (10, re.compile(r"[A-Za-z0-9._~-]{1,255}"), "letters, digits and any of . _ ~ -"),
    (
        1,
        re.compile(r"(?=.{1,255}$)[A-Za-z0-9](?:[A-Za-z0-9-]{0,62})(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,62}))*"),
        "a host name",
    ),
)


def is_name(text: str, minor: int) -> bool:
    """Whether ``text`` may name a thing for clients of this version. A UUID is no name."""
    _, form, _ = next(rule for rule in _NAMES if minor >= rule[0])
    return form.fullmatch(text) is not None and not is_uuid(text)


def boolean(name: str, value: object) -> bool:
    """JSON booleans, and the words for them in any case."""
    if isinstance(value, bool):
        return value
    word = value.lower() if isinstance(value, str) else ""
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    raise InvalidValue(f"'{name}' must be a boolean.")


def integer(name: str, value: object) -> int:
    if isinstance(value, str) and _INTEGER.fullmatch(value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > _MOST:
        raise InvalidValue(f"'{name}' must be an integer.")
    return value


def string(name: str, value: object) -> str:
    """Text without NUL, which no database column holds."""
    if not isinstance(value, str):
        raise InvalidValue(f"'{name}' must be a string.")
    if "\x00" in value:
        raise InvalidValue(f"'{name}' must not contain NUL.")
    return value


def uuid(name: str, value: object) -> str:
    text = string(name, value)
    if not is_uuid(text):
        raise InvalidValue(f"'{name}' must be a UUID.")
    return text.lower()


def mac(name: str, value: object) -> str:
    text = string(name, value)
    if not is_mac(text):
        raise InvalidValue(f"'{name}' must be a MAC address of the form xx:xx:xx:xx:xx:xx.")
    return text.lower()


def ident(name: str, value: object, minor: int) -> str:
    """A UUID or a name."""
    text = string(name, value)
    if is_uuid(text):
        return text.lower()
    if not is_name(text, minor):
        raise InvalidValue(f"'{name}' must be a UUID or a name.")
    return text


def _name(name: str, value: object, minor: int) -> str:
    text = string(name, value)
    if not is_name(text, minor):
        _, _, form = next(rule for rule in _NAMES if minor >= rule[0])
        raise InvalidValue(f"'{name}' must consist of {form}, 1 to 255 characters, and not look like a UUID.")
    return text


def _object(name: str, value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InvalidValue(f"'{name}' must be an object.")
    return value


def _list(name: str, value: object) -> list[Any]:
    if not isinstance(value, list):
        raise InvalidValue(f"'{name}' must be a list.")
    return value


_PLAIN: Mapping[Kind, Callable[[str, object], Any]] = {
    Kind.STRING: string,
    Kind.UUID: uuid,
    Kind.MAC: mac,
    Kind.BOOLEAN: boolean,
    Kind.INTEGER: integer,
    Kind.OBJECT: _object,
    Kind.LIST: _list,
    Kind.ANY: lambda _, value: value,
}
_BY_VERSION: Mapping[Kind, Callable[[str, object, int], Any]] = {Kind.NAME: _name, Kind.IDENT: ident}


def check(field: Field, value: object, minor: int) -> Any:
    """``value`` as the service takes it. A null where null is no value comes to the default.

    Raises:
        InvalidValue: The message names the field.
        Refusal: 406: an object has a member that this version does not know.
    """
    if value is None and field.kind is not Kind.ANY:
        if field.is_nullable:
            return None
        if field.create is Create.REQUIRED:
            raise InvalidValue(f"'{field.name}' must not be null.")
        return copy.copy(field.default)
    plain = _PLAIN.get(field.kind)
    found = plain(field.name, value) if plain else _BY_VERSION[field.kind](field.name, value, minor)
    for key in field.keys:
        if key.name in found and not key.since <= minor <= key.until:
            raise Refusal(406, f"'{field.name}/{key.name}' is not known to API version 1.{minor}.")
    if field.length is not None and not field.length[0] <= len(found) <= field.length[1]:
        raise InvalidValue(f"'{field.name}' must have {field.length[0]} to {field.length[1]} characters.")
    if field.range is not None and not field.range[0] <= found <= field.range[1]:
        raise InvalidValue(f"'{field.name}' must be between {field.range[0]} and {field.range[1]}.")
    return found


def check_body(body: Body, given: object, minor: int) -> dict[str, Any]:
    """The members of an object in a request, checked; those left out stay left out.

    Raises:
        InvalidValue: Not an object, a member nobody knows, a missing one, a bad value.
        Refusal: A member newer than the request's version (406 unless its row says otherwise).
    """
    if given is None and body.is_optional:
        given = {}
    members = _object("body", given)
    checked: dict[str, Any] = {}
    for name, value in members.items():
        row = body.by_name.get(name)
        if row is None:
            if not body.is_open:
                raise InvalidValue(f"Additional properties are not allowed: '{name}' was unexpected.")
            checked[name] = value
            continue
        if not row.is_in(minor):
            raise too_new(row.name, row.since, row.gate)
        checked[name] = check(row, value, minor)
    missing = [name for name in body.required if name not in checked]
    if missing:
        raise InvalidValue(f"Missing: {', '.join(missing)}.")
    return checked


def too_new(name: str, since: int, status: int = 406) -> Refusal:
    return Refusal(status, f"'{name}' needs API version 1.{since} or newer.")
