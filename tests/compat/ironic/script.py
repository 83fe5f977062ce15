"""Scripts of calls, one a line:

    [words] METHOD path [body]

A body is sent as it stands. Words before the method: ``@1.5`` speaks that version (``@-`` none, default the
newest), ``Name:value`` sends a header. ``<word>`` is a UUID, the same for the same word; ``<=word>`` is what
``let word path`` has kept of the answer before, ``path`` being keys and indexes with dots between.
``(a|b|c)`` stands for one line with each. ``;;`` stands between calls that belong together, for each of those
lines. ``#`` begins a comment.
"""

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from uuid import NAMESPACE_DNS, uuid5

from compat.ironic.side import NEWEST, VERSION_HEADER

_CHOICE = re.compile(r"\(([^()]*\|[^()]*)\)")
_UUID = re.compile(r"<(\w+)>")
_KEPT = re.compile(r"<=(\w+)>")
_HEADER = re.compile(r"([A-Za-z][A-Za-z0-9-]*):(\S*)")
_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE"})


@dataclass(frozen=True)
class Call:
    """``text`` is the line, for people."""

    text: str
    method: str
    path: str
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Keep:
    """Keep what is at ``path`` of the answer before under ``name``."""

    name: str
    path: tuple[str, ...]


def read(file: Path) -> Iterator[Call | Keep]:
    """The calls of a script. Raises ValueError naming a line that is none."""
    for number, line in enumerate(file.read_text().splitlines(), 1):
        text = line.strip()
        if text and not text.startswith("#"):
            try:
                yield from parse(text)
            except ValueError as error:
                raise ValueError(f"{file.name}:{number}: {error}") from error


def named(word: str) -> str:
    """The UUID that ``<word>`` stands for."""
    return str(uuid5(NAMESPACE_DNS, word))


def filled(text: str, kept: Mapping[str, str]) -> str:
    return _KEPT.sub(lambda found: kept.get(found[1], "nothing-was-kept"), text)


def parse(text: str) -> Iterator[Call | Keep]:
    if text.startswith("let "):
        _, name, path = text.split()
        yield Keep(name, tuple(path.split(".")))
        return
    for variant in _variants(text):
        for part in variant.split(" ;; "):
            yield _call(part)


def _variants(text: str) -> Iterator[str]:
    pieces = _CHOICE.split(text)
    choices = [piece.split("|") if at % 2 else [piece] for at, piece in enumerate(pieces)]
    for chosen in itertools.product(*choices):
        yield "".join(chosen)


def _call(text: str) -> Call:
    headers = {VERSION_HEADER: NEWEST}
    rest = text
    while True:
        word, _, rest = rest.partition(" ")
        if word in _METHODS:
            break
        header = _HEADER.fullmatch(word)
        if word == "@-":
            headers.pop(VERSION_HEADER, None)
        elif word.startswith("@"):
            headers[VERSION_HEADER] = word[1:]
        elif header:
            headers[header[1]] = header[2].replace("+", " ")
        else:
            raise ValueError(f"{word!r} is neither a word nor a method")
    path, _, body = rest.partition(" ")
    if not path.startswith("/"):
        raise ValueError(f"{path!r} is no path")
    fill = lambda held: _UUID.sub(lambda found: named(found[1]), held)  # noqa: E731
    return Call(text, word, fill(path), fill(body), headers)
