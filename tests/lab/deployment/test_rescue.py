"""A machine is rescued with the real agent: its user logs in on the console with the password asked for."""

import asyncio

import pytest

pytestmark = pytest.mark.lab

PASSWORD = "open-sesame-4711"


async def test_the_user_of_a_rescued_machine_logs_in_on_its_console(stages) -> None:
    stage = await stages("\n[DEFAULT]\ndefault_rescue_interface = agent\n")
    operator = stage.operator()
    await asyncio.to_thread(operator.enrol, "node-0")
    await asyncio.to_thread(operator.move, "manage", "manageable", timeout_s=60.0)
    await asyncio.to_thread(operator.describe_instance, "rescued.example")
    await asyncio.to_thread(operator.move, "adopt", "active", timeout_s=60.0)
    await asyncio.to_thread(operator.ask, "rescue", rescue_password=PASSWORD)
    sight = await stage.until(operator.settled, "the rescue ends", timeout_s=90.0)
    assert (sight.state, sight.node.last_error) == ("rescue", None)

    reader, writer = await asyncio.open_unix_connection(str(stage.scene.machine.console_socket))
    try:
        await answer(reader, writer, "login: ", "rescue")
        await answer(reader, writer, "Password: ", PASSWORD)
        # The words that are typed are echoed: only what the shell makes of them counts.
        await answer(reader, writer, "# ", "echo $((40 + 2)) of user $(id -u); uname -s | tr A-Z a-z")
        assert "42 of user 0" in await until(reader, "linux")
    finally:
        writer.close()


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, prompt: str, line: str) -> None:
    await until(reader, prompt, nudge=writer if prompt == "login: " else None)
    writer.write(line.encode() + b"\r")
    await writer.drain()


async def until(reader: asyncio.StreamReader, text: str, nudge: asyncio.StreamWriter | None = None) -> str:
    """What the console says until ``text``; ``nudge`` presses return now and then."""
    said = ""
    async with asyncio.timeout(60.0):
        while text not in said:
            try:
                piece = await asyncio.wait_for(reader.read(1024), 2.0)
            except TimeoutError:
                if nudge is not None:
                    nudge.write(b"\r")
                continue
            assert piece, f"the console closed after: {said[-500:]}"
            said += piece.decode(errors="replace")
    return said
