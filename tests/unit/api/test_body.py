"""Request bodies: bounded in size and depth."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest

from bessemer.api.v1 import body
from bessemer.api.v1.error import Refusal
from bessemer.kernel.error import InvalidValue


def sender(*chunks: bytes) -> Any:
    pending = list(chunks)

    async def receive() -> dict[str, Any]:
        if not pending:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": pending.pop(0), "more_body": bool(pending)}

    return receive


async def test_a_body_is_put_together() -> None:
    assert await body.read(sender(b"ab", b"", b"cd"), 4) == b"abcd"


@pytest.mark.parametrize("chunks", [(b"abcde",), (b"abc", b"de"), (b"a",) * 50])
async def test_a_body_that_is_too_large_is_refused(chunks: tuple[bytes, ...]) -> None:
    with pytest.raises(Refusal) as caught:
        await body.read(sender(*chunks), 4)
    assert (caught.value.status, caught.value.is_bare) == (413, True)


async def test_a_client_that_leaves_is_not_answered() -> None:
    with pytest.raises(body.Disconnected):
        await body.read(sender(), 4)


async def test_a_client_that_sends_nothing_is_not_waited_for() -> None:
    async def silence() -> Any:
        await asyncio.Event().wait()

    with pytest.raises(Refusal) as caught:
        await body.read(silence, 4, timeout_s=0.01)
    assert caught.value.status == 408


@pytest.mark.parametrize("content", [b"", b"  \n"])
def test_no_body_is_nothing(content: bytes) -> None:
    assert body.decode(content, 25) is None


@pytest.mark.parametrize("content", [b"{", b"nope", b'{"a":1,}', b"\xff", b'"\\ud800"', b"NaN", b"[1e999]"])
def test_what_is_not_json_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidValue):
        body.decode(content, 25)


def test_depth_is_bounded_exactly() -> None:
    def nested(levels: int) -> bytes:
        return b"[" * levels + b"]" * levels

    assert body.decode(nested(25), 25) is not None
    for levels in (26, 100_000):
        with pytest.raises(Refusal) as caught:
            body.decode(nested(levels), 25)
        assert (caught.value.status, caught.value.is_bare) == (400, True)


def test_many_brackets_side_by_side_or_in_strings_are_no_depth() -> None:
    assert body.decode(b"[" + b",".join([b"[]"] * 100) + b"]", 25) is not None
    assert body.decode(b'["' + b"[{" * 100 + b'\\"[["]', 25) is not None
    assert body.decode(b'["","' + b"[" * 9 + b'", "\\\\\\"' + b"{" * 9 + b'\\\\", {"a": "]"}]', 4) is not None


def test_brackets_behind_strings_are_counted() -> None:
    for before in (b'""', b'"a\\\\"', b'"[\\""', b'"]","{"'):
        with pytest.raises(Refusal, match="nested deeper than 3 levels"):
            body.decode(b"[" + before + b",[[[1]]]]", 3)


def test_lists_and_objects_are_bounded_in_number() -> None:
    most = body.MOST_PARTS
    assert len(body.decode(b"[" + b'"[",["]"],' * (most - 2) + b'["["],"[{"]', 25)) == 2 * most - 2
    for content in (b"[" + b"{}," * (most - 1) + b"{}]", b"[" + b'"[",["]"],' * 3 * most, b"[" * 3 * most):
        with pytest.raises(Refusal, match="more than 200000 lists and objects") as caught:
            body.decode(content, 25)
        assert (caught.value.status, caught.value.is_bare) == (400, True)


@pytest.mark.parametrize("part", [b"[],", b"[", b'["]"', b'\\"', b'"[",', b'""', b"\\"])
def test_the_largest_body_is_judged_in_less_than_it_takes_to_walk_over_it(part: bytes) -> None:
    content = b'["' + part * (16 * 2**20 // len(part))
    walking = cpu_s(lambda: [None for byte in content if byte == 0])

    def judge() -> None:
        with pytest.raises((Refusal, InvalidValue)):
            body.decode(content, 25)

    assert min(cpu_s(judge) for _ in range(3)) < walking


def cpu_s(work: Callable[[], object]) -> float:
    began = time.thread_time()
    work()
    return time.thread_time() - began
