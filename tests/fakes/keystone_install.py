"""The real Keystone, installed from PyPI into an environment of its own, and a bootstrapped copy of its data.

Both are kept in the user's cache directory, so that only the first run on a machine pays for them.
"""

import fcntl
import grp
import hashlib
import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

REQUIREMENTS = ("keystone==30.0.0", "pyuwsgi==2.0.30")
ADMIN_PASSWORD = "secret"

_SETTINGS = """\
[DEFAULT]
use_stderr = true
[database]
connection = sqlite:///{data}/keystone.db
[token]
provider = fernet
expiration = 3600
[fernet_tokens]
key_repository = {data}/fernet
[credential]
key_repository = {data}/credential
[identity]
password_hash_algorithm = bcrypt
password_hash_rounds = 4
[oslo_policy]
enforce_scope = true
enforce_new_defaults = true
"""


@dataclass(frozen=True)
class Installation:
    """Where Keystone's programs are, and bootstrapped data to copy."""

    programs: Path
    template: Path

    def copy_data(self, target: Path) -> None:
        shutil.copytree(self.template, target, ignore=shutil.ignore_patterns("*.conf"))


def install() -> Installation:
    """Keystone, ready to be started. Made on the first call on a machine, then only found."""
    key = hashlib.sha256(repr((REQUIREMENTS, _SETTINGS, sys.version_info[:2])).encode()).hexdigest()[:12]
    root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "bessemer" / f"keystone-{key}"
    root.mkdir(parents=True, exist_ok=True)
    installed = Installation(root / "venv" / "bin", root / "template")
    with _locked(root / "lock"):
        if not (root / "complete").exists():
            _make(root, installed)
            (root / "complete").touch()
    return installed


def write_settings(path: Path, data: Path) -> Path:
    path.write_text(_SETTINGS.format(data=data))
    return path


def environment(**more: str) -> dict[str, str]:
    """Byte code is wanted: without it every start takes seconds longer."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, **more}


def _make(root: Path, installed: Installation) -> None:
    for leftover in (root / "venv", installed.template):
        shutil.rmtree(leftover, ignore_errors=True)
    uv = shutil.which("uv", path=f"{os.environ['PATH']}:{Path.home()}/.local/bin")
    assert uv, "uv is needed to install Keystone: run ./setup.sh"
    _run(uv, "venv", "--quiet", "--python", sys.executable, str(root / "venv"))
    python = str(installed.programs / "python")
    _run(uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", python, *REQUIREMENTS)

    data = installed.template
    for directory in ("fernet", "credential"):
        (data / directory).mkdir(parents=True, mode=0o700)
    settings = write_settings(data / "keystone.conf", data)
    manage = (str(installed.programs / "keystone-manage"), "--config-file", str(settings))
    _run(*manage, "db_sync")
    user, group = pwd.getpwuid(os.getuid()).pw_name, grp.getgrgid(os.getgid()).gr_name
    for keys in ("fernet_setup", "credential_setup"):
        _run(*manage, keys, "--keystone-user", user, "--keystone-group", group)
    _run(*manage, "bootstrap", "--bootstrap-password", ADMIN_PASSWORD)


def _run(*command: str) -> None:
    done = subprocess.run(
        command, env=environment(), capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, f"{command[:2]} failed:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """One test run at a time installs; the others wait for it."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
