"""Reading request bodies: each property is known, of the right type and allowed, or the answer names it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from bessemer_lab.bmc import message


@dataclass(frozen=True, slots=True)
class Parameters:
    """The parameters of an action."""

    action: str
    values: Mapping[str, Any]

    def require_known(self, names: Collection[str]) -> None:
        """Raise ActionParameterUnknown for a parameter outside ``names``."""
        for name in self.values:
            if name not in names:
                raise message.parameter_unknown(self.action, name)

    def get_text(self, name: str) -> str:
        """A parameter that must be there; raise ActionParameterMissing or ...ValueTypeError."""
        text = self.find_text(name)
        if text is None:
            raise message.parameter_missing(self.action, name)
        return text

    def find_text(self, name: str) -> str | None:
        value = self.values.get(name)
        if value is not None and not isinstance(value, str):
            raise message.parameter_wrong_type(self.action, name, value)
        return value

    def find_flag(self, name: str) -> bool | None:
        value = self.values.get(name)
        if value is not None and not isinstance(value, bool):
            raise message.parameter_wrong_type(self.action, name, value)
        return value

    def get_choice(self, name: str, allowed: Collection[str]) -> str:
        text = self.get_text(name)
        if text not in allowed:
            raise message.parameter_wrong_value(self.action, name, text)
        return text


def read_text(body: Mapping[str, Any], name: str) -> str:
    """A property that must be a string.

    Raises:
        RedfishError: PropertyMissing or PropertyValueTypeError.
    """
    if name not in body:
        raise message.property_missing(name)
    value = body[name]
    if not isinstance(value, str):
        raise message.property_wrong_type(name, value)
    return value


def read_choice(body: Mapping[str, Any], name: str, allowed: Collection[str]) -> str:
    """A string that must be one of ``allowed``; also raises PropertyValueNotInList."""
    value = read_text(body, name)
    if value not in allowed:
        raise message.property_not_in_list(name, value)
    return value


def read_flag(body: Mapping[str, Any], name: str) -> bool:
    value = body[name]
    if not isinstance(value, bool):
        raise message.property_wrong_type(name, value)
    return value


def require_writable(body: Mapping[str, Any], writable: Collection[str], known: Collection[str]) -> None:
    """Refuse a PATCH that is empty, or names a property that cannot be written or does not exist.

    Raises:
        RedfishError: EmptyJSON, PropertyNotWritable or PropertyUnknown.
    """
    if not body:
        raise message.empty_json()
    for name in body:
        if name in writable:
            continue
        raise message.property_read_only(name) if name in known else message.property_unknown(name)
