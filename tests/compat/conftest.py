"""Real clients against the real service: a process of its own with fake hardware, shared by all tests."""

import warnings
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio

from fakes.baremetal_command import Baremetal
from fakes.service_process import service


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def endpoint(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    async with service(tmp_path_factory.mktemp("service")) as address:
        yield address


@pytest.fixture
def baremetal(endpoint: str) -> Baremetal:
    return Baremetal(endpoint)


@pytest.fixture
def sdk(endpoint: str) -> Iterator[Any]:
    """openstacksdk's bare-metal proxy."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import openstack

        connection = openstack.connect(
            auth_type="none", baremetal_endpoint_override=endpoint, load_envvars=False, load_yaml_config=False
        )
        yield connection.baremetal
        connection.close()
