"""Ironic in an environment of its own."""

import os
import shutil
import subprocess
from pathlib import Path

REQUIREMENTS = ("ironic==39.*", "psycopg2-binary")
_TIMEOUT_S = 600


def installed(environment: Path) -> Path:
    """The directory of Ironic's programs in ``environment``, installed there unless it is already.

    Raises:
        RuntimeError: There is no ``uv`` to install with.
        subprocess.CalledProcessError: The package index cannot be reached, or does not have it.
    """
    done, wanted = environment / "installed", "\n".join(REQUIREMENTS)
    if not done.exists() or done.read_text() != wanted:
        uv = shutil.which("uv")
        if uv is None:
            raise RuntimeError("uv is needed to install Ironic; ./setup.sh brings it")
        # With byte code, as every packager installs it: without, each start compiles all of it.
        quiet = {name: held for name, held in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        python = environment / "bin" / "python"
        for command in (
            [uv, "venv", "--quiet", "--clear", "--python", "3.11", str(environment)],
            [uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", str(python), *REQUIREMENTS],
        ):
            subprocess.run(command, check=True, timeout=_TIMEOUT_S, env=quiet)
        done.write_text(wanted)
    return environment / "bin"
