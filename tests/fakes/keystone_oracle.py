"""keystonemiddleware, run in this process as the oracle of what a request's tokens are worth."""

import json
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_LISTS = ("roles", "service_roles")


@dataclass(frozen=True)
class Verdict:
    """``status`` 200: let through, as the one described by ``identity``."""

    status: int
    identity: Mapping[str, Any] | None = None
    challenge: str | None = None


class Oracle:
    """``options`` are those of [keystone_authtoken]."""

    def __init__(self, options: Mapping[str, str]) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from keystonemiddleware import auth_token

            self._middleware = auth_token.AuthProtocol(_let_through, dict(options))

    def judge(self, method: str, path: str, headers: Mapping[str, str]) -> Verdict:
        """What the middleware does with a request. Blocks: run it in a thread."""
        import webob

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            request = webob.Request.blank(path, method=method, headers=dict(headers))
            answer = request.get_response(self._middleware)
        if answer.status_int != 200:
            return Verdict(answer.status_int, None, answer.headers.get("WWW-Authenticate"))
        identity = json.loads(answer.body)
        return Verdict(200, {**identity, **{name: frozenset(identity[name]) for name in _LISTS}})


def _let_through(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    identity = {
        "user": environ.get("HTTP_X_USER_ID"),
        "user_name": environ.get("HTTP_X_USER_NAME"),
        "user_domain": environ.get("HTTP_X_USER_DOMAIN_ID"),
        "project": environ.get("HTTP_X_PROJECT_ID"),
        "project_name": environ.get("HTTP_X_PROJECT_NAME"),
        "project_domain": environ.get("HTTP_X_PROJECT_DOMAIN_ID"),
        "domain": environ.get("HTTP_X_DOMAIN_ID"),
        "system_scope": environ.get("HTTP_OPENSTACK_SYSTEM_SCOPE"),
        "roles": _roles(environ.get("HTTP_X_ROLES")),
        "service_roles": _roles(environ.get("HTTP_X_SERVICE_ROLES")),
    }
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(identity).encode()]


def _roles(header: str | None) -> list[str]:
    return [role.lower() for role in (header or "").split(",") if role]
