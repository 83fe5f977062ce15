"""Query strings, read by the tables."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl

from bessemer.api.v1 import value
from bessemer.api.v1.table.field import Kind, Param
from bessemer.kernel.error import InvalidValue

_MOST_PARAMETERS = 100


def read(params: Sequence[Param], query_string: bytes, minor: int) -> dict[str, Any]:
    """The parameters given, checked and typed.

    Raises:
        InvalidValue: A parameter nobody knows, given twice, or with a bad value.
        Refusal: One newer than the request's version.
    """
    if not query_string:
        return {}
    known = {param.name: param for param in params}
    texts: dict[str, list[str]] = {}
    for name, text in _pairs(query_string):
        param = known.get(name)
        if param is None:
            raise InvalidValue(f"Unexpected argument: {name[:80]!r}.")
        if minor < param.since:
            raise value.too_new(name, param.since, param.gate)
        texts.setdefault(name, []).append(text)
    return {name: _typed(known[name], given, minor) for name, given in texts.items()}


def _pairs(query_string: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(
            query_string.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=_MOST_PARAMETERS,
        )
    except ValueError as error:
        raise InvalidValue("The query string cannot be read.") from error


def _typed(param: Param, texts: Sequence[str], minor: int) -> Any:
    if param.kind is Kind.LIST:
        words = (word.strip() for text in texts for word in value.string(param.name, text).split(","))
        return list(dict.fromkeys(word for word in words if word))
    if len(texts) > 1:
        raise InvalidValue(f"'{param.name}' is given more than once.")
    return _ONE[param.kind](param.name, texts[0], minor)


_ONE: Mapping[Kind, Any] = {
    Kind.STRING: lambda name, text, _: value.string(name, text),
    Kind.UUID: lambda name, text, _: value.uuid(name, text),
    Kind.MAC: lambda name, text, _: value.mac(name, text),
    Kind.BOOLEAN: lambda name, text, _: value.boolean(name, text),
    Kind.INTEGER: lambda name, text, _: value.integer(name, text),
    Kind.IDENT: value.ident,
}
