"""The ``baremetal`` command of python-ironicclient, run in this process: starting it anew takes seconds."""

import contextlib
import io
import json
import logging
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


class CommandFailed(Exception):
    """The command said no; the message is what it said."""


@dataclass(frozen=True)
class Baremetal:
    endpoint: str

    def __call__(self, *words: str, json_output: bool = False) -> Any:
        """What the command printed; with ``json_output`` as a document. Raises CommandFailed."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # theirs
            from ironicclient.shell import App

            argv = ["--os-auth-type", "none", "--os-endpoint", self.endpoint, *words]
            if json_output:
                argv += ["-f", "json"]
            out, errors = io.StringIO(), io.StringIO()
            with _logging_kept(), contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
                app = App()
                app.stdout, app.stderr = out, errors
                status = app.run(argv)
        if status:
            raise CommandFailed(f"{' '.join(words)}: {errors.getvalue()}{out.getvalue()}")
        return json.loads(out.getvalue()) if json_output else out.getvalue()


@contextlib.contextmanager
def _logging_kept() -> Iterator[None]:
    """The command sets up logging for its process; here it must not."""
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    try:
        yield
    finally:
        root.setLevel(level)
        root.handlers = handlers
