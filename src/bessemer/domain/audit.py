"""Audit events, and the chain they are put into: each link's hash covers the one before it.

What is hashed is the event's own text as it is stored, so that a later version, whose events have other
fields, checks old links as they were written.
"""

import hashlib
from collections.abc import Sequence
from enum import StrEnum
from typing import Final

import msgspec

from bessemer.kernel.clock import Timestamp

#: Fields that lists are filtered by. They lie in columns of their own, some in an index, which hold no NUL
#: and not more than a few kilobytes: more than a request may name.
_LISTED = ("user", "project", "resource", "request_id")
_LONGEST = 255

#: What stands in for the hash before the first link.
GENESIS: Final = "0" * 64


class Outcome(StrEnum):
    #: The change was made.
    DONE = "done"
    #: The caller was not allowed to, or was nobody we know.
    REFUSED = "refused"
    #: Something was changed, and then the request failed all the same.
    FAILED = "failed"


class AuditEvent(msgspec.Struct, frozen=True, kw_only=True):
    """Who did what to what, and what came of it.

    user, project: identifiers; absent where nobody was authenticated.
    address: where the request came from.
    method, route: what was asked, ``route`` with the names of its variable parts; for what was done on the
        host, no method, and the command.
    rule: the policy rule it stood or fell with.
    resource_type, resource: what it was about, by UUID, or as the request named it where no UUID was found.
    changed: everything that was changed with it, as ``type/uuid``.
    status: of the answer; absent where the event was written together with the change, before the answer.
    detail: what else there is to know.
    """

    uuid: str
    at: Timestamp
    outcome: Outcome
    request_id: str = ""
    global_request_id: str = ""
    user: str | None = None
    user_name: str | None = None
    project: str | None = None
    project_name: str | None = None
    system_scope: str | None = None
    roles: Sequence[str] = ()
    address: str = ""
    method: str = ""
    route: str = ""
    rule: str = ""
    resource_type: str = ""
    resource: str = ""
    changed: Sequence[str] = ()
    status: int | None = None
    detail: str = ""


def canonical(event: AuditEvent) -> str:
    """The event as the text that is stored and hashed: JSON, keys in order, no spaces."""
    return msgspec.json.encode(event, order="sorted").decode()


def fitted(event: AuditEvent) -> AuditEvent:
    """``event`` as every database can keep it, saying in its detail what is not as it was asked; the event
    itself where nothing is in the way."""
    given = {name: getattr(event, name) for name in _LISTED}
    fit = {name: value and value.replace("\x00", "\ufffd")[:_LONGEST] for name, value in given.items()}
    changed = [name for name in _LISTED if fit[name] != given[name]]
    if not changed:
        return event
    told = f"not kept as it was given: {', '.join(changed)}"
    return msgspec.structs.replace(event, **fit, detail="; ".join(filter(None, (event.detail, told))))


def parse(text: str) -> AuditEvent:
    """Raises ValueError when ``text`` is no audit event."""
    return msgspec.json.decode(text, type=AuditEvent)


def link_hash(previous: str, position: int, text: str) -> str:
    """The hash of the link at ``position`` (from 1) that holds ``text`` and comes after ``previous``."""
    return hashlib.sha256(f"{previous}\n{position}\n{text}".encode()).hexdigest()
