"""The span of a call to a machine: to its BMC, or to the agent in its ramdisk."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Final

from bessemer.kernel.error import DeviceError
from bessemer.kernel.trace import TRACING, Attributes, Kind, Span, current, span

_NOTHING: Final = nullcontext[None]()


def call_span(
    method: str, template: Callable[[str], str], path: str, attributes: Attributes
) -> AbstractContextManager[Span | None]:
    """``template`` takes the ids out of paths. None where nothing is traced: also what sweeps look at by
    themselves.

    Source: OpenTelemetry, "Semantic conventions for HTTP spans", HTTP client span.
    """
    if TRACING.tracer is None or current() is None:
        return _NOTHING
    return _begun(method, template(path), attributes)


@contextmanager
def _begun(method: str, template: str, attributes: Attributes) -> Iterator[Span | None]:
    every = {"http.request.method": method, "url.template": template, **attributes}
    with span(f"{method} {template}", Kind.CLIENT, every) as begun:
        try:
            yield begun
        except DeviceError as error:
            status = getattr(error, "status", 0)
            if begun is not None and status:
                begun.note({"http.response.status_code": status})
            raise
