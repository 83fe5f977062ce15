"""The reference, Ironic 39 from the package index, and Bessemer: side by side, with the same settings."""

import fcntl
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.api.server import free_port, started
from bench.ironic import install, server

_BUILD = Path(__file__).parents[3] / "build"
_KINDS = ("bios", "boot", "console", "deploy", "firmware", "inspect", "management", "power", "raid", "rescue",
          "vendor")  # fmt: skip
_ABSENT = ("bios", "console", "firmware", "inspect", "raid", "rescue", "vendor")
_FIRST_PATH = "/v1/nodes?limit=1"

#: Nothing is looked after in the background: what one side happened to do a moment earlier is no difference.
_SHARED = """\
[DEFAULT]
host = same
state_path = {directory}
enabled_hardware_types = fake-hardware
{interfaces}
enabled_network_interfaces = noop
default_network_interface = noop
enabled_storage_interfaces = noop
{default}
[api]
host_ip = 127.0.0.1
port = {port}
[conductor]
sync_power_state_interval = 0
[agent]
require_tls = false
[database]
connection = sqlite:///{directory}/same.sqlite
"""
_THEIR_DEFAULT = "auth_strategy = noauth\nrpc_transport = none\nuse_stderr = true"
_THEIR_SECTIONS = """\
[deploy]
http_root = {directory}/http
http_url = http://127.0.0.1:1/
[oslo_concurrency]
lock_path = {directory}/lock
"""


@contextmanager
def ironic(directory: Path) -> Iterator[int]:
    """A new Ironic with its files in ``directory``; gives its port.

    Raises:
        RuntimeError, subprocess.CalledProcessError: It cannot be installed or started.
    """
    programs = _installed()
    port = free_port()
    settings = directory / "ironic.conf"
    (directory / "http").mkdir(parents=True)
    shared = _shared(directory, port, default=_THEIR_DEFAULT)
    settings.write_text(shared + _THEIR_SECTIONS.format(directory=directory))
    server.create_schema(programs, settings, server.environment())
    with server.running(programs, settings, port, server.environment()):
        yield port


@contextmanager
def bessemer(directory: Path) -> Iterator[int]:
    """A new Bessemer with its files in ``directory``; gives its port."""
    port = free_port()
    settings = directory / "bessemer.conf"
    directory.mkdir(parents=True)
    settings.write_text(_shared(directory, port, default=""))
    program = str(Path(sys.executable).with_name("bessemer"))
    command = [program, "serve", "--config-file", str(settings)]
    with started(command, port, _FIRST_PATH, directory / "bessemer.log", dict(os.environ)):
        yield port


def _shared(directory: Path, port: int, *, default: str) -> str:
    lines = [f"enabled_{kind}_interfaces = fake" + _none(kind) for kind in _KINDS]
    return _SHARED.format(directory=directory, port=port, interfaces="\n".join(lines), default=default)


def _none(kind: str) -> str:
    return f",no-{kind}" if kind in _ABSENT else ""


def _installed() -> Path:
    """Ironic's programs. One test run at a time installs; the others wait for it."""
    _BUILD.mkdir(exist_ok=True)
    with (_BUILD / "ironic-39.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return install.installed(_BUILD / "ironic-39")
