"""Routes as rows, and the tree that finds the row for a request.

A row says which version its call came with and which status an older request gets; that status is not the
same everywhere (404, 405, 406). Source: v1 contract, routes and api_wide.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field

from bessemer.api.v1.call import Answer, Call
from bessemer.api.v1.error import Refusal
from bessemer.api.v1.table.field import Body, Param, Table
from bessemer.api.v1.version import MIN, Version

Handler = Callable[[Call], Awaitable[Answer]]

#: In place of a rule: the answer is the same for everybody, and tells nothing that is anybody's.
OPEN = "open"


@dataclass(frozen=True, slots=True)
class PatchOf:
    """The body is a JSON Patch of ``table``'s roots."""

    table: Table


@dataclass(frozen=True, slots=True)
class Anything:
    """The body is any JSON document, or none."""


@dataclass(frozen=True, slots=True)
class Route:
    """One method at one path. ``body`` None: whatever is sent is ignored. ``size_kib``: bound of the body.

    ``rule`` is what the call stands or falls with, wherever the request leads: see ``service.caller``. A row
    without one is refused to everybody who is not trusted. ``also_in`` are versions before ``since`` in which
    it is there too.
    """

    method: str
    path: str
    handler: Handler
    since: int = MIN
    gate: int = 404
    query: Sequence[Param] = ()
    body: Body | PatchOf | Anything | None = None
    size_kib: int | None = None
    also_in: frozenset[int] = frozenset()
    rule: str = ""

    @property
    def template(self) -> str:
        """The path as figures and traces name it."""
        return self.path if self.path in ("/", "/v1") else f"/v1{self.path}"

    def is_in(self, minor: int) -> bool:
        return minor >= self.since or minor in self.also_in


@dataclass(slots=True)
class _Branch:
    literals: dict[str, "_Branch"] = field(default_factory=dict)
    variable: "tuple[str, _Branch] | None" = None
    routes: dict[str, Route] = field(default_factory=dict)


class Router:
    """All routes. A literal part of a path wins over a variable one."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self.routes = tuple(routes)
        self._root = _Branch()
        for route in self.routes:
            branch = self._root
            for part in _parts(route.path):
                branch = _grow(branch, part)
            if route.method in branch.routes:
                raise ValueError(f"two routes for {route.method} {route.path}")
            branch.routes[route.method] = route

    def find(self, method: str, path: str, version: Version) -> tuple[Route | None, dict[str, str]]:
        """The route of a request and the variable parts of its path. No route: an OPTIONS request.

        Raises:
            Refusal: 404: no such path; 405: no such method there; the route's gate: it is newer.
        """
        params: dict[str, str] = {}
        branch = self._root
        if "\x00" in path:  # no name of ours holds it, and no column of PostgreSQL
            raise _not_found()
        parts = _parts(path)
        for part in parts:
            following = branch.literals.get(part)
            if following is None and branch.variable is not None:
                name, following = branch.variable
                params[name] = part
            if following is None:
                raise _not_found()
            branch = following
        if not branch.routes:
            raise _not_found()
        route = branch.routes.get(method)
        if route is None and method != "OPTIONS":
            allowed = ", ".join(sorted(branch.routes)).encode()
            raise Refusal(
                405, f"{method} is not allowed here.", is_routing=True, headers=((b"allow", allowed),)
            )
        if route is not None and not route.is_in(version.minor):
            raise Refusal(route.gate, f"This needs API version 1.{route.since} or newer.", is_routing=True)
        return route, params


def _parts(path: str) -> list[str]:
    """The parts of a path. ``/v1`` in front may be left out; a slash at the end means nothing."""
    parts = path.strip("/").split("/")
    if parts[0] == "v1" and len(parts) > 1:
        return parts[1:]
    return [] if parts == [""] else parts


def _grow(branch: _Branch, part: str) -> _Branch:
    if not part.startswith("{"):
        return branch.literals.setdefault(part, _Branch())
    name = part[1:-1]
    if branch.variable is None:
        branch.variable = (name, _Branch())
    if branch.variable[0] != name:
        raise ValueError(f"two names for one part of a path: {name}, {branch.variable[0]}")
    return branch.variable[1]


def _not_found() -> Refusal:
    return Refusal(404, "There is nothing at this address.", is_routing=True)
