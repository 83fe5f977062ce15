"""Logs: a constant phrase and fields, one line each; for people on a terminal, JSON elsewhere."""

import logging
import sys
import threading
from types import TracebackType
from typing import Final

import structlog

#: Libraries that tell more than anybody wants to know.
_NOISY: Final = ("aiosqlite", "alembic", "asyncio", "redfish", "urllib3", "uvicorn.access")

_log = structlog.get_logger(__name__)


def set_up_logging(*, debug: bool, use_json: bool | None = None) -> None:
    """Send our logs, those of libraries, warnings and what nobody caught to standard error, in one form.

    ``use_json``: JSON or text; None: text on a terminal, JSON elsewhere.
    """
    is_text = sys.stderr.isatty() if use_json is None else not use_json
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    # A plain traceback: the default one on terminals shows local variables, passwords among them.
    console = structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
    )
    renderer = console if is_text else structlog.processors.JSONRenderer()
    tail = [] if is_text else [structlog.processors.format_exc_info]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        # The level is the root logger's: it may change while the process runs.
        wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *tail, renderer],
        )
    )
    logging.getLogger().handlers = [handler]
    set_level(debug=debug)
    for noisy in _NOISY:
        logging.getLogger(noisy).setLevel(logging.WARNING)
    logging.captureWarnings(True)
    sys.excepthook = _tell_uncaught
    threading.excepthook = _tell_uncaught_in_thread


def set_level(*, debug: bool) -> None:
    """From which level on logs are written; at any time."""
    logging.getLogger().setLevel(logging.DEBUG if debug else logging.INFO)


def _tell_uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    _log.critical("the process ends of a defect", exc_info=(kind, error, trace))


def _tell_uncaught_in_thread(given: threading.ExceptHookArgs) -> None:
    if given.exc_value is not None:
        found = (given.exc_type, given.exc_value, given.exc_traceback)
        _log.error("a thread ended of a defect", thread=getattr(given.thread, "name", ""), exc_info=found)
