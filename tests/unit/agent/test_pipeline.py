import hashlib
import threading
from collections.abc import Iterator

import pytest

from bessemer_agent.image.pipeline import Ahead, Digester, rechunk


def test_chunks_come_out_in_order() -> None:
    chunks = [bytes([n]) for n in range(100)]
    with Ahead(chunks, "test") as ahead:
        assert list(ahead) == chunks


def test_reading_ahead_stops_at_the_depth() -> None:
    produced = []
    has_started = threading.Event()

    def source() -> Iterator[bytes]:
        for n in range(100):
            produced.append(n)
            if n == 3:
                has_started.set()
            yield b"x"

    with Ahead(source(), "test", depth=3) as ahead:
        assert has_started.wait(10)
        reader = iter(ahead)
        next(reader)
        assert len(produced) <= 5
        assert sum(1 for _ in reader) == 99


def test_an_error_in_the_source_is_raised_to_the_reader_after_the_chunks_before_it() -> None:
    def source() -> Iterator[bytes]:
        yield b"good"
        raise ConnectionError("gone")

    with Ahead(source(), "test") as ahead:
        reader = iter(ahead)
        assert next(reader) == b"good"
        with pytest.raises(ConnectionError, match="gone"):
            next(reader)


def test_closing_early_ends_the_source() -> None:
    is_closed = threading.Event()

    def source() -> Iterator[bytes]:
        try:
            while True:
                yield b"x"
        finally:
            is_closed.set()

    with Ahead(source(), "test") as ahead:
        next(iter(ahead))
    assert is_closed.wait(10)


def test_a_reader_in_another_thread_finds_the_end_when_it_is_closed() -> None:
    release = threading.Event()

    def source() -> Iterator[bytes]:
        yield b"x"
        release.wait(10)

    ahead = Ahead(source(), "test")
    seen: list[bytes] = []
    reader = threading.Thread(target=lambda: seen.extend(ahead))
    reader.start()
    ahead.close()
    reader.join(10)
    assert not reader.is_alive()
    release.set()


def test_the_digest_is_of_everything_that_passed() -> None:
    digester = Digester(hashlib.sha256())
    assert b"".join(digester.watch([b"a" * 5000, b"b" * 5000])) == b"a" * 5000 + b"b" * 5000
    assert digester.finish() == hashlib.sha256(b"a" * 5000 + b"b" * 5000).hexdigest()


def test_rechunking_keeps_the_bytes_and_passes_fitting_chunks_untouched() -> None:
    whole = bytes(range(256))
    parts = [whole[:3], whole[3:3], whole[3:20], whole[20:]]
    chunks = list(rechunk(parts, 16))
    assert b"".join(chunks) == whole
    assert {len(chunk) for chunk in chunks} == {16}
    assert [len(chunk) for chunk in rechunk([b"x" * 40], 16)] == [16, 16, 8]
    fitting = b"y" * 16
    assert next(rechunk([fitting], 16)) is fitting
