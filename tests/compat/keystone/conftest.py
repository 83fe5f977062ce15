"""A real Keystone with users of every kind, shared by all tests here."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import pytest_asyncio

from fakes.port import free_port
from fakes.real_keystone import (
    SYSTEM,
    RealKeystone,
    by_application_credential,
    by_password,
    of_project,
    real_keystone,
)

#: What an ordinary access rule allows.
RULES = [
    {"service": "baremetal", "method": "GET", "path": "/v1/nodes/*"},
    {"service": "baremetal", "method": "POST", "path": "/v1/ports"},
]


@dataclass
class Cloud:
    """``tokens`` by what they are, ``users`` and ``projects`` by name, with their ids.

    ``service_url`` is the address in the catalogue, where a test may start the service.
    """

    keystone: RealKeystone
    service_port: int
    tokens: dict[str, str] = field(default_factory=dict)
    users: dict[str, str] = field(default_factory=dict)
    projects: dict[str, str] = field(default_factory=dict)

    @property
    def service_url(self) -> str:
        return f"http://127.0.0.1:{self.service_port}"

    @property
    def options(self) -> dict[str, str]:
        """The [keystone_authtoken] section of the service's account."""
        return {
            "www_authenticate_uri": self.keystone.url,
            "auth_url": self.keystone.url,
            "auth_type": "password",
            "username": "bessemer",
            "password": "pw",
            "project_name": "service",
            "user_domain_id": "default",
            "project_domain_id": "default",
            "service_type": "baremetal",
            "service_token_roles": "service",
            "service_token_roles_required": "true",
        }

    def login(self, user: str, project: str) -> tuple[Any, Any]:
        """What ``RealKeystone.issue`` is given for a user's token in a project."""
        return by_password(user, "pw"), of_project(project)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def cloud(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Cloud]:
    async with real_keystone(tmp_path_factory.mktemp("keystone")) as keystone:
        made = Cloud(keystone, free_port())
        await keystone.put_into_catalogue("identity", keystone.url)
        await keystone.put_into_catalogue("baremetal", made.service_url)
        await _populate(made)
        await _issue(made)
        yield made


async def _populate(cloud: Cloud) -> None:
    keystone = cloud.keystone
    for project in ("service", "alpha", "beta"):
        cloud.projects[project] = await keystone.create_project(project)
    grants = {
        "bessemer": [("service", "projects/service")],
        "nova": [("service", "projects/service")],
        "alpha-admin": [("admin", "projects/alpha")],
        "alpha-member": [("member", "projects/alpha")],
        "alpha-reader": [("reader", "projects/alpha")],
        "beta-member": [("member", "projects/beta")],
        "operator": [("admin", "system")],
        "auditor": [("reader", "system")],
        "domain-admin": [("admin", "domains/default")],
    }
    for user, given in grants.items():
        cloud.users[user] = await keystone.create_user(user, "pw")
        for role, place in given:
            kind, _, name = place.partition("/")
            on = f"projects/{cloud.projects[name]}" if kind == "projects" else place
            await keystone.grant(cloud.users[user], role, on=on)


async def _issue(cloud: Cloud) -> None:
    keystone, tokens = cloud.keystone, cloud.tokens

    async def issue(user: str, scope: Any) -> str:
        return await keystone.issue(by_password(user, "pw"), scope)

    tokens["a project's member"] = await issue("alpha-member", of_project("alpha"))
    tokens["a project's admin"] = await issue("alpha-admin", of_project("alpha"))
    tokens["a project's reader"] = await issue("alpha-reader", of_project("alpha"))
    tokens["the system's admin"] = await issue("operator", SYSTEM)
    tokens["the system's reader"] = await issue("auditor", SYSTEM)
    tokens["a domain's admin"] = await issue("domain-admin", {"domain": {"id": "default"}})
    tokens["no scope"] = await issue("alpha-member", "unscoped")
    tokens["a service"] = await issue("nova", of_project("service"))
    tokens["revoked"] = await issue("alpha-member", of_project("alpha"))
    tokens["garbage"] = "gAAAAABmade-up"
    tokens["expired"] = keystone.aged(await issue("alpha-member", of_project("alpha")))

    member = cloud.users["alpha-member"]
    by_member = tokens["a project's member"]
    free = await keystone.create_application_credential(member, by_member, "free")
    tokens["an application credential"] = await keystone.issue(by_application_credential(free))
    bound = await keystone.create_application_credential(member, by_member, "bound", RULES)
    tokens["a restricted application credential"] = await keystone.issue(by_application_credential(bound))

    # What is undone comes last: it may take other tokens of the same user with it.
    leaver = await keystone.create_user("leaver", "pw")
    await keystone.grant(leaver, "member", on=f"projects/{cloud.projects['alpha']}")
    tokens["a disabled user"] = await issue("leaver", of_project("alpha"))
    await keystone.call("PATCH", f"/users/{leaver}", {"user": {"enabled": False}})
    await keystone.revoke(tokens["revoked"])
