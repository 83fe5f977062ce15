"""The canary: watches the whole run of tests for secrets that show.

It learns each secret that a test gives to the API, by the keys that say so, and looks for it in every answer
and every line of the log until that test is over. ``CANARY`` is always looked for.
"""

import json
import logging
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any

from bessemer.kernel.secret import MASK, secrets_in

CANARY = "canary-4f9d1c7e-sings"
#: Shorter values are words that have other reasons to be somewhere.
_SHORTEST = 8


class Watch:
    """What is secret at the moment, and where it was seen all the same."""

    def __init__(self) -> None:
        self._learnt: set[str] = set()
        self._is_paused = False
        self.sightings: list[str] = []

    def begin(self) -> None:
        """Another test: what the last one gave is no secret of this one."""
        self._learnt.clear()
        self.sightings.clear()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """A block in which secrets are shown on purpose, to somebody who may see them."""
        self._is_paused = True
        try:
            yield
        finally:
            self._is_paused = False

    def learn(self, content: bytes) -> None:
        """Remember the secrets in the body of a request."""
        if not content.startswith((b"{", b"[")):
            return
        try:
            document = json.loads(content)
        except (ValueError, RecursionError):
            return
        found = secrets_in(document)
        self._learnt.update(text for text in found if len(text) >= _SHORTEST and text != MASK)

    def look(self, place: str, *texts: Any) -> None:
        """Note which secrets are in ``texts``."""
        if self._is_paused:
            return
        for text in texts:
            seen = text if isinstance(text, str) else text.decode("utf-8", "replace")
            for secret in (CANARY, *self._learnt):
                if secret in seen:
                    self.sightings.append(f"{secret!r} shows in {place}: {_around(seen, secret)}")

    def processor(self, logger: Any, method: str, event: MutableMapping[str, Any]) -> Any:
        """A processor of structlog that looks at each event."""
        self.look(f"the log ({method})", repr(event))
        return event


class LogHandler(logging.Handler):
    """Looks at what libraries log."""

    def __init__(self, watch: Watch) -> None:
        super().__init__(logging.DEBUG)
        self._watch = watch

    def emit(self, record: logging.LogRecord) -> None:
        self._watch.look(f"the log of {record.name}", record.getMessage())


def _around(text: str, secret: str) -> str:
    start = max(0, text.index(secret) - 60)
    return repr(text[start : start + 160])


#: The one of this run.
WATCH = Watch()
