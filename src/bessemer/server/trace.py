"""Whether this process keeps traces; without them nothing of OpenTelemetry is even imported."""

from contextlib import AbstractAsyncContextManager, nullcontext

from bessemer.config.load import BadSettings
from bessemer.config.settings import Settings


def traces(settings: Settings) -> AbstractAsyncContextManager[None]:
    """Traces as ``[tracing]`` and the environment want them, until the end of the block.

    Raises:
        BadSettings: They are asked for, and what they need is not installed.
    """
    if not settings.tracing.enabled:
        return nullcontext()
    try:
        from bessemer.server.trace_export import sent_spans
    except ImportError as error:
        raise BadSettings(
            f"[tracing]enabled wants OpenTelemetry, and there is no '{error.name}'.",
            hint="Install bessemer[otel].",
        ) from error
    return sent_spans(settings)
