"""Who asks: the identity every use case is told."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Caller:
    """The one behind a request. ``address`` is where the request came from, for logs.

    ``global_request_id`` is the id another service gave the work that this request is part of.
    """

    user: str | None = None
    project: str | None = None
    roles: frozenset[str] = frozenset()
    request_id: str = ""
    global_request_id: str = ""
    address: str = ""

    @property
    def label(self) -> str:
        """The caller as recorded with operations; empty when nobody was authenticated."""
        return self.user or ""
