"""How far the running command is: a service that knows the key may show it, others ignore it."""

from threading import Lock


class Progress:
    """Shared between the thread that works and the threads that answer ``GET /v1/commands``.

    A command goes through phases ("write image", "config drive"); each counts bytes from zero.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._phase = "starting"
        self._bytes_done = 0
        self._bytes_total: int | None = None
        self._percent: float | None = None

    def begin(self, phase: str, bytes_total: int | None = None) -> None:
        """Start a phase; ``bytes_total`` is None while nobody knows it."""
        with self._lock:
            self._phase, self._bytes_done, self._bytes_total, self._percent = phase, 0, bytes_total, None

    def add(self, size_bytes: int) -> None:
        """Count more bytes in the current phase."""
        with self._lock:
            self._bytes_done += size_bytes

    def set_total(self, bytes_total: int | None) -> None:
        """Tell the phase's size once it is known."""
        with self._lock:
            self._bytes_total = bytes_total

    def set_percent(self, percent: float) -> None:
        """For work that is not measured in bytes, such as a sanitize run by the disk itself."""
        with self._lock:
            self._percent = percent

    def to_wire(self) -> dict[str, object]:
        """``{percent, phase, bytes_done, bytes_total}``; percent is 0..100 and of the current phase."""
        with self._lock:
            percent = self._percent
            if percent is None:
                percent = 100.0 * self._bytes_done / self._bytes_total if self._bytes_total else 0.0
            return {
                "percent": round(min(percent, 100.0), 1),
                "phase": self._phase,
                "bytes_done": self._bytes_done,
                "bytes_total": self._bytes_total,
            }
