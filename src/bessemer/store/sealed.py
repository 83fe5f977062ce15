"""Records with secrets in them: their documents are sealed on the way in and opened on the way out."""

from collections.abc import Callable, Iterable, Mapping, Set
from typing import Any, Generic, TypeVar

import msgspec
from sqlalchemy import Select, Table

from bessemer.kernel.seal import PREFIX
from bessemer.kernel.secret import SecretNames
from bessemer.store.database import AnyRow, Transaction
from bessemer.store.document import decode_json, decode_object, encode_json
from bessemer.store.record import Mapper

R = TypeVar("R", bound=msgspec.Struct)


class SealedMapper(Generic[R]):
    """As ``Mapper``, for records with a ``uuid``. ``secrets`` names the JSON fields that may hold secrets,
    and further keys in each that are secret although their names do not say so.
    """

    def __init__(
        self,
        record: type[R],
        table: Table,
        *,
        json_fields: Iterable[str],
        secrets: Mapping[str, Set[str]],
        decoders: Mapping[str, Callable[[Any], Any]] | None = None,
    ) -> None:
        given = dict(decoders or {})
        self._secrets = {field: SecretNames(more) for field, more in secrets.items()}
        self._decoders: dict[str, Callable[[Any], Any]] = {
            field: given.pop(field, decode_object) for field in secrets
        }
        # Documents that may be sealed pass through as text here and are opened below.
        plain = dict.fromkeys(secrets, _as_it_is)
        self._mapper = Mapper(record, table, json_fields=json_fields, decoders={**given, **plain})
        self._opened = tuple((self._mapper.fields.index(field), field) for field in secrets)
        self._uuid = self._mapper.fields.index("uuid")
        self.table = table
        self.fields = self._mapper.fields
        self.columns = self._mapper.columns

    @property
    def sealed_fields(self) -> tuple[str, ...]:
        return tuple(self._secrets)

    def select(self) -> Select[Any]:
        """All columns the record is made of, in the order ``to_record`` wants them."""
        return self._mapper.select()

    def to_record(self, tx: Transaction, row: AnyRow | Iterable[Any]) -> R:
        """Raises SealBroken when a secret in it cannot be opened."""
        values = list(row)
        for index, field in self._opened:
            text = values[index]
            if text is not None:
                values[index] = self._decoded(tx, values[self._uuid], field, text)
        return self._mapper.to_record(values)

    def _decoded(self, tx: Transaction, uuid: str, field: str, text: str) -> Any:
        decode = self._decoders[field]
        if PREFIX not in text:
            return decode(text)
        document = tx.vault.open(decode_json(text), self._place(uuid, field))
        return document if decode is decode_object else decode(encode_json(document))

    def to_row(self, tx: Transaction, record: R) -> dict[str, Any]:
        values = {field: getattr(record, field) for field in self.fields}
        return self.encode(tx, values["uuid"], values)

    def encode(
        self, tx: Transaction, uuid: str, changes: Mapping[str, Any], *, names: SecretNames | None = None
    ) -> dict[str, Any]:
        """Field values of the record called ``uuid`` as column values; ``names`` in place of the usual ones
        say what is secret. Raises as ``Mapper.encode``.
        """
        sealed = {
            field: tx.vault.seal(
                _plain(value), self._place(uuid, field), self._secrets[field] if names is None else names
            )
            for field, value in changes.items()
            if field in self._secrets and value is not None
        }
        return self._mapper.encode({**changes, **sealed})

    def changed(self, record: R, changes: Mapping[str, Any]) -> R:
        """``record`` with these changes, as it would be read after they were written."""
        read = {
            field: self._decoders[field](encode_json(_plain(value)))
            if field in self._secrets and value is not None
            else self._mapper.as_read(field, value)
            for field, value in changes.items()
        }
        return msgspec.structs.replace(record, **read)

    def opened(self, tx: Transaction, uuid: str, field: str, text: str) -> str:
        """The document ``text`` of that row and field, still as text, with its secrets in clear."""
        if PREFIX not in text:
            return text
        return encode_json(tx.vault.open(decode_json(text), self._place(uuid, field)))

    def sealed_anew(self, tx: Transaction, uuid: str, field: str, text: str) -> str:
        """The document ``text`` of that row and field, sealed with the present key."""
        document = decode_json(text)
        anew = tx.vault.sealed_anew(document, self._place(uuid, field), self._secrets[field])
        return text if anew == document else encode_json(anew)

    def _place(self, uuid: str, field: str) -> str:
        return f"{self.table.name}/{uuid}/{field}"


def _as_it_is(value: Any) -> Any:
    return value


def _plain(value: Any) -> Any:
    """Records within a document as objects."""
    return value if type(value) in (dict, list) else msgspec.to_builtins(value)
