"""Files that somebody else named: found, checked, and identified without being read."""

import asyncio
import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bessemer.kernel.error import SourceError


@dataclass(frozen=True, slots=True)
class KnownFile:
    """A regular file as it was when looked at. Another size or time means other contents."""

    path: Path
    size: int
    modified_ns: int

    @property
    def identity(self) -> str:
        return f"{self.path}:{self.size}:{self.modified_ns}"


def is_within(path: Path, directories: Sequence[str]) -> bool:
    """Whether ``path`` lies in one of ``directories``, by its text alone (``..`` is taken out first)."""
    plain = Path(os.path.normpath(path))
    return any(plain.is_relative_to(os.path.normpath(directory)) for directory in directories)


def _look(path: Path, directories: Sequence[str] | None) -> KnownFile:
    real = path.resolve(strict=True)
    if directories is not None and not is_within(real, [os.path.realpath(name) for name in directories]):
        raise SourceError(
            f"File {path} is not in a directory that images may come from.",
            hint="The operator lists those in [conductor]file_url_allowed_paths.",
        )
    facts = real.stat()
    if not stat.S_ISREG(facts.st_mode):
        raise SourceError(f"{path} is not a regular file.")
    if not os.access(real, os.R_OK):
        raise SourceError(f"File {path} may not be read by this service.")
    return KnownFile(real, facts.st_size, facts.st_mtime_ns)


async def look_at_file(path: Path, *, within: Sequence[str] | None) -> KnownFile:
    """Find a regular, readable file; symbolic links are followed first, so none leads out of ``within``.

    ``within`` None allows every place: for paths from our own settings.

    Raises:
        SourceError: Missing, not a regular file, not readable, or outside ``within``.
    """
    try:
        return await asyncio.to_thread(_look, path, within)
    except FileNotFoundError:
        raise SourceError(f"File {path} does not exist.") from None
    except OSError as error:
        raise SourceError(f"File {path} cannot be used: {error.strerror}.") from error
