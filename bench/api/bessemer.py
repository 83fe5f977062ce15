"""Bessemer as its users start it: ``bessemer serve`` with a settings file."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.api.server import Server, free_port, started

# Looking after machines in the background would blur what single operations cost: off on both sides.
_SETTINGS = """\
[DEFAULT]
host = bench
state_path = {directory}
enabled_hardware_types = fake-hardware
[api]
port = {port}
[conductor]
sync_power_state_interval = 0
[database]
connection = {database}
"""


@contextmanager
def serving(directory: Path, database: str) -> Iterator[Server]:
    """A running Bessemer over ``database``, its files in ``directory``."""
    port = free_port()
    settings = directory / "bessemer.conf"
    settings.write_text(_SETTINGS.format(directory=directory, port=port, database=database))
    program = str(Path(sys.executable).with_name("bessemer"))
    command = [program, "serve", "--config-file", str(settings)]
    # Byte code is written as it would be in an installed service.
    environment = {name: held for name, held in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    with started(command, port, "/v1/nodes?limit=1", directory / "bessemer.log", environment) as server:
        yield server
