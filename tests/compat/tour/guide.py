"""Runs commands of the ``baremetal`` command line, and remembers which of those in its help have run."""

import shlex
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fakes.baremetal_command import Baremetal, CommandFailed

#: Longest wait for a node to get where it was sent, in seconds.
PATIENCE_S = 60.0


class Guide:
    """A command is given as one line; ``more`` are further words, taken as they are.

    ``ran`` are the names of the commands that have run, as the help has them. ``directory`` takes files.
    """

    def __init__(self, baremetal: Baremetal, directory: Path) -> None:
        self._baremetal = baremetal
        self._visited: set[Any] = set()
        self.directory = directory
        self.known = commands_in_help()
        self.ran: set[str] = set()

    def visit(self, stop: Callable[["Guide"], None]) -> None:
        """Go to a stop of the tour, once."""
        if stop not in self._visited:
            self._visited.add(stop)
            stop(self)

    def do(self, line: str, *more: str) -> str:
        """What the command printed. Raises CommandFailed."""
        words = self._words(line, more)
        return str(self._baremetal(*words))

    def say(self, line: str, *more: str) -> Any:
        """What the command printed, as a document. Raises CommandFailed."""
        return self._baremetal(*self._words(line, more), json_output=True)

    def refused(self, line: str, *more: str, why: str) -> None:
        """The command must fail, and say ``why`` (a pattern)."""
        with pytest.raises(CommandFailed, match=why):
            self.do(line, *more)

    def node(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.say(f"node show {name}")
        return found

    def enrol(self, name: str, options: str = "") -> dict[str, Any]:
        made: dict[str, Any] = self.say(f"node create --driver fake-hardware --name {name} {options}")
        return made

    def reaches(self, name: str, **wanted: Any) -> dict[str, Any]:
        """The node once it has these values and nothing works on it any more."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            node = self.node(name)
            is_there = all(node[field] == value for field, value in wanted.items())
            if is_there and node["reservation"] is None and node["target_power_state"] is None:
                return node
            found = {field: node[field] for field in (*wanted, "last_error")}
            assert time.monotonic() < deadline, f"{name} is not {wanted} but {found}"

    def goes(self, verb: str, name: str, state: str, *more: str) -> dict[str, Any]:
        """Ask for a verb; the node once it is in the provision state."""
        assert self.do(f"node {verb} {name}", *more) == ""
        return self.reaches(name, provision_state=state)

    def _words(self, line: str, more: tuple[str, ...]) -> list[str]:
        words = shlex.split(line)
        self.ran.add(
            next(name for name in by_length(self.known) if words[: len(name.split())] == name.split())
        )
        return [*words, *more]


def by_length(names: set[str]) -> list[str]:
    """Longest first: ``port group list`` is not ``port``."""
    return sorted(names, key=lambda name: -len(name.split()))


def commands_in_help() -> set[str]:
    """The names of all commands, as ``baremetal --help`` lists them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # theirs
        from ironicclient.shell import App

        return {name for name, _ in App().command_manager}


def column(rows: list[dict[str, Any]], name: str) -> list[Any]:
    """One column of a list."""
    return [row[name] for row in rows]
