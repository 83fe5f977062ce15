"""Who asks: the identity every use case is told."""

from dataclasses import dataclass

from bessemer.kernel.secret import Secret


@dataclass(frozen=True, slots=True)
class Caller:
    """The one behind a request, as authentication found it.

    user, project, domain: identifiers. ``project`` is the one the token is scoped to, ``domain`` likewise.
    user_name, project_name, user_domain, project_domain: for policy rules and the audit trail
        (names of user and project, identifiers of their domains).
    system_scope: 'all' for a token that is scoped to the whole system, else None.
    roles: names, lower case. ``service_roles``: those of the service that passes the user's request on.
    token: what the user's right is proved to other services with; None where there is none.
    is_trusted: nobody is authenticated here (``noauth``), or the account has no limits: whatever is asked is
        allowed, except to be shown secrets.
    address: where the request came from, for logs.
    global_request_id: the id another service gave the work that this request is part of.
    """

    user: str | None = None
    project: str | None = None
    roles: frozenset[str] = frozenset()
    request_id: str = ""
    global_request_id: str = ""
    address: str = ""
    user_name: str | None = None
    user_domain: str | None = None
    project_name: str | None = None
    project_domain: str | None = None
    domain: str | None = None
    system_scope: str | None = None
    service_roles: frozenset[str] = frozenset()
    token: Secret | None = None
    is_trusted: bool = True

    @property
    def label(self) -> str:
        """The caller as recorded with operations; empty when nobody was authenticated."""
        return self.user or ""
