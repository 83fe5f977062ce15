"""Plays the same calls to both servers and collects what they answer differently."""

import re
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from compat.ironic.compare import differences, documents
from compat.ironic.compare import opened as opened_answer
from compat.ironic.script import Call, Keep, filled
from compat.ironic.side import Answer, Side

#: A call that sets a node on its way.
_MOVES = re.compile(r"/(?:v1/)?nodes/([^/]+)/states/\w+/?")
BOTH = ThreadPoolExecutor(2, thread_name_prefix="side")


@dataclass(frozen=True)
class Difference:
    """``where`` is the script, ``call`` its line."""

    where: str
    call: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.call} | {self.what}"


@dataclass
class Pair:
    """``calls`` counts what has been compared."""

    ironic: Side
    bessemer: Side
    calls: int = 0

    def both(self, do: Callable[[Side], Any]) -> tuple[Any, Any]:
        """``do`` with both sides at the same time."""
        first, second = (BOTH.submit(do, side) for side in (self.ironic, self.bessemer))
        return first.result(), second.result()

    def play(self, where: str, script: Iterable[Call | Keep]) -> Iterator[Difference]:
        """What differs. A field that goes on to differ in the same way is told of once."""
        told: set[str] = set()
        for one in self._play(where, script):
            is_new = one.what not in told or one.what.startswith("status")
            told.add(one.what)
            if is_new:
                yield one

    def _play(self, where: str, script: Iterable[Call | Keep]) -> Iterator[Difference]:
        answers: tuple[Answer, Answer] | None = None
        for one in script:
            if isinstance(one, Keep):
                assert answers is not None, "nothing to keep anything of"
                for side, answer in zip((self.ironic, self.bessemer), answers, strict=True):
                    side.kept[one.name] = _at(answer.document, one.path)
                continue
            answers = self.call(one)
            for what in differences((self.ironic, answers[0]), (self.bessemer, answers[1])):
                yield Difference(where, one.text, what)
            moved = _MOVES.fullmatch(one.path)
            if moved and one.method == "PUT" and 202 in (answers[0].status, answers[1].status):
                for what in self._came_to(moved[1]):
                    yield Difference(where, one.text, what)

    def call(self, call: Call) -> tuple[Answer, Answer]:
        self.calls += 1
        return self.both(
            lambda side: side.call(
                call.method, filled(call.path, side.kept), filled(call.body, side.kept), call.headers
            )
        )

    def wipe(self) -> None:
        self.both(Side.wipe)

    def _came_to(self, ident: str) -> Iterator[str]:
        """How the nodes differ that a call has moved, once both are at rest."""
        try:
            self.both(lambda side: side.settle(ident))
        except TimeoutError as error:
            yield str(error)
            return
        answers = self.both(lambda side: side.call("GET", f"/v1/nodes/{ident}"))
        yield from documents(opened_answer(answers[0], self.ironic), opened_answer(answers[1], self.bessemer))


def _at(document: Any, path: Iterable[str]) -> str:
    for key in path:
        try:
            document = document[int(key)] if isinstance(document, list) else document[key]
        except (LookupError, ValueError, TypeError):
            return "nothing-was-there"
    return str(document)
