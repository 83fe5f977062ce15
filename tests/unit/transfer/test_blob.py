from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bessemer.kernel.error import SourceError
from bessemer.transfer.blob import CHUNK_BYTES, Blob, FileBlob, Patch
from bessemer.transfer.file import look_at_file

SIZE = CHUNK_BYTES + 5000


async def read(blob: Blob, offset: int = 0, length: int | None = None) -> bytes:
    return b"".join([piece async for piece in blob.read(offset, length)])


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("blob") / "file"
    path.write_bytes(bytes(range(251)) * (SIZE // 251 + 1))
    with path.open("r+b") as file:
        file.truncate(SIZE)
    return path


@given(
    offset=st.integers(0, SIZE),
    length=st.integers(0, SIZE) | st.none(),
    starts=st.lists(st.integers(0, SIZE - 300), max_size=3),
)
async def test_any_range_of_a_patched_file_is_that_range_of_the_patched_whole(
    path: Path, offset: int, length: int | None, starts: list[int]
) -> None:
    whole = bytearray(path.read_bytes())  # noqa: ASYNC240
    patches = [Patch(start, bytes([255 - number]) * 300) for number, start in enumerate(starts)]
    for patch in patches:
        whole[patch.offset : patch.end] = patch.data
    blob = FileBlob(await look_at_file(path, within=None), patches)
    end = SIZE if length is None else offset + length
    assert await read(blob, offset, length) == whole[offset:end]


async def test_the_etag_follows_the_patches_and_does_not_show_them(path: Path) -> None:
    file = await look_at_file(path, within=None)
    one, other = (FileBlob(file, [Patch(0, data)]) for data in (b"token-1", b"token-2"))
    assert one.etag != other.etag
    assert one.etag == FileBlob(file, [Patch(0, b"token-1")]).etag
    assert "token" not in repr(one)


async def test_a_file_that_shrinks_while_it_is_read_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(100))
    blob = FileBlob(await look_at_file(path, within=None))
    path.write_bytes(bytes(10))
    with pytest.raises(SourceError, match="shorter"):
        await read(blob)


async def test_a_file_that_is_deleted_while_it_is_read_is_read_to_its_end(path: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy.write_bytes(path.read_bytes())  # noqa: ASYNC240
    pieces = FileBlob(await look_at_file(copy, within=None)).read()
    first = await anext(pieces)
    copy.unlink()
    assert len(first) + sum([len(piece) async for piece in pieces]) == SIZE
