"""SIGHUP: the settings are read again, and what can change while a process runs changes."""

from collections.abc import Callable
from dataclasses import fields
from itertools import chain
from pathlib import Path

import structlog

from bessemer.config.load import load_settings
from bessemer.config.settings import Settings
from bessemer.kernel.error import BessemerError
from bessemer.server.logging import set_level

log = structlog.get_logger(__name__)

#: Takes what it can use of new settings. Raises BessemerError when they make no sense to it.
Taker = Callable[[Settings], None]


class Reload:
    """Called at each SIGHUP. Settings that make no sense change nothing, and are told of."""

    def __init__(self, config_file: Path | None, settings: Settings) -> None:
        self._config_file = config_file
        self._settings = settings
        self._takers: dict[tuple[str, ...], Taker] = {}

    def add(self, taker: Taker, *options: str) -> None:
        """``options`` (``section.name``) are what ``taker`` follows; a section ends with a dot."""
        self._takers[options] = taker

    def __call__(self) -> None:
        try:
            settings, _ = load_settings(self._config_file)
            for taker in self._takers.values():
                taker(settings)
            set_level(debug=settings.default.debug)
        except BessemerError as error:
            log.error("settings could not be read again; the old ones stay", error=str(error))  # noqa: TRY400
            return
        taken = ("DEFAULT.debug", *chain.from_iterable(self._takers))
        later = [name for name in changed(self._settings, settings) if not name.startswith(taken)]
        self._settings = settings
        log.info("settings read again")
        if later:
            log.warning("some changed settings need a restart", options=later)


def changed(before: Settings, after: Settings) -> list[str]:
    """Names of the options that differ, as ``section.name``."""
    found = []
    for section in fields(Settings):
        old, new = getattr(before, section.name), getattr(after, section.name)
        title = "DEFAULT" if section.name == "default" else section.name
        found += [
            f"{title}.{option.name}"
            for option in fields(old)
            if getattr(old, option.name) != getattr(new, option.name)
        ]
    return found
