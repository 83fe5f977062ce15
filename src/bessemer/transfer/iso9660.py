"""ISO 9660 images with Rock Ridge and Joliet names, put together from files and from memory.

pycdlib is loaded with the first image, in the thread that makes it: most processes never make one.
Sources: ECMA-119 (ISO 9660), IEEE P1282 (Rock Ridge), the Joliet and El Torito specifications.
"""

from contextlib import ExitStack
from io import BytesIO
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Any, BinaryIO

from bessemer.kernel.error import InternalError

BLOCK_BYTES = 2048
_ROOT = PurePosixPath()


class IsoTree:
    """The files of an image to be. A context manager: files given by path stay open until it ends.

    Names are plain relative paths (``boot/grub/grub.cfg``); directories come by themselves. Methods block.

    Raises:
        InternalError: The parts do not make an ISO (two files of one name, for instance).
    """

    def __init__(self, label: str) -> None:
        import pycdlib

        self._stack = ExitStack()
        self._directories = {_ROOT}
        self._iso = pycdlib.PyCdlib()
        self._iso.new(interchange_level=3, joliet=3, rock_ridge="1.09", vol_ident=label)
        self._stack.callback(self._iso.close)

    def __enter__(self) -> "IsoTree":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        from pycdlib.pycdlibexception import PyCdlibException

        self._stack.close()
        if isinstance(error, PyCdlibException):
            raise InternalError(f"An ISO image could not be made: {error}") from error

    def add_bytes(self, name: str, data: bytes) -> None:
        self._add(name, BytesIO(data), len(data))

    def add_file(self, name: str, source: Path) -> None:
        content = self._stack.enter_context(source.open("rb"))
        self._add(name, content, source.stat().st_size)

    def add_link(self, name: str, target: str) -> None:
        """A second name for the contents of ``target``, which must be in the tree; takes no room."""
        path, old = self._enter(name), PurePosixPath(target)
        self._iso.add_hard_link(
            iso_old_path=_file_name(old), iso_new_path=_file_name(path), rr_name=path.name
        )
        self._iso.add_hard_link(joliet_old_path=f"/{old}", joliet_new_path=f"/{path}")

    def make_bootable(self, name: str, catalog: str, **entry: Any) -> None:
        """Add an El Torito entry for a file of the tree; ``entry`` as pycdlib's ``add_eltorito`` has it."""
        path = PurePosixPath(catalog)
        self._iso.add_eltorito(
            _file_name(PurePosixPath(name)),
            bootcatfile=_file_name(path),
            rr_bootcatname=path.name,
            joliet_bootcatfile=f"/{path}",
            **entry,
        )

    def write(self, target: BinaryIO) -> None:
        self._iso.write_fp(target, blocksize=1024 * 1024)

    def _add(self, name: str, content: BinaryIO, size: int) -> None:
        path = self._enter(name)
        self._iso.add_fp(content, size, _file_name(path), rr_name=path.name, joliet_path=f"/{path}")

    def _enter(self, name: str) -> PurePosixPath:
        path = PurePosixPath(name)
        for directory in reversed(path.parents):
            if directory not in self._directories:
                self._directories.add(directory)
                iso_name = _plain_name(directory)
                self._iso.add_directory(iso_name, rr_name=directory.name, joliet_path=f"/{directory}")
        return path


def find_extents(image: Path, names: list[str]) -> dict[str, tuple[int, int]]:
    """Where the contents of files lie in ``image``: offset and length in bytes by name. Blocks.

    Raises:
        InternalError: Not an ISO image, or a file is missing.
    """
    import pycdlib
    from pycdlib.pycdlibexception import PyCdlibException

    iso = pycdlib.PyCdlib()
    try:
        iso.open(str(image))
        try:
            records = {name: iso.get_record(rr_path=f"/{name}") for name in names}
            return {
                name: (record.extent_location() * BLOCK_BYTES, record.get_data_length())
                for name, record in records.items()
            }
        finally:
            iso.close()
    except PyCdlibException as error:
        raise InternalError(f"{image} is not a usable ISO image: {error}") from error


def _plain_name(path: PurePosixPath) -> str:
    """``path`` in the letters that ISO 9660 has for names; what people see are the Rock Ridge names."""
    plain = str(path).upper().translate(str.maketrans("-.", "__"))
    return f"/{plain}"


def _file_name(path: PurePosixPath) -> str:
    return f"{_plain_name(path.with_suffix(''))}{path.suffix.upper() or '.'};1"
