"""What signals do to the life of a process."""

import asyncio
from collections.abc import Callable

import pytest

from bessemer.server.life import Life


class Time:
    seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


async def slow_to_end(released: asyncio.Event, ended: list[str]) -> None:
    """Takes its time when cancelled, and none when cancelled again."""
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        try:
            await released.wait()
        except asyncio.CancelledError:
            ended.append("at once")
            raise
        ended.append("in order")
        raise


async def end_of_a_slow_job(asked: Callable[[Life, Time], None]) -> list[str]:
    """How it ends when its process is ``asked``, and it is released a while later."""
    time, released, ended = Time(), asyncio.Event(), list[str]()
    life = Life(time)
    running = asyncio.create_task(life.run({"job": slow_to_end(released, ended)}))
    await asyncio.sleep(0)
    asked(life, time)
    for _ in range(20):
        await asyncio.sleep(0)
    released.set()
    async with asyncio.timeout(60):
        await running
    return ended


@pytest.mark.parametrize(
    ("pauses_s", "how"),
    [
        ([], "in order"),
        ([0.0], "in order"),
        ([0.9, 0.1], "in order"),
        ([1.1], "at once"),
        ([0.1, 5.0], "at once"),
    ],
)
async def test_being_asked_again_within_a_second_is_no_hurry_and_later_it_is(
    pauses_s: list[float], how: str
) -> None:
    def asked(life: Life, time: Time) -> None:
        life.stop()
        for pause_s in pauses_s:
            time.seconds += pause_s
            life.stop()

    assert await end_of_a_slow_job(asked) == [how]


@pytest.mark.parametrize(("pause_s", "how"), [(0.0, "in order"), (2.0, "at once")])
async def test_a_stop_hurries_a_drain_unless_they_come_together(pause_s: float, how: str) -> None:
    def asked(life: Life, time: Time) -> None:
        life.drain()
        time.seconds += pause_s
        life.stop()

    assert await end_of_a_slow_job(asked) == [how]
