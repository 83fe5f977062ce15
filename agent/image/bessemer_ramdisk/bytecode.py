"""Compiling Python for the ramdisk: importing source would cost seconds of every boot under emulation."""

import shutil
import subprocess
import sys
from pathlib import Path

from bessemer_ramdisk.error import BuildError

_TIMEOUT_S = 600
_VERSION = "3.11"


def compile_tree(folder: Path, shown_as: str) -> None:
    """Replace every source file below ``folder`` by its byte code, for Python 3.11.

    One process in one order, so that the same sources give the same bytes; the code carries no times, and
    is not checked against sources that are not there.

    Args:
        folder: Holds ``*.py``, afterwards ``*.pyc`` beside where they were.
        shown_as: The folder's path in the ramdisk, for tracebacks.

    Raises:
        BuildError: No Python 3.11 is at hand, or a file does not compile.
    """
    argv = [_find_python(), "-I", "-S", "-m", "compileall", "-q", "-b", "-j", "1", "-o", "0"]
    argv += ["--invalidation-mode", "unchecked-hash", "-s", str(folder), "-p", shown_as, str(folder)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)
    if done.returncode != 0:
        raise BuildError(f"compiling {shown_as} failed: {(done.stdout + done.stderr).strip()[-1000:]}")
    for source in folder.rglob("*.py"):
        source.unlink()


def _find_python() -> str:
    if sys.version_info[:2] == (3, 11):
        return sys.executable
    found = shutil.which(f"python{_VERSION}")
    if found is None:
        raise BuildError(f"Python {_VERSION}, whose byte code the ramdisk runs, is not installed")
    return found
