"""Who asks: the identity every use case is told, and what it may.

An API says with which rules a call stands or falls (``asking``). Services hold those rules against what they
find behind the call (``check``, ``limit``; for nodes ``NodeAccess`` does). It fails closed: a caller who asks
for no rule, or whom no policy judges, is refused unless trusted.
"""

from dataclasses import dataclass, field, replace
from typing import Self, TypeAlias

from bessemer.kernel.error import Forbidden
from bessemer.kernel.secret import Secret
from bessemer.policy.compilation import Target
from bessemer.policy.credential import Credentials, credentials
from bessemer.policy.policy import Policy

#: A rule; or several of which one is enough.
Rule: TypeAlias = "str | tuple[str, ...]"

#: Said of nothing: what rules are asked about that do not depend on an owner.
NOTHING: Target = {}
#: Asked also of trusted callers: nobody is shown secrets by accident.
SECRETS = frozenset({"show_password", "show_instance_secrets"})


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
    policy: what judges the caller, by ``creds``.
    rules: those that the caller's request stands or falls with.
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
    is_trusted: bool = False
    policy: Policy | None = field(default=None, repr=False, compare=False)
    creds: Credentials = field(default_factory=dict, repr=False, compare=False)
    rules: tuple[Rule, ...] = field(default=(), repr=False, compare=False)

    @property
    def label(self) -> str:
        """The caller as recorded with operations; empty when nobody was authenticated."""
        return self.user or ""

    @property
    def is_list(self) -> bool:
        """Whether the request stands or falls with the rule of a list."""
        return len(self.rules) == 1 and str(self.rules[0]).endswith(":list")

    # ------------------------------------------------------------------ what is asked

    def under(self, policy: Policy | None, *, is_public: bool = False) -> Self:
        """The caller as ``policy`` judges it. ``is_public``: the call needs no authentication."""
        return replace(self, policy=policy, creds=credentials_of(self, is_public=is_public))

    def asking(self, *rules: Rule) -> Self:
        """The caller with a request that stands or falls with ``rules``, and with none it had before."""
        return replace(self, rules=rules)

    def also_asking(self, *rules: Rule) -> Self:
        return replace(self, rules=(*self.rules, *rules)) if rules else self

    def cleared(self) -> Self:
        """The same caller for what follows from a request that has passed its own rules."""
        return replace(self, is_trusted=True)

    # ------------------------------------------------------------------ what is answered

    def may(self, rule: str, target: Target = NOTHING) -> bool:
        """Whether the caller passes ``rule`` on ``target``."""
        if self.is_trusted and rule not in SECRETS:
            return True
        return self.policy is not None and self.policy.allows(rule, target, self.creds)

    def check(self, target: Target = NOTHING) -> None:
        """Hold the rules of the request against ``target``. Raises Forbidden for the first that fails."""
        if self.is_trusted:
            return
        if not self.rules:
            raise Forbidden("Nothing allows this call.", hint="It is under no rule; that is a defect.")
        for rule in self.rules:
            if isinstance(rule, str):
                if not self.may(rule, target):
                    raise refusal(rule)
            elif not any(self.may(one, target) for one in rule):
                raise refusal(*rule)

    def limit(self, asked: str | None = None) -> str | None:
        """The project whose things a list is to show, None for everybody's. ``asked``: the one asked for.

        The request's only rule is that of the list; passing the rule of the same name with ``_all`` behind it
        lifts the limit.

        Raises:
            Forbidden: Lists are not for the caller; or another project's is asked for.
        """
        if self.is_trusted:
            return asked
        if not self.is_list:
            raise Forbidden("Nothing allows this list.", hint="It is under no rule; that is a defect.")
        rule = str(self.rules[0])
        if self.may(f"{rule}_all"):
            return asked
        if self.project is None or not self.may(rule):
            raise refusal(rule)
        if asked not in (None, self.project):
            raise Forbidden("What belongs to another project is not for the caller.")
        return self.project


def refusal(*rules: str) -> Forbidden:
    """The error that says which rule refused."""
    return Forbidden(f"Access to the resource is refused by policy: {' and '.join(rules)}.")


def credentials_of(caller: Caller, *, is_public: bool = False) -> Credentials:
    """What rules know of ``caller``."""
    return credentials(
        roles=caller.roles,
        is_public_api=is_public,
        user_id=caller.user,
        user_domain_id=caller.user_domain,
        project_id=caller.project,
        project_name=caller.project_name,
        project_domain_id=caller.project_domain,
        domain_id=caller.domain,
        system_scope=caller.system_scope,
    )
