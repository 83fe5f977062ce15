"""JSON Patch as v1 has it: ``add``, ``replace`` and ``remove`` on the patchable roots of a resource.

``parse`` reads the request, without knowing the resource's present state; ``apply`` computes the new values
of the roots touched, and is called inside the transaction that stores them. Removing a root resets it to its
default. Source: RFC 6902, and v1 contract, api_wide.json_patch, for where it differs.
"""

import copy
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from bessemer.api.v1 import value
from bessemer.api.v1.table.field import Create, Field, Kind, Table
from bessemer.api.v1.version import Behaviour
from bessemer.kernel.error import InvalidValue

_OPS = ("add", "replace", "remove")
_PATH = re.compile(r"(?:/[\w-]+)+")
#: A key may contain ``~`` and ``/``, written ``~0`` and ``~1`` (RFC 6901, section 3).
_ESCAPED_PATH = re.compile(r"(?:/(?:[\w-]|~[01])+)+")
_INDEX = re.compile(r"0|[1-9]\d{0,8}")
_MOST_OPS = 10_000
#: What a document may grow to patch by patch, in bytes of JSON; one patch is bounded with the body. A config
#: drive may be larger by right. As one string it is bounded with the body too, and cannot grow by patches; as
#: an object it does not count while it stays as it is.
MOST_BYTES = 2**20
_APART = "configdrive"
#: Bounds how deep documents can grow patch by patch; the size of one value is bounded with the body.
_MOST_KEYS = 25


@dataclass(frozen=True, slots=True)
class Op:
    """One change: ``op`` at ``root`` or, with ``keys``, somewhere inside it."""

    op: str
    root: Field
    keys: tuple[str, ...]
    value: Any = None

    @property
    def path(self) -> str:
        return "/" + "/".join((self.root.name, *self.keys))


@dataclass(frozen=True, slots=True)
class Patch:
    """A checked patch. ``minor`` is the version it is written for."""

    ops: tuple[Op, ...]
    minor: int

    @property
    def roots(self) -> frozenset[str]:
        return frozenset(op.root.name for op in self.ops)

    def removes_only(self, name: str) -> bool:
        """Whether removing the root ``name`` is all it does."""
        return len(self.ops) == 1 and self.ops[0].op == "remove" and self.ops[0].path == f"/{name}"

    def apply(self, current: Callable[[str], Any]) -> dict[str, Any]:
        """The new values of the roots touched. ``current`` gives the present value of a root.

        Raises:
            InvalidValue: A path that leads nowhere, a value its field does not take, or a document that grows
                beyond ``MOST_BYTES``.
            Refusal: 406: a value that the version does not know.
        """
        roots: dict[str, Any] = {}
        for op in self.ops:
            name = op.root.name
            if name not in roots:
                roots[name] = copy.deepcopy(current(name))
            roots[name] = _apply(op, roots[name])
        rows = {op.root.name: op.root for op in self.ops}
        checked = {name: value.check(rows[name], found, self.minor) for name, found in roots.items()}
        for name in {op.root.name for op in self.ops if op.keys}:
            _check_growth(name, checked[name], current(name))
        for name, found in checked.items():
            if found is None and self.minor < rows[name].empty_since and current(name) is not None:
                raise value.too_new(f"removing {name}", rows[name].empty_since)
        return checked

    def apply_to(self, record: object) -> dict[str, Any]:
        """As ``apply``, to a record of the domain, whose lists are tuples."""
        held = {name: getattr(record, name) for name in self.roots}
        return self.apply(lambda name: list(held[name]) if isinstance(held[name], tuple) else held[name])


def parse(table: Table, document: object, minor: int) -> Patch:
    """Check everything that can be told without the resource.

    Raises:
        InvalidValue: Not a list of operations; an op, path or root that is not allowed; a missing value.
        Refusal: A root newer than the request's version (406 unless its row says otherwise).
    """
    if not isinstance(document, list):
        raise InvalidValue("A patch is a list of operations, each with op, path and value.")
    if len(document) > _MOST_OPS:
        raise InvalidValue(f"A patch has at most {_MOST_OPS} operations.")
    return Patch(tuple(_parse_one(table, item, minor) for item in document), minor)


def _parse_one(table: Table, item: object, minor: int) -> Op:
    if not isinstance(item, dict) or not set(item) <= {"op", "path", "value"}:
        raise InvalidValue("Each operation of a patch is an object with op, path and value.")
    op, path = item.get("op"), item.get("path")
    if op not in _OPS:
        raise InvalidValue(f"The operations of a patch are {', '.join(_OPS)}.")
    root, keys = _split(table, path, minor)
    if op != "remove" and "value" not in item:
        raise InvalidValue(f"The operation '{op}' at '{path}' has no value.")
    if op == "remove" and not keys and root.create is Create.REQUIRED:
        raise InvalidValue(f"'{path}' is mandatory and cannot be removed.")
    return Op(op, root, keys, item.get("value"))


def _split(table: Table, path: object, minor: int) -> tuple[Field, tuple[str, ...]]:
    form = _ESCAPED_PATH if minor >= Behaviour.PATCH_PATHS_HAVE_ESCAPES else _PATH
    if not isinstance(path, str) or form.fullmatch(path) is None:
        raise InvalidValue("The path of an operation must be of the form /field or /field/key.")
    first, *keys = (part.replace("~1", "/").replace("~0", "~") for part in path[1:].split("/"))
    root = table.roots.get(first)
    if root is None:
        allowed = ", ".join(f"/{name}" for name, row in sorted(table.roots.items()) if row.is_in(minor))
        raise InvalidValue(f"'/{first}' can not be patched. These can: {allowed}.")
    if not root.is_in(minor):
        raise value.too_new(first, root.since, root.gate)
    if len(keys) > _MOST_KEYS:
        raise InvalidValue(f"A path has at most {_MOST_KEYS} keys below its root.")
    if keys and root.kind not in (Kind.OBJECT, Kind.LIST):
        raise InvalidValue(f"'/{first}' has nothing inside it to patch.")
    return root, tuple(keys)


def _apply(op: Op, root: Any) -> Any:
    if not op.keys:
        return copy.copy(op.root.default) if op.op == "remove" else copy.deepcopy(op.value)
    *parents, last = op.keys
    holder = root
    for key in parents:
        holder = _step_into(op, holder, key)
    if isinstance(holder, dict):
        _change_object(op, holder, last)
    elif isinstance(holder, list):
        _change_list(op, holder, last)
    else:
        raise InvalidValue(f"'{op.path}' does not exist: what should hold it is no object.")
    return root


def _check_growth(name: str, found: Any, before: Any) -> None:
    size = _size(found)
    if size <= MOST_BYTES or size <= _size(before):
        return
    drive = found.get(_APART) if isinstance(found, dict) else None
    if isinstance(drive, str) or (drive and isinstance(before, dict) and drive == before.get(_APART)):
        size -= _size(drive)
    if size > MOST_BYTES:
        raise InvalidValue(f"'/{name}' would grow to {size} bytes, and may hold {MOST_BYTES}.")


def _size(document: Any) -> int:
    return len(msgspec.json.encode(document))


def _step_into(op: Op, holder: Any, key: str) -> Any:
    if isinstance(holder, dict) and key in holder:
        return holder[key]
    if isinstance(holder, list) and _INDEX.fullmatch(key) and int(key) < len(holder):
        return holder[int(key)]
    raise InvalidValue(f"'{op.path}' does not exist: there is no '{key}'.")


def _change_object(op: Op, holder: dict[str, Any], key: str) -> None:
    if op.op != "add" and key not in holder:
        raise InvalidValue(f"'{op.path}' does not exist, so {op.op} does not apply.")
    if op.op == "remove":
        del holder[key]
    else:
        holder[key] = copy.deepcopy(op.value)


def _change_list(op: Op, holder: list[Any], key: str) -> None:
    is_end = op.op == "add" and key == "-"
    most = len(holder) if op.op == "add" else len(holder) - 1
    index = len(holder) if is_end else int(key) if _INDEX.fullmatch(key) else -1
    if not 0 <= index <= most:
        raise InvalidValue(f"'{op.path}' is not a place in the list.")
    if op.op == "add":
        holder.insert(index, copy.deepcopy(op.value))
    elif op.op == "replace":
        holder[index] = copy.deepcopy(op.value)
    else:
        del holder[index]
