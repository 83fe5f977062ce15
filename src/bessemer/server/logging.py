"""Logs: a constant phrase and fields, one line each; for people on a terminal, JSON elsewhere."""

import logging
import sys

import structlog


def set_up_logging(*, debug: bool) -> None:
    """Send our logs and those of libraries to standard error, in one form."""
    is_terminal = sys.stderr.isatty()
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    # A plain traceback: the default one on terminals shows local variables, passwords among them.
    console = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    renderer = console if is_terminal else structlog.processors.JSONRenderer()
    tail = [] if is_terminal else [structlog.processors.format_exc_info]
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
    for noisy in ("aiosqlite", "alembic", "asyncio", "redfish", "uvicorn.access"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def set_level(*, debug: bool) -> None:
    """From which level on logs are written; at any time."""
    logging.getLogger().setLevel(logging.DEBUG if debug else logging.INFO)
