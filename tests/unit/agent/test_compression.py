import gzip
import random
import shutil
import subprocess
from collections.abc import Iterator

import pytest

from bessemer_agent.error import ImageError
from bessemer_agent.image.compression import decompress

needs_zstd = pytest.mark.skipif(shutil.which("zstd") is None, reason="zstd is not installed")
PLAIN = random.Random(1).randbytes(3_000_000) + bytes(5_000_000)


def pack(kind: str, data: bytes) -> bytes:
    if kind == "gzip":
        return gzip.compress(data, 1)
    return subprocess.run(["zstd", "-q", "-c"], input=data, capture_output=True, check=True).stdout


def cut(data: bytes, size: int = 100_000) -> Iterator[bytes]:
    return (data[start : start + size] for start in range(0, len(data), size))


KINDS = ["gzip", pytest.param("zstd", marks=needs_zstd)]


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_packed_comes_out(kind: str) -> None:
    assert b"".join(decompress(cut(pack(kind, PLAIN)), kind)) == PLAIN


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [1, 1024**2 - 1, 1024**2, 1024**2 + 1, 3 * 1024**2])
def test_sizes_around_those_of_chunks_come_out_whole(kind: str, size: int) -> None:
    for plain in (bytes(size), random.Random(size).randbytes(size)):
        assert b"".join(decompress(cut(pack(kind, plain)), kind)) == plain


@pytest.mark.parametrize("kind", KINDS)
def test_several_streams_after_each_other_are_one(kind: str) -> None:
    both = pack(kind, PLAIN[:1000]) + pack(kind, PLAIN[1000:])
    assert b"".join(decompress(cut(both), kind)) == PLAIN


@pytest.mark.parametrize("kind", KINDS)
def test_a_stream_that_ends_early_is_an_error(kind: str) -> None:
    with pytest.raises(ImageError, match="ends early"):
        list(decompress(cut(pack(kind, PLAIN)[:-1000]), kind))


@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_stream_is_an_error(kind: str) -> None:
    packed = bytearray(pack(kind, PLAIN))
    packed[1000:2000] = bytes(1000)
    with pytest.raises(ImageError):
        list(decompress(cut(bytes(packed)), kind))


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_of_the_source_is_not_taken_for_a_damaged_stream(kind: str) -> None:
    packed = pack(kind, PLAIN)

    def source() -> Iterator[bytes]:
        yield packed[:100_000]
        raise ConnectionError("server gone")

    with pytest.raises(ConnectionError, match="server gone"):
        list(decompress(source(), kind))


@pytest.mark.parametrize("kind", KINDS)
def test_leaving_early_ends_the_decompressor(kind: str) -> None:
    stream = decompress(cut(pack(kind, PLAIN)), kind)
    assert next(stream)
    stream.close()


def test_a_highly_compressible_stream_comes_in_small_chunks() -> None:
    packed = gzip.compress(bytes(50_000_000))
    sizes = [len(chunk) for chunk in decompress([packed], "gzip")]
    assert max(sizes) <= 1024**2
    assert sum(sizes) == 50_000_000


def test_padding_after_gzip_is_ignored() -> None:
    assert b"".join(decompress([gzip.compress(b"abc") + bytes(512)], "gzip")) == b"abc"


def test_without_compression_chunks_pass() -> None:
    assert list(decompress([b"a", b"b"], None)) == [b"a", b"b"]
