"""A whole cloud in small: Keystone, the service in its catalogue, and openstacksdk as its users have it."""

import asyncio
import json
import os
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from fakes.program import run
from fakes.service_process import service

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def endpoint(cloud, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """The service at the address that the catalogue says."""
    options = "".join(f"{name} = {text}\n" for name, text in cloud.options.items())
    more = f"[DEFAULT]\nauth_strategy = keystone\n[keystone_authtoken]\n{options}"
    auditor = {"X-Auth-Token": cloud.tokens["the system's reader"]}
    directory = tmp_path_factory.mktemp("service")
    async with service(directory, more=more, port=cloud.service_port, headers=auditor) as address:
        yield address


@pytest.fixture
def connect(cloud, endpoint: str) -> Iterator[Callable[..., Any]]:
    """``connect(user, **scope)``: somebody's clouds.yaml; the service is found by the catalogue."""
    opened = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import openstack

        def build(user: str, **scope: str) -> Any:
            auth = {"auth_url": cloud.keystone.url, "username": user, "password": "pw"}
            domains = {"user_domain_id": "default"}
            if "project_name" in scope:
                domains["project_domain_id"] = "default"
            connection = openstack.connect(
                auth={**auth, **domains, **scope}, load_envvars=False, load_yaml_config=False
            )
            opened.append(connection)
            return connection.baremetal

        yield build
        for connection in opened:
            connection.close()


async def test_each_sees_the_nodes_that_are_theirs(cloud, connect) -> None:
    def act() -> dict[str, list[str]]:
        operator = connect("operator", system_scope="all")
        for name, project in (("alpha-1", "alpha"), ("beta-1", "beta")):
            operator.create_node(driver="fake-hardware", name=name, owner=cloud.projects[project])
        operator.create_node(driver="fake-hardware", name="nobody-s")
        people = {
            "operator": operator,
            "auditor": connect("auditor", system_scope="all"),
            "alpha-reader": connect("alpha-reader", project_name="alpha"),
            "beta-member": connect("beta-member", project_name="beta"),
        }
        return {who: sorted(node.name for node in cloud_.nodes()) for who, cloud_ in people.items()}

    assert await asyncio.to_thread(act) == {
        "operator": ["alpha-1", "beta-1", "nobody-s"],
        "auditor": ["alpha-1", "beta-1", "nobody-s"],
        "alpha-reader": ["alpha-1"],
        "beta-member": ["beta-1"],
    }


async def test_a_reader_may_not_change_what_it_sees(cloud, connect) -> None:
    import openstack.exceptions

    def act() -> str:
        name = "alpha-readonly"
        operator = connect("operator", system_scope="all")
        operator.create_node(driver="fake-hardware", name=name, owner=cloud.projects["alpha"])
        reader = connect("alpha-reader", project_name="alpha")
        with pytest.raises(openstack.exceptions.ForbiddenException):
            reader.set_node_maintenance(reader.find_node(name), "no")
        return name

    assert await asyncio.to_thread(act)


async def test_without_a_token_one_is_sent_to_keystone(cloud, endpoint: str) -> None:
    async with aiohttp.ClientSession(endpoint) as session:
        async with session.get("/v1/nodes") as answer:
            assert answer.status == 401
            assert answer.headers["WWW-Authenticate"] == f'Keystone uri="{cloud.keystone.url}"'
            assert "token" in json.loads((await answer.json())["error_message"])["faultstring"]
        for path, status in (("/", 200), ("/v1", 200), ("/v1/lookup?addresses=52:54:00:00:00:01", 404)):
            async with session.get(path) as answer:
                assert answer.status == status, path


async def test_our_own_command_gets_in_with_a_token(cloud, connect, endpoint: str) -> None:
    def create() -> None:
        connect("operator", system_scope="all").create_node(driver="fake-hardware", name="commanded")

    await asyncio.to_thread(create)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OS_")}
    environment["OS_ENDPOINT"] = endpoint
    for token, expected in (("the system's reader", 0), ("garbage", 1)):
        given = {**environment, "OS_TOKEN": cloud.tokens[token]}
        status, output = await run("bessemer", "operation", "list", "commanded", environment=given)
        assert status == expected, output
