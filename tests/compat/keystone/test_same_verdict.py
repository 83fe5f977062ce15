"""The same tokens get the same verdict and the same identity from keystonemiddleware and from us."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
import pytest_asyncio

from bessemer.api.authentication.keystone.server import KeystoneServer
from bessemer.api.authentication.keystone.validator import KeystoneAuthentication
from bessemer.api.authentication.proof import Denial, Proof
from bessemer.config.load import load_settings
from bessemer.config.settings import KeystoneAuthtokenSettings
from fakes.keystone_oracle import Oracle, Verdict

pytestmark = pytest.mark.asyncio(loop_scope="session")

NODES, NODE, PORTS = "/v1/nodes", "/v1/nodes/n1", "/v1/ports"
RESTRICTED = "a restricted application credential"

#: Token, service token, method, path, and the verdict both must come to.
CASES = [
    (None, None, "GET", NODES, 401),
    ("a project's member", None, "GET", NODES, 200),
    ("a project's admin", None, "POST", NODES, 200),
    ("a project's reader", None, "GET", NODES, 200),
    ("the system's admin", None, "GET", NODES, 200),
    ("the system's reader", None, "GET", NODES, 200),
    ("a domain's admin", None, "GET", NODES, 200),
    ("no scope", None, "GET", NODES, 200),
    ("a service", None, "GET", NODES, 200),
    ("garbage", None, "GET", NODES, 401),
    ("expired", None, "GET", NODES, 401),
    ("revoked", None, "GET", NODES, 401),
    ("a disabled user", None, "GET", NODES, 401),
    ("an application credential", None, "DELETE", NODE, 200),
    (RESTRICTED, None, "GET", NODE, 200),
    (RESTRICTED, None, "POST", PORTS, 200),
    (RESTRICTED, None, "GET", NODES, 401),
    (RESTRICTED, None, "DELETE", NODE, 401),
    (RESTRICTED, None, "GET", PORTS, 401),
    (RESTRICTED, None, "GET", f"{NODE}/states", 401),
    (RESTRICTED, "a service", "GET", NODES, 200),
    ("a project's member", "a service", "GET", NODES, 200),
    ("expired", "a service", "GET", NODES, 200),
    ("garbage", "a service", "GET", NODES, 401),
    ("revoked", "a service", "GET", NODES, 401),
    ("a disabled user", "a service", "GET", NODES, 401),
    (None, "a service", "GET", NODES, 401),
    ("a project's member", "a project's admin", "GET", NODES, 401),
    ("a project's member", "garbage", "GET", NODES, 401),
    ("a project's member", "expired", "GET", NODES, 401),
    ("expired", "a project's admin", "GET", NODES, 401),
]


def settings_of(options: Mapping[str, str], directory: Path, **more: object) -> KeystoneAuthtokenSettings:
    """As an operator's file gives them."""
    given = {**options, **{name: str(value) for name, value in more.items()}}
    path = directory / "bessemer.conf"
    path.write_text("[keystone_authtoken]\n" + "".join(f"{name} = {text}\n" for name, text in given.items()))
    settings, unknown = load_settings(path)
    assert unknown == []
    return settings.keystone_authtoken


async def ours(
    validator: KeystoneAuthentication, method: str, path: str, token: str, service: str
) -> Verdict:
    try:
        caller = await validator.identify(Proof(method, path, token=token, service_token=service))
    except Denial as denial:
        headers = dict(denial.headers)
        return Verdict(denial.status, None, headers.get(b"www-authenticate", b"").decode())
    names = (
        "user", "user_name", "user_domain", "project", "project_name", "project_domain", "domain",
        "system_scope", "roles", "service_roles",
    )  # fmt: skip
    return Verdict(200, {name: getattr(caller, name) for name in names})


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def validator(cloud, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[KeystoneAuthentication]:
    settings = settings_of(cloud.options, tmp_path_factory.mktemp("settings"))
    made = KeystoneAuthentication(settings, KeystoneServer(settings))
    yield made
    await made.close()


@pytest.fixture(scope="module")
def oracle(cloud) -> Oracle:
    return Oracle(cloud.options)


@pytest.mark.parametrize("again", ["asked", "remembered"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: ", ".join(str(part) for part in case))
async def test_verdict_and_identity_are_those_of_keystonemiddleware(
    cloud, validator, oracle, case, again
) -> None:
    token, service, method, path, status = case
    headers = {}
    if token:
        headers["X-Auth-Token"] = cloud.tokens[token]
    if service:
        headers["X-Service-Token"] = cloud.tokens[service]
    expected = await asyncio.to_thread(oracle.judge, method, path, headers)
    given = (headers.get("X-Auth-Token", ""), headers.get("X-Service-Token", ""))
    found = await ours(validator, method, path, *given)
    assert found == expected
    assert found.status == status


async def test_a_revocation_is_seen_once_the_cache_time_is_over(cloud, tmp_path: Path) -> None:
    settings = settings_of(cloud.options, tmp_path, token_cache_time=1)
    time = [0.0]
    validator = KeystoneAuthentication(settings, KeystoneServer(settings), monotonic=lambda: time[0])
    token = await cloud.keystone.issue(*cloud.login("beta-member", "beta"))
    try:
        assert (await ours(validator, "GET", NODES, token, "")).status == 200
        await cloud.keystone.revoke(token)
        assert (await ours(validator, "GET", NODES, token, "")).status == 200
        time[0] = 1.0
        assert (await ours(validator, "GET", NODES, token, "")).status == 401
    finally:
        await validator.close()


async def test_our_account_may_be_an_application_credential(cloud, tmp_path: Path) -> None:
    token = await cloud.keystone.issue(*cloud.login("bessemer", "service"))
    made = await cloud.keystone.create_application_credential(cloud.users["bessemer"], token, "ours")
    options = {
        "auth_url": cloud.keystone.url,
        "auth_type": "v3applicationcredential",
        "application_credential_id": made["id"],
        "application_credential_secret": made["secret"],
    }
    settings = settings_of(options, tmp_path)
    validator = KeystoneAuthentication(settings, KeystoneServer(settings))
    try:
        verdict = await ours(validator, "GET", NODES, cloud.tokens["a project's reader"], "")
        assert verdict.identity is not None
        assert verdict.identity["project"] == cloud.projects["alpha"]
    finally:
        await validator.close()


async def test_an_account_that_may_not_validate_tokens_gives_no_verdict(cloud, tmp_path: Path) -> None:
    options = {**cloud.options, "username": "beta-member", "project_name": "beta"}
    settings = settings_of(options, tmp_path)
    validator = KeystoneAuthentication(settings, KeystoneServer(settings))
    try:
        verdict = await ours(validator, "GET", NODES, cloud.tokens["a project's reader"], "")
        assert verdict.status == 503
    finally:
        await validator.close()
