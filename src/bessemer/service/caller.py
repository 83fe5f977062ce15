"""Who asks: the identity every use case is told."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Caller:
    """The one behind a request. ``address`` is where the request came from, for logs."""

    user: str | None = None
    project: str | None = None
    roles: frozenset[str] = frozenset()
    request_id: str = ""
    address: str = ""

    @property
    def label(self) -> str:
        """The caller as recorded with operations; empty when nobody was authenticated."""
        return self.user or ""
