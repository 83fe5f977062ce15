"""A Keystone that is made up, and the validator in front of it, on a clock that the test moves."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import pytest_asyncio

from bessemer.api.authentication.keystone.server import KeystoneServer
from bessemer.api.authentication.keystone.validator import KeystoneAuthentication
from bessemer.api.authentication.proof import Proof
from bessemer.config.settings import KeystoneAuthtokenSettings
from bessemer.kernel.secret import Secret
from bessemer.service.caller import Caller
from fakes.keystone import FakeKeystone, fake_keystone


@dataclass
class Time:
    seconds: float = 1_800_000_000.0

    def __call__(self) -> float:
        return self.seconds


@dataclass
class Bench:
    """The validator, the Keystone it asks, and the time both live in."""

    keystone: FakeKeystone
    time: Time
    validator: KeystoneAuthentication

    async def ask(
        self, token: str, *, service: str = "", method: str = "GET", path: str = "/v1/nodes"
    ) -> Caller:
        return await self.validator.identify(Proof(method, path, token=token, service_token=service))

    def pass_time(self, seconds: float) -> None:
        self.time.seconds += seconds
        self.keystone.now = self.time.seconds


Make = Callable[..., Bench]


@pytest_asyncio.fixture
async def make() -> AsyncIterator[Make]:
    """``make(**options)``: with these options of [keystone_authtoken]."""
    async with AsyncExitStack() as stack:
        keystone = await stack.enter_async_context(fake_keystone())
        benches: list[Bench] = []

        def build(**options: Any) -> Bench:
            given = {
                "auth_url": keystone.url,
                "username": "bessemer",
                "password": Secret(keystone.password),
                "project_name": "service",
                **options,
            }
            settings, time = KeystoneAuthtokenSettings(**given), Time()
            keystone.now = time.seconds
            server = KeystoneServer(settings, wall=time, monotonic=time)
            validator = KeystoneAuthentication(settings, server, wall=time, monotonic=time)
            benches.append(Bench(keystone, time, validator))
            return benches[-1]

        yield build
        for bench in benches:
            await bench.validator.close()


@pytest_asyncio.fixture
async def bench(make: Make) -> Bench:
    return make()
