"""The callers that access rules are tried with: roles and scopes as Keystone gives them, and a policy."""

import functools
from dataclasses import replace
from pathlib import Path
from typing import Any

from bessemer.api.authentication.proof import Proof
from bessemer.config.settings import Settings
from bessemer.policy.policy import Policy
from bessemer.service.caller import Caller

#: Roles with those they imply.
ROLES = {
    "admin": ("admin", "manager", "member", "reader"),
    "manager": ("manager", "member", "reader"),
    "member": ("member", "reader"),
    "reader": ("reader",),
    "service": ("service",),
}
#: The projects of personas: one owns what is tried, one leases it, one has nothing to do with it.
OWNER, LESSEE, OTHER = "project-of-owner", "project-of-lessee", "project-of-others"
PROJECTS = {"owner": OWNER, "lessee": LESSEE, "other": OTHER, "elevated": "project-of-services"}
#: Name of the project whose services may act for the whole system, where settings say so.
SERVICE_PROJECT = "service"


def persona(name: str) -> Caller:
    """The caller called '<scope>_<role>': scope is ``system``, a key of ``PROJECTS``, or ``nobody`` alone."""
    scope, _, role = name.partition("_")
    caller = Caller(user=name, user_name=name, roles=frozenset(ROLES.get(role, ())))
    if scope == "system":
        return replace(caller, system_scope="all")
    if scope == "nobody":
        return caller
    project_name = SERVICE_PROJECT if scope == "elevated" else scope
    return replace(caller, project=PROJECTS[scope], project_name=project_name, project_domain="d1")


class Masquerade:
    """An authentication that believes whatever persona a token names."""

    async def identify(self, proof: Proof) -> Caller:
        return persona(proof.token) if proof.token else Caller(is_trusted=True)

    async def close(self) -> None:
        return None


@functools.cache
def default_policy() -> Policy:
    """The policy without any file."""
    return Policy.of(Settings())


def policy_with(directory: Path, text: str, **options: Any) -> Policy:
    """A policy with one file of this text. ``options`` are settings of the section DEFAULT or oslo_policy."""
    path = directory / "policy.yaml"
    path.write_text(text)
    settings = Settings()
    rules = replace(settings.oslo_policy, policy_file=str(path), policy_dirs=[])
    names = {name for name in options if hasattr(rules, name)}
    rules = replace(rules, **{name: options[name] for name in names})
    default = replace(settings.default, **{name: options[name] for name in options.keys() - names})
    return Policy.of(replace(settings, default=default, oslo_policy=rules))
