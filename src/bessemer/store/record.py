"""How records become rows and rows become records."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, TypeVar, cast

import msgspec
from sqlalchemy import Select, Table, select

from bessemer.kernel.error import InternalError, InvalidValue
from bessemer.store.database import AnyRow
from bessemer.store.document import decode_json, decode_object, encode_json

R = TypeVar("R", bound=msgspec.Struct)

__all__ = ["Mapper", "decode_json", "decode_object", "encode_json", "storable"]


class Mapper(Generic[R]):
    """Maps one kind of record to the columns of the same names of one table.

    ``json_fields`` hold JSON documents. ``decoders`` turn what the database gives for a field into what the
    record wants, where that is not the same already.
    """

    def __init__(
        self,
        record: type[R],
        table: Table,
        *,
        json_fields: Iterable[str] = (),
        decoders: Mapping[str, Callable[[Any], Any]] | None = None,
    ) -> None:
        self.table = table
        self.fields: tuple[str, ...] = record.__struct_fields__
        self._known = frozenset(self.fields)
        self.columns = tuple(table.c[field] for field in self.fields)
        self._make = cast("Callable[..., R]", record)
        self._name = record.__name__
        self._json_fields = frozenset(json_fields)
        given = decoders or {}
        self._decoders: tuple[tuple[str, Callable[[Any], Any]], ...] = tuple(
            (field, given.get(field, decode_object))
            for field in self.fields
            if field in given or field in self._json_fields
        )
        self._decoder = dict(self._decoders)

    def select(self) -> Select[Any]:
        """All columns the record is made of, in the order ``to_record`` wants them."""
        return select(*self.columns)

    def to_record(self, row: AnyRow | Iterable[Any]) -> R:
        values = dict(zip(self.fields, row, strict=True))
        for field, decode in self._decoders:
            value = values[field]
            if value is not None:
                values[field] = decode(value)
        return self._make(**values)

    def as_read(self, field: str, value: Any) -> Any:
        """A value of the record as it would come back from the database."""
        if value is None:
            return None
        decode = self._decoder.get(field)
        if field in self._json_fields:
            return (decode or decode_object)(encode_json(value))
        if isinstance(value, str):
            value = str(value)
        return value if decode is None else decode(value)

    def to_row(self, record: R) -> dict[str, Any]:
        return self.encode({field: getattr(record, field) for field in self.fields})

    def encode(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Field values as column values.

        Raises:
            InvalidValue: A value that cannot be stored (a NUL character, something JSON does not know).
            InternalError: A field the record does not have.
        """
        row = {}
        for field, value in changes.items():
            if field not in self._known:
                raise InternalError(f"{self._name} has no field '{field}'")
            if field in self._json_fields and value is not None:
                value = encode_json(value)  # noqa: PLW2901
            elif isinstance(value, str):
                value = storable(value, field)  # noqa: PLW2901
            row[field] = value
        return row


def storable(value: str, field: str) -> str:
    """``value`` as plain text; refuses what one of the databases cannot hold."""
    if "\x00" in value or not (value.isascii() or _is_unicode(value)):
        raise InvalidValue(f"'{field}' holds a character that cannot be stored.")
    return str(value)


def _is_unicode(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:  # half of a surrogate pair
        return False
    return True
