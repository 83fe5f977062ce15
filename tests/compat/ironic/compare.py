"""What differs between two answers to the same call."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from compat.ironic.side import Answer, Side

#: Headers that clients read.
HEADERS = (
    "content-type", "location", "x-openstack-ironic-api-version", "x-openstack-ironic-api-minimum-version",
    "x-openstack-ironic-api-maximum-version", "openstack-request-id", "allow",
)  # fmt: skip
#: Text for people: there must be some on both sides, or on neither.
_PROSE = frozenset({
    "faultstring", "description", "title", "last_error", "reason", "maintenance_reason", "event", "debuginfo",
})  # fmt: skip
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(\+00:00|Z)?")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_REQUEST = re.compile(r"req-[0-9a-f-]{36}")
#: The version nibble of the UUIDs that scripts name: all others were made by the server.
_NAMED = re.compile(r".{14}5")


def differences(theirs: tuple[Side, Answer], ours: tuple[Side, Answer]) -> Iterator[str]:
    """Each as one line: where, what Ironic says, what Bessemer says."""
    (their_side, their), (our_side, our) = theirs, ours
    if their.status != our.status:
        yield _line("status", their.status, our.status, f" ({_text(their)}) ({_text(our)})")
        return
    for name in HEADERS:
        held = [_plain(answer.headers.get(name), side) for side, answer in (theirs, ours)]
        if name == "content-type":
            held = [one and one.split(";")[0] for one in held]
        if held[0] != held[1]:
            yield _line(f"header {name}", *held)
    documents_of = opened(their, their_side), opened(our, our_side)
    forms = [_form(document) for document in documents_of]
    if forms[0] != forms[1]:
        yield _line("form of the error", *forms)
    else:
        yield from documents(*documents_of)


def documents(their: Any, our: Any, where: str = "") -> Iterator[str]:
    """What differs between two documents, both ``opened``."""
    if isinstance(their, dict) and isinstance(our, dict):
        if their.get("uuid") == our.get("uuid"):
            yield from _objects(their, our, where)
        else:
            yield _line(f"{where}.uuid", their.get("uuid"), our.get("uuid"))
    elif isinstance(their, list) and isinstance(our, list):
        yield from _lists(their, our, where)
    elif their != our or type(their) is not type(our):
        yield _line(where or "body", their, our)


def _objects(their: Mapping[str, Any], our: Mapping[str, Any], where: str) -> Iterator[str]:
    for key in sorted(their.keys() | our.keys()):
        below = f"{where}.{key}" if where else key
        if key not in our or key not in their:
            yield _line(below, their.get(key, "(absent)"), our.get(key, "(absent)"))
        elif key == "next":
            if _leads_to(their[key]) != _leads_to(our[key]):
                yield _line(below, their[key], our[key])
        elif key not in _PROSE or not _is_prose(their[key]) or not _is_prose(our[key]):
            yield from documents(their[key], our[key], below)


def _lists(their: Sequence[Any], our: Sequence[Any], where: str) -> Iterator[str]:
    if len(their) != len(our):
        yield _line(where or "body", _identities(their), _identities(our))
        return
    if where.rpartition(".")[2].startswith("enabled_"):
        their, our = sorted(their), sorted(our)  # sets to Ironic: in another order after each start
    for at, (one, other) in enumerate(zip(their, our, strict=True)):
        yield from documents(one, other, f"{where}[{at}]")


def opened(answer: Answer, side: Side) -> Any:
    """The document with the error inside it decoded, and all that is one server's own made the same."""
    document = answer.document
    if isinstance(document, dict) and isinstance(document.get("error_message"), str):
        try:
            document["error_message"] = json.loads(document["error_message"])
        except ValueError:
            document["error_message"] = "(text)"
    return _plain(document, side)


def _form(document: Any) -> str:
    """Which of the forms an error has; empty for what is no error."""
    inner = document.get("error_message") if isinstance(document, dict) else None
    if not isinstance(inner, dict):
        return ""
    return "a fault" if "faultstring" in inner else "of routing"


def _plain(held: Any, side: Side) -> Any:
    if isinstance(held, dict):
        return {_plain(key, side): _plain(one, side) for key, one in held.items()}
    if isinstance(held, list):
        return [_plain(one, side) for one in held]
    if not isinstance(held, str):
        return held
    text = _REQUEST.sub("(request)", held.replace(side.address, "(base)"))
    text = _TIME.sub("(time)", text)
    return _UUID.sub(lambda found: found[0] if _NAMED.match(found[0]) else "(uuid)", text)


def _leads_to(address: str) -> tuple[str, list[tuple[str, str]]]:
    """What matters of the address of a next page: ours keeps the question, theirs a part of it."""
    parts = urlsplit(address)
    return parts.path, [pair for pair in parse_qsl(parts.query) if pair[0] in ("limit", "marker")]


def _identities(items: Sequence[Any]) -> list[Any]:
    """What tells the items of a list apart."""
    return [
        next((one[key] for key in ("uuid", "name", "id") if one.get(key)), one)
        if isinstance(one, dict)
        else one
        for one in items
    ]


def _is_prose(held: Any) -> bool:
    return isinstance(held, str) and held != ""


def _line(where: str, their: Any, our: Any, more: str = "") -> str:
    return f"{where}: {_short(their)} != {_short(our)}{more}"


def _short(held: Any) -> str:
    text = held if isinstance(held, str) else json.dumps(held)
    return text if len(text) <= 160 else f"{text[:160]}..."


def _text(answer: Answer) -> str:
    """The message of an error."""
    document = answer.document
    try:
        inner = json.loads(document["error_message"])
        return str(inner.get("faultstring") or inner.get("description"))[:160]
    except (TypeError, KeyError, ValueError, AttributeError):
        return str(document)[:80]
