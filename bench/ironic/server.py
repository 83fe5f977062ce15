"""Ironic as small as it gets: API and conductor together, no message broker, no authentication."""

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from bench.api.server import Server, free_port, started

_KINDS = ("bios", "boot", "console", "deploy", "firmware", "inspect", "management", "power", "raid", "rescue",
          "vendor")  # fmt: skip

# Cleaning is on and the fake interfaces take no time, as in the defaults of both. Looking after the power of
# machines in the background is off, as it is for Bessemer here.
_SETTINGS = """\
[DEFAULT]
host = bench
auth_strategy = noauth
rpc_transport = none
use_stderr = true
state_path = {directory}
enabled_hardware_types = fake-hardware
{enabled}
enabled_network_interfaces = noop
default_network_interface = noop
[api]
host_ip = 127.0.0.1
port = {port}
[conductor]
sync_power_state_interval = 0
[database]
connection = {database}
[deploy]
http_root = {directory}/http
http_url = http://127.0.0.1:1/
[oslo_concurrency]
lock_path = {directory}/lock
"""
_SCHEMA_TIMEOUT_S = 300


@contextmanager
def serving(programs: Path, directory: Path, database: str, *, is_new: bool) -> Iterator[Server]:
    """A running Ironic over ``database`` (a URL of SQLAlchemy), which gets its tables first if it is new."""
    port = free_port()
    settings = directory / "ironic.conf"
    (directory / "http").mkdir(exist_ok=True)
    enabled = "\n".join(f"enabled_{kind}_interfaces = fake" for kind in _KINDS)
    settings.write_text(_SETTINGS.format(directory=directory, port=port, database=database, enabled=enabled))
    if is_new:
        create_schema(programs, settings, environment())
    with running(programs, settings, port, environment()) as server:
        yield server


def environment() -> dict[str, str]:
    """What Ironic runs in: byte code is kept, as in an installed service."""
    return {name: held for name, held in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


@contextmanager
def running(programs: Path, settings: Path, port: int, environment: Mapping[str, str]) -> Iterator[Server]:
    """Ironic with a file of settings that name ``port``; its log is kept beside them."""
    command = [str(programs / "ironic"), "--config-file", str(settings)]
    with started(command, port, "/v1/nodes?limit=1", settings.with_name("ironic.log"), environment) as server:
        yield server


def create_schema(programs: Path, settings: Path, environment: Mapping[str, str]) -> None:
    """Make the tables in the database that ``settings`` name. Raises subprocess.CalledProcessError."""
    command = [str(programs / "ironic-dbsync"), "--config-file", str(settings), "create_schema"]
    with settings.with_name("dbsync.log").open("ab") as output:
        subprocess.run(
            command, check=True, timeout=_SCHEMA_TIMEOUT_S, stdout=output, stderr=output, env=environment
        )
