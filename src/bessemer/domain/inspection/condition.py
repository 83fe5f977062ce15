"""Conditions: whether what is known fulfils them."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from ipaddress import ip_address, ip_network
from itertools import pairwise
from types import MappingProxyType
from typing import Any, Final

from bessemer.domain.inspection.call import Call, Multiple
from bessemer.domain.inspection.interpolation import Names, interpolated, referred
from bessemer.kernel.error import InvalidValue

_TRUE = frozenset({"yes", "true"})
_FALSE = frozenset({"no", "false"})


def holds(call: Call, names: Names) -> bool:
    """Whether the condition is fulfilled.

    A repeated one without items is not, unless ``all`` of them are asked for.

    Raises:
        InvalidValue: Values that cannot be compared, or no list, address or pattern where one is needed.
    """
    answers = _answers(call, names)
    if call.multiple is Multiple.ALL:
        return all(answers)
    if call.multiple is Multiple.FIRST:
        return next(answers, False)
    if call.multiple is Multiple.LAST:
        return ([False, *answers])[-1]
    return any(answers)


def _answers(call: Call, names: Names) -> Iterator[bool]:
    operator = _OPERATORS[call.op]
    if call.loop is None:
        yield operator(referred(call.args, names)) != call.is_negated
        return
    for item in call.loop:
        known = {**names, "item": interpolated(item, names)}
        yield operator(referred(call.args, known)) != call.is_negated


Args = Mapping[str, Any]


def _eq(args: Args) -> bool:
    values = _aligned(args)
    return all(value == values[0] for value in values)


def _lt(args: Args) -> bool:
    return _rises(_aligned(args))


def _gt(args: Args) -> bool:
    return _rises(_aligned(args)[::-1])


def _rises(values: Sequence[Any]) -> bool:
    """Each value is less than the next; nothing is less or more than what is not known."""
    if None in values:
        return False
    try:
        return all(one < other for one, other in pairwise(values))
    except TypeError as error:
        raise InvalidValue("these values can not be compared", hint="Try force_strings.") from error


def _aligned(args: Args) -> list[Any]:
    values = args["values"]
    if not isinstance(values, list):
        raise InvalidValue("'values' must be a list")
    if args.get("force_strings"):
        return [str(value) for value in values]
    numbers = [_number(value) for value in values]
    # Text that reads as a number is one beside a number: fields in the middle of a text are always text.
    if None not in numbers and any(_is_number(value) for value in values):
        return numbers
    return values


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _number(value: Any) -> int | float | None:
    if _is_number(value):
        number: int | float = value
        return number
    if isinstance(value, str):
        for read in (int, float):
            try:
                return read(value)
            except ValueError:
                continue
    return None


def _is_empty(args: Args) -> bool:
    return args["value"] in (None, "", [], {})


def _in_net(args: Args) -> bool:
    if args["address"] is None:
        return False
    try:
        return ip_address(args["address"]) in ip_network(args["subnet"], strict=False)
    except ValueError as error:
        raise InvalidValue(f"not an address or a network: {error}") from error


def _matches(args: Args) -> bool:
    return args["value"] is not None and re.fullmatch(_pattern(args), str(args["value"])) is not None


def _contains(args: Args) -> bool:
    return args["value"] is not None and re.search(_pattern(args), str(args["value"])) is not None


def _pattern(args: Args) -> re.Pattern[str]:
    try:
        return re.compile(str(args["regex"]))
    except re.error as error:
        raise InvalidValue(f"not a regular expression: {error}") from error


def _one_of(args: Args) -> bool:
    if not isinstance(args["values"], list):
        raise InvalidValue("'values' must be a list")
    return any(_eq({"values": [args["value"], value]}) for value in args["values"])


def _is_true(args: Args) -> bool:
    value = args["value"]
    if isinstance(value, str):
        return value.lower() in _TRUE or bool(_number(value))
    return isinstance(value, int | float) and bool(value)


def _is_false(args: Args) -> bool:
    value = args["value"]
    if isinstance(value, str):
        return value.lower() in _FALSE or _number(value) == 0
    return value is None or (isinstance(value, int | float) and not value)


_OPERATORS: Final[Mapping[str, Callable[[Args], bool]]] = MappingProxyType({
    "eq": _eq,
    "lt": _lt,
    "gt": _gt,
    "is-empty": _is_empty,
    "in-net": _in_net,
    "matches": _matches,
    "contains": _contains,
    "one-of": _one_of,
    "is-none": lambda args: args["value"] is None,
    "is-true": _is_true,
    "is-false": _is_false,
})  # fmt: skip
