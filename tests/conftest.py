"""Fixtures for every kind of test."""

from fixture_database import (
    clock,
    database,
    database_url,
    family,
    postgresql,
    postgresql_template,
    sqlite_template,
)  # fmt: skip

__all__ = [
    "clock",
    "database",
    "database_url",
    "family",
    "postgresql",
    "postgresql_template",
    "sqlite_template",
]
