"""Accounts in a file, over TLS: our command, openstacksdk and the baremetal command bring a password."""

import asyncio
import base64
import os
import ssl
import warnings
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

import aiohttp
import bcrypt
import pytest
import pytest_asyncio

from fakes.certificate import ServerCertificate, make_certificate
from fakes.program import run
from fakes.service_process import service

pytestmark = pytest.mark.asyncio(loop_scope="session")

PASSWORD = "open sesame: é"


@dataclass(frozen=True)
class Place:
    endpoint: str
    certificate: ServerCertificate

    def environment(self, user: str, password: str = PASSWORD) -> dict[str, str]:
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith("OS_")},
            "OS_AUTH_TYPE": "http_basic",
            "OS_ENDPOINT": self.endpoint,
            "OS_USERNAME": user,
            "OS_PASSWORD": password,
            "OS_CACERT": str(self.certificate.certificate),
        }


def basic(user: str, password: str = PASSWORD) -> Mapping[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    directory = tmp_path_factory.mktemp("service")
    made = make_certificate(directory, is_ca=True)
    hashed = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
    (directory / "htpasswd").write_text(
        f"root:{hashed}\nauditor:{hashed}:reader\nalpha:{hashed}:member:alpha\n"
    )
    more = (
        f"enable_ssl_api = true\ncert_file = {made.certificate}\nkey_file = {made.key}\n"
        f"[DEFAULT]\nauth_strategy = http_basic\nhttp_basic_auth_user_file = {directory / 'htpasswd'}\n"
    )
    tls = ssl.create_default_context(cafile=str(made.certificate))
    async with service(directory, more=more, headers=basic("root"), tls=tls) as endpoint:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=tls)) as session:
            for name, owner in (("one", "alpha"), ("two", "beta")):
                body = {"driver": "fake-hardware", "name": name, "owner": owner}
                version = {"X-OpenStack-Ironic-API-Version": "1.115", **basic("root")}
                async with session.post(f"{endpoint}/v1/nodes", json=body, headers=version) as answer:
                    assert answer.status == 201, await answer.text()
        yield Place(endpoint, made)


async def test_our_own_command_gets_in_with_a_password(place: Place) -> None:
    status, output = await run("bessemer", "operation", "list", "one", environment=place.environment("root"))
    assert (status, output) == (0, "")
    status, output = await run(
        "bessemer", "operation", "list", "one", environment=place.environment("root", "wrong")
    )
    assert status == 1
    assert "User or password is wrong" in output


async def test_the_baremetal_command_gets_in_with_a_password(place: Place) -> None:
    status, output = await run(
        "baremetal", "node", "list", "-f", "value", "-c", "Name", environment=place.environment("auditor")
    )
    assert (status, sorted(output.split())) == (0, ["one", "two"])


async def test_openstacksdk_sees_what_the_account_s_project_has(place: Place) -> None:
    def names() -> list[str]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import openstack

            connection = openstack.connect(
                auth_type="http_basic",
                auth={"endpoint": place.endpoint, "username": "alpha", "password": PASSWORD},
                cacert=str(place.certificate.certificate),
                load_envvars=False,
                load_yaml_config=False,
            )
            try:
                return [node.name for node in connection.baremetal.nodes()]
            finally:
                connection.close()

    assert await asyncio.to_thread(names) == ["one"]
