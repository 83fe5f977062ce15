"""A token as Keystone describes it. Source: Keystone API v3, validate token."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bessemer.api.authentication.keystone.access_rule import AccessRule, read_access_rules
from bessemer.service.caller import Caller


@dataclass(frozen=True, slots=True)
class Token:
    """Whose it is (``caller``, without the token itself), until when (seconds since the epoch), and what it
    is restricted to (None: to nothing)."""

    caller: Caller
    expires_at: float
    access_rules: tuple[AccessRule, ...] | None = None


def read_token(document: Any) -> Token:
    """The ``token`` of Keystone's answer.

    Raises:
        ValueError: Not the description of a token.
    """
    try:
        return _read(document)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"not the description of a token: {type(error).__name__} {error}") from error


def _read(document: Any) -> Token:
    user = document["user"]
    project = document.get("project")
    caller = Caller(
        user=_text(user["id"]),
        user_name=_find_text(user, "name"),
        user_domain=_find_text(user.get("domain"), "id"),
        project=_text(project["id"]) if project else None,
        project_name=_find_text(project, "name"),
        project_domain=_find_text(project.get("domain") if project else None, "id"),
        domain=_find_text(document.get("domain"), "id"),
        system_scope="all" if (document.get("system") or {}).get("all") is True else None,
        roles=frozenset(_text(role["name"]).lower() for role in document.get("roles") or ()),
    )
    return Token(
        caller=caller,
        expires_at=read_moment(document["expires_at"]),
        access_rules=read_access_rules(document.get("application_credential")),
    )


def read_moment(text: str) -> float:
    """A time of Keystone's, which is in UTC, as seconds since the epoch. Raises ValueError."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"a time without its zone: {text}")
    return moment.timestamp()


def _find_text(document: Any, key: str) -> str | None:
    """None where Keystone does not say."""
    given = document.get(key) if document is not None else None
    return None if given is None else _text(given)


def _text(given: Any) -> str:
    if not isinstance(given, str) or not given:
        raise ValueError("a name or id that is none")
    return given
