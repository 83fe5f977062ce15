"""Alembic, driven by program: no ini file, no command line, and a connection that is already open."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection


def configuration() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.set_main_option("path_separator", "os")
    return config


def known_revisions() -> set[str]:
    directory = ScriptDirectory.from_config(configuration())
    return {script.revision for script in directory.walk_revisions()}


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Bring the database to ``revision`` inside the transaction of ``connection``."""
    config = configuration()
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def oldest_program() -> str:
    """The oldest revision whose program works with the newest schema. Revisions are four digits."""
    directory = ScriptDirectory.from_config(configuration())
    scripts = list(directory.walk_revisions())
    return max(getattr(script.module, "NEEDS", "0001") for script in scripts)
