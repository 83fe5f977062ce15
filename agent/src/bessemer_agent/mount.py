"""Mounting a file system for a short while."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from bessemer_agent.child import run

_TIMEOUT_S = 60.0

#: The shape of :func:`mounted`, for those who take it as a collaborator: device, file system type.
Mount = Callable[[str, str], AbstractContextManager[Path]]


@contextmanager
def mounted(device: str, kind: str) -> Iterator[Path]:
    """Mount ``device`` read-only as a file system of ``kind``; gives the folder.

    Raises:
        ChildFailed: The kernel would not mount it.
    """
    import tempfile

    with tempfile.TemporaryDirectory(prefix="mount-") as name:
        run(["mount", "-t", kind, "-o", "ro", device, name], timeout_s=_TIMEOUT_S)
        try:
            yield Path(name)
        finally:
            run(["umount", name], timeout_s=_TIMEOUT_S)
