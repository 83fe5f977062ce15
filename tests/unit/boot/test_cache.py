import asyncio
import os
from pathlib import Path

import pytest

from bessemer.boot.cache import FileCache
from bessemer.kernel.error import SourceError
from fakes.wait import until


class Maker:
    """Makes files of a given content; waits at ``gate`` when it is closed."""

    def __init__(self, data: bytes = b"x" * 10) -> None:
        self.data = data
        self.calls = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.error: Exception | None = None

    async def __call__(self, path: Path) -> None:
        self.calls += 1
        path.write_bytes(self.data[: len(self.data) // 2])  # noqa: ASYNC240
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        path.write_bytes(self.data)  # noqa: ASYNC240


@pytest.fixture
def cache(tmp_path: Path) -> FileCache:
    return FileCache(tmp_path / "cache", limit_bytes=35)


async def test_a_file_is_made_once_and_found_again(cache: FileCache, tmp_path: Path) -> None:
    make = Maker()
    first = await cache.ensure("a", make)
    assert await cache.ensure("a", make) == first
    assert await FileCache(tmp_path / "cache", limit_bytes=35).ensure("a", make) == first
    assert make.calls == 1
    assert first.path.read_bytes() == make.data


async def test_callers_at_the_same_time_share_the_making(cache: FileCache) -> None:
    make = Maker()
    make.gate.clear()
    waiting = [asyncio.create_task(cache.ensure("a", make)) for _ in range(20)]
    await asyncio.sleep(0)
    make.gate.set()
    found = await asyncio.gather(*waiting)
    assert make.calls == 1
    assert len(set(found)) == 1


async def test_a_caller_that_goes_away_leaves_the_making_to_the_others(cache: FileCache) -> None:
    make = Maker()
    make.gate.clear()
    first, second = (asyncio.create_task(cache.ensure("a", make)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    make.gate.set()
    assert (await second).size == 10


async def test_a_failure_reaches_every_caller_and_leaves_nothing(cache: FileCache, tmp_path: Path) -> None:
    make = Maker()
    make.error = SourceError("no such kernel")
    waiting = [asyncio.create_task(cache.ensure("a", make)) for _ in range(2)]
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert all(isinstance(result, SourceError) for result in results)
    assert list((tmp_path / "cache").iterdir()) == []
    make.error = None
    assert (await cache.ensure("a", make)).size == 10


async def test_the_least_recently_used_file_makes_room(cache: FileCache) -> None:
    make = Maker()
    files = {name: await cache.ensure(name, make) for name in "abc"}
    for age, name in enumerate("bca"):
        os.utime(files[name].path, ns=(10**9 + age, files[name].modified_ns))
    await cache.ensure("b", make)
    await cache.ensure("d", make)
    assert {name for name, file in files.items() if file.path.exists()} == {"a", "b"}


async def test_a_file_larger_than_the_room_is_kept_while_it_is_the_newest(cache: FileCache) -> None:
    assert (await cache.ensure("big", Maker(b"x" * 100))).path.exists()


async def test_using_a_file_does_not_change_its_identity(cache: FileCache) -> None:
    make = Maker()
    first = await cache.ensure("a", make)
    again = await cache.ensure("a", make)
    assert first.identity == again.identity


async def test_what_a_killed_process_left_behind_is_removed_in_time(cache: FileCache, tmp_path: Path) -> None:
    (tmp_path / "cache").mkdir()
    old, young = tmp_path / "cache" / "partial-old", tmp_path / "cache" / "partial-young"
    old.touch()
    young.touch()
    os.utime(old, (0, 0))
    await cache.ensure("a", Maker())
    assert (old.exists(), young.exists()) == (False, True)


async def test_closing_gives_up_what_is_being_made(cache: FileCache, tmp_path: Path) -> None:
    make = Maker()
    make.gate.clear()
    task = asyncio.create_task(cache.ensure("a", make))
    await until(lambda: make.calls)
    await cache.close()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert list((tmp_path / "cache").iterdir()) == []


async def test_trimming_brings_a_cache_within_its_limit_and_needs_no_directory(tmp_path: Path) -> None:
    roomy = FileCache(tmp_path / "cache", limit_bytes=1000)
    await roomy.trim()
    for key in "abcde":
        await roomy.ensure(key, Maker())
    await FileCache(tmp_path / "cache", limit_bytes=25).trim()
    assert len(list((tmp_path / "cache").iterdir())) == 2
