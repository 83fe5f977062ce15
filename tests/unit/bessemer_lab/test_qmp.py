"""The QMP client against a monitor of our own."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from bessemer_lab.error import VmError
from bessemer_lab.qmp import QmpClient, QmpClosed, QmpError

Answerer = Callable[[dict[str, Any]], list[dict[str, Any]]]


def agree(request: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"return": request.get("arguments", {}), "id": request["id"]}]


@asynccontextmanager
async def monitor(answer: Answerer) -> AsyncIterator[tuple[QmpClient, list[tuple[str, dict[str, Any]]]]]:
    """A client of a monitor that greets, then answers as it is told; and the events it has seen."""
    ours, theirs = socket.socketpair()
    reader, writer = await asyncio.open_connection(sock=theirs)

    async def serve() -> None:
        while line := await reader.readline():
            request = json.loads(line)
            answers = agree(request) if request["execute"] == "qmp_capabilities" else answer(request)
            if not answers:
                break
            writer.writelines(json.dumps(message).encode() + b"\r\n" for message in answers)
        writer.close()

    writer.write(b'{"QMP": {"version": {}, "capabilities": []}}\r\n')
    serving = asyncio.create_task(serve())
    events: list[tuple[str, dict[str, Any]]] = []
    client = await QmpClient.connect(ours, lambda name, data: events.append((name, data)))
    try:
        yield client, events
    finally:
        await client.close()
        await serving
        await writer.wait_closed()


async def test_a_command_returns_its_result() -> None:
    async with monitor(agree) as (client, _):
        assert await client.execute("qom-set", path="/x", value=1) == {"path": "/x", "value": 1}


async def test_underscores_in_arguments_become_hyphens() -> None:
    async with monitor(agree) as (client, _):
        assert await client.execute("x", read_only_mode="retain") == {"read-only-mode": "retain"}


async def test_a_refusal_is_an_error_with_qemus_words() -> None:
    def refuse(request: dict[str, Any]) -> list[dict[str, Any]]:
        return [{"error": {"class": "GenericError", "desc": "Device is locked"}, "id": request["id"]}]

    async with monitor(refuse) as (client, _):
        with pytest.raises(QmpError, match="Device is locked"):
            await client.execute("eject")


async def test_events_between_answers_are_passed_on() -> None:
    def with_event(request: dict[str, Any]) -> list[dict[str, Any]]:
        return [{"event": "RESET", "data": {"guest": True}}, *agree(request)]

    async with monitor(with_event) as (client, events):
        await client.execute("system_reset")
        assert events == [("RESET", {"guest": True})]


async def test_answers_in_another_order_reach_who_asked() -> None:
    held: list[dict[str, Any]] = []

    def reverse(request: dict[str, Any]) -> list[dict[str, Any]]:
        held.extend(agree(request))
        return held[::-1] if len(held) == 2 else [{"event": "WAIT"}]

    async with monitor(reverse) as (client, _):
        results = await asyncio.gather(client.execute("a", n=1), client.execute("b", n=2))
    assert results == [{"n": 1}, {"n": 2}]


async def test_the_end_of_qemu_ends_commands_under_way() -> None:
    async with monitor(lambda _: []) as (client, _):
        with pytest.raises(QmpClosed):
            await client.execute("quit", timeout_s=30)
        with pytest.raises(QmpClosed):
            await client.execute("query-status")


async def test_a_monitor_that_does_not_answer_is_given_up() -> None:
    async with monitor(lambda _: [{"event": "NOTHING"}]) as (client, _):
        with pytest.raises(VmError, match=r"did not answer query-status within 0\.05 s"):
            await client.execute("query-status", timeout_s=0.05)


async def test_something_else_than_a_monitor_is_recognised() -> None:
    ours, theirs = socket.socketpair()
    theirs.sendall(b'{"hello": 1}\n')
    with pytest.raises(VmError, match="not a QEMU monitor"):
        await QmpClient.connect(ours, lambda *_: None)
    theirs.close()


async def test_a_monitor_that_does_not_greet_is_given_up() -> None:
    ours, theirs = socket.socketpair()
    with pytest.raises(VmError, match=r"did not greet within 0\.05 s"):
        await QmpClient.connect(ours, lambda *_: None, timeout_s=0.05)
    theirs.close()
