"""What a Redfish resource is to the server: a path, what it reads as, and what may be done to it."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer; a body of None means status 204."""

    body: Json | None = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


NO_CONTENT = Answer(status=204)

Reader = Callable[[], Json]
Writer = Callable[[Json], Awaitable[Answer]]
Remover = Callable[[], Awaitable[Answer]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One resource or action target. ``patch`` and ``post`` receive the parsed JSON object of the request."""

    path: str
    get: Reader | None = None
    patch: Writer | None = None
    post: Writer | None = None
    delete: Remover | None = None
    #: Whether anybody may read it without logging in.
    is_public: bool = False


def link(path: str) -> Json:
    """A reference to another resource."""
    return {"@odata.id": path}


def collection(path: str, odata_type: str, name: str, members: Iterable[str]) -> Resource:
    """A collection whose members never change. ``odata_type`` is such as ``ProcessorCollection``."""
    return Resource(path=path, get=lambda: collection_body(path, odata_type, name, members))


def collection_body(path: str, odata_type: str, name: str, members: Iterable[str]) -> Json:
    """What a collection reads as."""
    links = [link(member) for member in members]
    return {
        "@odata.id": path,
        "@odata.type": f"#{odata_type}.{odata_type}",
        "Name": name,
        "Members@odata.count": len(links),
        "Members": links,
    }
