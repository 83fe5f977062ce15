"""Which disk the operating system goes to: root device hints, and the choice without them.

A hint is ``attribute: expression``. An expression is a value, or an operator and values:

    =  ==  !=  <  <=  >  >=           numbers; a lone ``=`` means at least
    s==  s!=  s<  s<=  s>  s>=        text
    <in> a                            contains a
    <all-in> a <all-in> b             contains each
    <or> a <or> b                     is one of

A bare value means equality. Text compares without case and surrounding blanks, and URL-encoded blanks
(``%20``) in a hint are decoded. All hints must match. ``size`` is in GiB; a disk counts with its whole GiB,
so that ``size: 447`` finds the disk sold as 480 GB.

Source: Ironic's documentation of root device hints; oslo.utils' specs_matcher for the operators.
"""

import operator
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from bessemer_agent.error import DeviceNotFound, InvalidRequest
from bessemer_agent.inventory.block_device import BlockDevice

GIB = 1024**3
#: Without hints the smallest disk of at least this many bytes is taken.
SMALLEST_ROOT_BYTES = 4 * GIB

_TEXT_HINTS = frozenset(
    [
        "model",
        "vendor",
        "serial",
        "wwn",
        "wwn_with_extension",
        "wwn_vendor_extension",
        "name",
        "hctl",
        "by_path",
        "tran",
    ]
)
_HINTS = _TEXT_HINTS | {"size", "rotational"}
_NUMBER_OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_TEXT_OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "s==": operator.eq,
    "s!=": operator.ne,
    "s<": operator.lt,
    "s<=": operator.le,
    "s>": operator.gt,
    "s>=": operator.ge,
}
_LIST_OPERATORS = ("<or>", "<all-in>", "<in>")


class Hint(NamedTuple):
    """One hint, understood: ``operands`` holds one value, or several for ``<or>`` and ``<all-in>``."""

    attribute: str
    operator: str
    operands: tuple[str, ...]

    def matches(self, device: BlockDevice) -> bool:
        """Whether the device has what the hint asks for; an attribute the device lacks never matches."""
        if self.attribute == "rotational":
            return device.rotational == (self.operands[0] == "true")
        if self.attribute == "size":
            return self._matches_text(str(device.size // GIB))
        value = getattr(device, self.attribute)
        if value is None:
            return False
        if self.attribute in ("name", "by_path") and self._names_same_node(device.name):
            return True
        values = (value, *device.serials) if self.attribute == "serial" else (value,)
        return any(self._matches_text(str(each).strip().lower()) for each in values)

    def _matches_text(self, value: str) -> bool:
        if self.operator == "<or>":
            return value in self.operands
        if self.operator in ("<in>", "<all-in>"):
            return all(operand in value for operand in self.operands)
        if self.operator in _TEXT_OPERATORS:
            return _TEXT_OPERATORS[self.operator](value, self.operands[0])
        try:
            return _NUMBER_OPERATORS[self.operator](float(value), float(self.operands[0]))
        except ValueError:
            return False

    def _names_same_node(self, name: str) -> bool:
        # /dev/sda may have been another disk at the last boot; a by-path or by-id link is as good a name.
        is_equality = self.operator == "s=="
        return (
            is_equality and self.operands[0].startswith("/dev/disk/") and _resolve(self.operands[0]) == name
        )


def parse_hints(hints: Mapping[str, object]) -> list[Hint]:
    """Understand a node's ``root_device`` property.

    Raises:
        InvalidRequest: An unknown hint, an operator without value, or a value of the wrong kind.
    """
    return [_parse_hint(name, expression) for name, expression in hints.items()]


def find_devices(devices: Iterable[BlockDevice], hints: Mapping[str, object]) -> list[BlockDevice]:
    """The devices that match all hints, in the given order."""
    parsed = parse_hints(hints)
    return [device for device in devices if all(hint.matches(device) for hint in parsed)]


def choose_root_device(
    devices: Sequence[BlockDevice],
    hints: Mapping[str, object] | None,
    skip: Sequence[Mapping[str, object]] = (),
) -> BlockDevice:
    """The disk to deploy to: the first that matches the hints, else the smallest of at least 4 GiB.

    Args:
        devices: The machine's disks.
        hints: ``properties.root_device`` of the node; None or empty for no hints.
        skip: ``properties.skip_block_devices``: hints of disks that are never used.

    Raises:
        DeviceNotFound: No disk fits; says which there are.
        InvalidRequest: A hint is not understood.
    """
    usable = [device for device in without_skipped(devices, skip) if not device.is_read_only]
    if hints:
        matching = find_devices(usable, hints)
        if not matching:
            raise DeviceNotFound(
                f"no disk matches the root device hints {dict(hints)}; disks: {_list(devices)}"
            )
        return matching[0]
    fitting = [device for device in usable if device.size >= SMALLEST_ROOT_BYTES and not device.is_removable]
    if not fitting:
        raise DeviceNotFound(f"no disk of at least {SMALLEST_ROOT_BYTES // GIB} GiB; disks: {_list(devices)}")
    return min(fitting, key=lambda device: (device.size, device.name))


def read_skipped(node: Mapping[str, object]) -> list[Mapping[str, object]]:
    """The node's ``properties.skip_block_devices``; empty where there is none.

    Raises:
        InvalidRequest: It is no list of objects: what must not be touched cannot be known.
    """
    properties = node.get("properties")
    skip = (properties.get("skip_block_devices") if isinstance(properties, Mapping) else None) or []
    if not isinstance(skip, list) or not all(isinstance(entry, Mapping) for entry in skip):
        raise InvalidRequest("skip_block_devices must be a list of objects of device hints")
    return skip


def without_skipped(
    devices: Iterable[BlockDevice], skip: Sequence[Mapping[str, object]]
) -> list[BlockDevice]:
    """The devices none of the ``skip_block_devices`` hints match.

    ``volume_name`` names software RAID volumes, which are not disks; such an entry skips nothing here
    (``raid.skip`` knows them).
    """
    entries = [parse_hints(entry) for entry in skip if "volume_name" not in entry]
    return [
        device
        for device in devices
        if not any(all(hint.matches(device) for hint in hints) for hints in entries if hints)
    ]


def _parse_hint(name: str, expression: object) -> Hint:
    if name not in _HINTS:
        raise InvalidRequest(f"unknown root device hint {name!r}; known: {', '.join(sorted(_HINTS))}")
    if name == "rotational":
        text = str(expression).strip().lower()
        if text not in ("true", "false", "yes", "no", "1", "0", "on", "off", "t", "f", "y", "n"):
            raise InvalidRequest(f"root device hint rotational must be true or false, not {expression!r}")
        return Hint(name, "s==", ("true" if text in ("true", "yes", "1", "on", "t", "y") else "false",))
    sign, operands = _split(str(expression))
    if name in _TEXT_HINTS:
        operands = [_decode(operand) for operand in operands]
    if not all(operands):
        raise InvalidRequest(f"root device hint {name}={expression!r} lacks a value")
    default = "==" if name == "size" else "s=="
    hint = Hint(name, sign or default, tuple(operands))
    if hint.operator in _NUMBER_OPERATORS and not _is_number(operands[0]):
        raise InvalidRequest(
            f"root device hint {name}={expression!r} compares numbers, but the value is none"
        )
    return hint


def _split(expression: str) -> tuple[str, list[str]]:
    text = expression.strip().lower()
    for sign in _LIST_OPERATORS:
        if text.startswith(sign):
            operands = [part.strip() for part in text.split(sign)[1:]]
            # <in> takes the rest as one value: the marker may be part of what is searched.
            return sign, [text[len(sign) :].strip()] if sign == "<in>" else operands
    first, _, rest = text.partition(" ")
    if first in _NUMBER_OPERATORS or first in _TEXT_OPERATORS:
        return first, [rest.strip()]
    for sign in sorted((*_NUMBER_OPERATORS, *_TEXT_OPERATORS), key=len, reverse=True):
        # ">=100" without a blank; a text operator needs the blank, "s==a" could be a serial number.
        if sign in _NUMBER_OPERATORS and text.startswith(sign):
            return sign, [text[len(sign) :].strip()]
    return "", [text]


def _decode(text: str) -> str:
    if "%" not in text:
        return text
    from urllib.parse import unquote

    return unquote(text).strip().lower()


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _resolve(path: str) -> str:
    return os.path.realpath(path)  # noqa: PTH102,RUF100 - a plain string in, a plain string out


def _list(devices: Iterable[BlockDevice]) -> str:
    return ", ".join(f"{device.name} ({device.size / GIB:.1f} GiB)" for device in devices) or "none"
