"""Fixtures for every kind of test."""

import logging
from collections.abc import Generator, Iterator
from typing import Any

import pytest
import pytest_asyncio
import structlog
from hypothesis import HealthCheck, settings

from fakes.canary import WATCH, LogHandler
from fixture_database import (
    clock,
    database,
    database_url,
    family,
    postgresql,
    postgresql_template,
    sqlite_template,
)  # fmt: skip

# Tracebacks as Python writes them: the default renderer spends half a second on each.
structlog.configure(
    processors=[
        structlog.processors.format_exc_info,
        WATCH.processor,
        structlog.processors.KeyValueRenderer(),
    ]
)
logging.getLogger().addHandler(LogHandler(WATCH))

# How long an example takes says nothing about it: the machine may have stood still. Every run tries the same
# ones: a new one would be blamed on the last change. ``--hypothesis-profile=default`` looks for more.
settings.register_profile(
    "any machine", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any machine")

__all__ = [
    "clock",
    "database",
    "database_url",
    "family",
    "postgresql",
    "postgresql_template",
    "sqlite_template",
]


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, Any, Any]:
    """Keep looptime away from tests without an event loop: it would make one and leave it open."""
    if not pytest_asyncio.is_async_test(pyfuncitem):
        pyfuncitem.funcargs.pop("event_loop_policy", None)
    return (yield)


@pytest.fixture(autouse=True)
def no_secret_shows(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fails each test in which a secret that was given to the API comes out of it again, or is logged. Tests
    that show secrets on purpose say so with ``WATCH.paused()``."""
    WATCH.begin()
    yield
    sightings = list(WATCH.sightings)
    WATCH.begin()
    assert not sightings, "\n".join(sightings)
