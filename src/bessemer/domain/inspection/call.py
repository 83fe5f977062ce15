"""One condition or action of a rule: an operation, its arguments by name, the items it is repeated for."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import ip_network
from types import MappingProxyType
from typing import Any, Final

from bessemer.domain.inspection.path import parse_path
from bessemer.domain.trait import check_trait
from bessemer.kernel.error import InvalidValue

JsonObject = dict[str, Any]

LEVELS: Final = ("debug", "info", "warning", "error")
#: Longer patterns are more likely to run for minutes than to mean something.
LONGEST_REGEX: Final = 1000


class Multiple(StrEnum):
    """How the answers of a repeated condition become one."""

    ANY = "any"
    ALL = "all"
    FIRST = "first"
    LAST = "last"


@dataclass(frozen=True, slots=True)
class Call:
    op: str
    args: JsonObject
    is_negated: bool = False
    #: None: once, without an item.
    loop: Sequence[Any] | None = None
    multiple: Multiple = Multiple.ANY


@dataclass(frozen=True, slots=True)
class _Signature:
    """Names of arguments, in the order in which a list of arguments gives them. ``checks`` look at values
    that do not depend on what inspection finds."""

    required: tuple[str, ...]
    optional: tuple[str, ...] = ()
    checks: Mapping[str, Callable[[Any], None]] = field(default_factory=dict)


def _regex(value: Any) -> None:
    if not isinstance(value, str) or len(value) > LONGEST_REGEX:
        raise InvalidValue(f"a regular expression is text of at most {LONGEST_REGEX} characters")
    try:
        re.compile(value)
    except (re.error, RecursionError, OverflowError) as error:
        raise InvalidValue(f"not a regular expression: {error}") from error


def _subnet(value: Any) -> None:
    try:
        ip_network(value, strict=False)
    except ValueError as error:
        raise InvalidValue("not a network like 192.0.2.0/24") from error


def _level(value: Any) -> None:
    if value not in LEVELS:
        raise InvalidValue(f"one of {', '.join(LEVELS)}")


def _flag(value: Any) -> None:
    if not isinstance(value, bool):
        raise InvalidValue("must be true or false")


def _text(value: Any) -> None:
    if not isinstance(value, str) or not value:
        raise InvalidValue("must be text")


def _number(value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise InvalidValue("must be a number, 0 or more")


def _object(value: Any) -> None:
    if not isinstance(value, dict):
        raise InvalidValue("must be an object")


def _path(value: Any) -> None:
    parse_path(value)


def _trait(value: Any) -> None:
    check_trait(value)


_COMPARISON = _Signature(("values",), ("force_strings",), {"force_strings": _flag})
_VALUE = _Signature(("value",))
_PATTERN = _Signature(("value", "regex"), checks={"regex": _regex})
_SET = _Signature(("path", "value"), checks={"path": _path})
_EXTEND = _Signature(("path", "value"), ("unique",), {"path": _path, "unique": _flag})
_UNSET = _Signature(("path",), checks={"path": _path})
_TRAIT = _Signature(("name",), checks={"name": _trait})

CONDITIONS: Final[Mapping[str, _Signature]] = MappingProxyType({
    "eq": _COMPARISON,
    "lt": _COMPARISON,
    "gt": _COMPARISON,
    "is-empty": _VALUE,
    "in-net": _Signature(("address", "subnet"), checks={"subnet": _subnet}),
    "matches": _PATTERN,
    "contains": _PATTERN,
    "one-of": _Signature(("value", "values")),
    "is-none": _VALUE,
    "is-true": _VALUE,
    "is-false": _VALUE,
})  # fmt: skip

ACTIONS: Final[Mapping[str, _Signature]] = MappingProxyType({
    "fail": _Signature(("msg",), checks={"msg": _text}),
    "log": _Signature(("msg",), ("level",), {"msg": _text, "level": _level}),
    "set-attribute": _SET,
    "extend-attribute": _EXTEND,
    "del-attribute": _UNSET,
    "set-capability": _Signature(("name", "value"), checks={"name": _text}),
    "unset-capability": _Signature(("name",), checks={"name": _text}),
    "add-trait": _TRAIT,
    "remove-trait": _TRAIT,
    "set-plugin-data": _SET,
    "extend-plugin-data": _EXTEND,
    "unset-plugin-data": _UNSET,
    "set-port-attribute": _Signature(("port_id", *_SET.required), checks=_SET.checks),
    "extend-port-attribute": _Signature(("port_id", *_EXTEND.required), _EXTEND.optional, _EXTEND.checks),
    "del-port-attribute": _Signature(("port_id", "path"), checks=_UNSET.checks),
    "api-call": _Signature(
        ("url",),
        ("headers", "proxies", "timeout", "retries", "backoff_factor"),
        {"url": _text, "headers": _object, "proxies": _object, "timeout": _number, "retries": _number,
         "backoff_factor": _number},
    ),
})  # fmt: skip

_MEMBERS = frozenset({"op", "args", "loop"})


def parse_condition(where: str, item: object) -> Call:
    """The condition that ``item`` describes; ``where`` names it in messages. Raises InvalidValue."""
    document = _members(where, item, _MEMBERS | {"multiple"})
    name = document["op"]
    is_negated = isinstance(name, str) and name.startswith("!")
    op = name[1:].lstrip() if is_negated else name
    call = _parse(where, op, document, CONDITIONS)
    # Clients send it without a loop too, where it says nothing.
    multiple = document.get("multiple", Multiple.ANY)
    if multiple not in tuple(Multiple):
        raise InvalidValue(f"{where}.multiple must be one of {', '.join(Multiple)}.")
    return Call(call.op, call.args, is_negated, call.loop, Multiple(multiple))


def parse_action(where: str, item: object) -> Call:
    """The action that ``item`` describes; ``where`` names it in messages. Raises InvalidValue."""
    document = _members(where, item, _MEMBERS)
    return _parse(where, document["op"], document, ACTIONS)


def _members(where: str, item: object, allowed: frozenset[str]) -> Mapping[str, Any]:
    if not isinstance(item, Mapping):
        raise InvalidValue(f"{where} must be an object.")
    unknown = sorted(map(str, item.keys() - allowed))
    if unknown:
        raise InvalidValue(f"{where} has no '{unknown[0]}'.", hint=f"Members: {', '.join(sorted(allowed))}.")
    for name in ("op", "args"):
        if name not in item:
            raise InvalidValue(f"{where} lacks '{name}'.")
    return item


def _parse(where: str, op: Any, document: Mapping[str, Any], signatures: Mapping[str, _Signature]) -> Call:
    signature = signatures.get(op) if isinstance(op, str) else None
    if signature is None:
        raise InvalidValue(
            f"{where}.op: {str(op)[:80]!r} is unknown.", hint=f"There are {', '.join(signatures)}."
        )
    args = _by_name(where, op, signature, document["args"])
    for name, check in signature.checks.items():
        if name in args and not _depends(args[name]):
            try:
                check(args[name])
            except InvalidValue as error:
                raise InvalidValue(f"{where}.args.{name}: {error.message}", hint=error.hint) from error
    loop = document.get("loop")
    if loop is not None and not isinstance(loop, list):
        raise InvalidValue(f"{where}.loop must be a list.")
    return Call(op, args, loop=loop)


def _by_name(where: str, op: str, signature: _Signature, given: Any) -> JsonObject:
    names = (*signature.required, *signature.optional)
    if isinstance(given, list | tuple):
        args = _positional(where, op, signature, list(given))
    elif isinstance(given, Mapping):
        args = dict(given)
    else:
        raise InvalidValue(f"{where}.args must be an object or a list.")
    unknown = sorted(map(str, args.keys() - set(names)))
    if unknown:
        raise InvalidValue(
            f"{where}: {op} has no argument '{unknown[0]}'.", hint=f"It has {', '.join(names)}."
        )
    missing = [name for name in signature.required if name not in args]
    if missing:
        raise InvalidValue(f"{where}: {op} lacks the argument '{missing[0]}'.")
    return args


def _positional(where: str, op: str, signature: _Signature, given: list[Any]) -> JsonObject:
    if signature is _COMPARISON and not (given and isinstance(given[0], list)):
        return {"values": given}
    names = (*signature.required, *signature.optional)
    if len(given) > len(names):
        raise InvalidValue(f"{where}: {op} takes at most {len(names)} arguments.")
    return dict(zip(names, given, strict=False))


def _depends(value: Any) -> bool:
    """Whether the value is only known when inspection is over."""
    return isinstance(value, str) and "{" in value
