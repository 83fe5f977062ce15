"""Fixtures for every kind of test."""

from collections.abc import Generator
from typing import Any

import pytest
import pytest_asyncio
import structlog

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
    processors=[structlog.processors.format_exc_info, structlog.processors.KeyValueRenderer()]
)

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
