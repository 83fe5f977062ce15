"""The release before this one, from the history of the repository: its program, installed by itself."""

import os
import re
import shutil
import subprocess
import sys
import tarfile
from io import BytesIO
from pathlib import Path

import pytest

from bessemer.store.migration import HEAD

_REPOSITORY = Path(__file__).parents[3]
_MIGRATION = "src/bessemer/store/migration"
_HEAD = re.compile(r'^HEAD: Final = "(\d{4})"', re.MULTILINE)
_INSTALL_S = 600.0


def install_previous_release(directory: Path) -> tuple[Path, str]:
    """Where the commands of the newest program of an older schema lie, and the revision of that schema.

    Skips the test where the history does not reach back so far.
    """
    commit, revision = _find_previous()
    with tarfile.open(fileobj=BytesIO(_git("archive", "--format=tar", commit))) as archive:
        archive.extractall(directory, filter="data")
    uv = shutil.which("uv") or str(Path.home() / ".local/bin/uv")
    subprocess.run(
        [uv, "sync", "--frozen", "--all-packages", "--no-dev", "--quiet"],
        cwd=directory,
        env=_environment(),
        timeout=_INSTALL_S,
        check=True,
    )
    return directory / ".venv" / "bin", revision


def _find_previous() -> tuple[str, str]:
    if not (_REPOSITORY / ".git").exists():
        pytest.skip("there is no history here: not a clone of the repository")
    for commit in _git("log", "--format=%H", "--", _MIGRATION).decode().split():
        found = _HEAD.search(_git("show", f"{commit}:{_MIGRATION}/__init__.py").decode())
        if found is not None and found[1] < HEAD:
            return commit, found[1]
    pytest.skip("the history does not reach back to an older schema: a shallow clone")


def _environment() -> dict[str, str]:
    """Ours, without our own virtual environment, on the same interpreter."""
    ours = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    return ours | {"UV_PYTHON": sys.base_prefix + "/bin/python3"}


def _git(*arguments: str) -> bytes:
    done = subprocess.run(
        ["git", "-C", str(_REPOSITORY), *arguments], capture_output=True, timeout=60, check=False
    )
    if done.returncode:
        pytest.skip(f"git cannot tell of the history: {done.stderr.decode().strip()}")
    return done.stdout
