"""Access rules: what the holder of a restricted application credential may call.

Source: Keystone API v3, application credentials, access rules.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

_PART = re.compile(r"\{[^}]*\}|\*\*|\*|[^{*]+|\{")


@dataclass(frozen=True, slots=True)
class AccessRule:
    """One method at the paths that ``path`` stands for, of the service of type ``service``."""

    service: str
    method: str
    path: str

    def allows(self, service: str, method: str, path: str) -> bool:
        return (
            self.service == service
            and self.method == method
            and _pattern(self.path).fullmatch(path) is not None
        )


def read_access_rules(credential: Any) -> tuple[AccessRule, ...] | None:
    """The rules of a token's ``application_credential``; None when it is not restricted by any.

    Raises:
        ValueError, TypeError, KeyError: Not what Keystone documents.
    """
    given = credential.get("access_rules") if credential is not None else None
    if given is None:
        return None
    return tuple(_rule(rule["service"], rule["method"], rule["path"]) for rule in given)


def is_allowed(rules: Iterable[AccessRule], service: str, method: str, path: str) -> bool:
    return any(rule.allows(service, method, path) for rule in rules)


def _rule(*parts: Any) -> AccessRule:
    if not all(isinstance(part, str) for part in parts):
        raise ValueError("an access rule that is none")
    return AccessRule(*parts)


@lru_cache(maxsize=1024)
def _pattern(path: str) -> re.Pattern[str]:
    """``*`` and ``{name}`` stand for one part of a path, ``**`` for any number of them."""
    pieces = []
    for part in _PART.findall(path):
        if part == "**":
            pieces.append(".*")
        elif part == "*" or (part.startswith("{") and part.endswith("}")):
            pieces.append("[^/]+")
        else:
            pieces.append(re.escape(part))
    return re.compile("".join(pieces))
