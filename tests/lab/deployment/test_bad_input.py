"""What cannot work ends in the right failed state, says why in last_error, and can be tried again."""

import asyncio
import socket
from typing import Any

import pytest

pytestmark = pytest.mark.lab


async def manageable(stage, **driver_info: Any):
    operator = stage.operator()
    await asyncio.to_thread(operator.enrol, "node-0", **driver_info)
    return operator


async def outcome(stage, operator, verb: str, timeout_s: float = 120.0, **options: Any):
    """Ask for ``verb`` and wait until nothing is under way any more."""
    await asyncio.to_thread(operator.ask, verb, **options)
    return await stage.until(operator.settled, f"'{verb}' ends", timeout_s)


async def available(stage):
    operator = await manageable(stage)
    assert (await outcome(stage, operator, "manage")).state == "manageable"
    assert (await outcome(stage, operator, "provide")).state == "available"
    return operator


NO_CLEANING = "\n[conductor]\nautomated_clean = false\n"


async def test_a_wrong_bmc_password_is_named_and_can_be_put_right(stages) -> None:
    stage = await stages()
    operator = await manageable(stage, redfish_password="wrong")
    sight = await outcome(stage, operator, "manage")
    assert sight.state == "enroll"
    assert "credentials" in sight.node.last_error
    assert "wrong" not in sight.node.last_error

    await asyncio.to_thread(operator.set_driver_info, redfish_password=stage.scene.machine.password)
    assert (await outcome(stage, operator, "manage")).state == "manageable"


async def test_a_bmc_that_hangs_is_given_up_after_its_deadline(stages) -> None:
    stage = await stages(
        "\n[redfish]\nrequest_timeout = 2\nconnection_attempts = 2\nconnection_retry_interval = 1\n"
    )
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        operator = await manageable(stage, redfish_address=f"https://127.0.0.1:{port}")
        sight = await outcome(stage, operator, "manage")
    assert sight.state == "enroll"
    assert str(port) in sight.node.last_error


async def test_an_image_that_does_not_exist_is_found_before_the_machine_is_touched(stages) -> None:
    stage = await stages(NO_CLEANING)
    operator = await available(stage)
    await asyncio.to_thread(operator.describe_instance, "x", image_source=stage.scene.image_url + ".missing")
    sight = await outcome(stage, operator, "active")
    assert sight.state == "deploy failed"
    assert "404" in sight.node.last_error
    assert sight.node.power_state == "power off"


async def test_bad_images_fail_clearly_and_the_next_deployment_succeeds(stages) -> None:
    """A wrong checksum; an image larger than the disk; then the right one, on the same node."""
    stage = await stages(NO_CLEANING)
    operator = await available(stage)

    await asyncio.to_thread(operator.describe_instance, "x", image_os_hash_value="0" * 64)
    sight = await outcome(stage, operator, "active")
    assert sight.state == "deploy failed"
    assert "checksum" in sight.node.last_error.lower()

    await asyncio.to_thread(operator.describe_instance, "x", **await stage.large_image(size_gib=5))
    sight = await outcome(stage, operator, "active")
    assert sight.state == "deploy failed"
    assert "does not fit on the disk" in sight.node.last_error

    console_from = stage.console_size()
    drive = await asyncio.to_thread(operator.describe_instance, "third-time.example")
    sight = await outcome(stage, operator, "active", config_drive=drive)
    assert sight.state == "active", sight.node.last_error
    await stage.booted("third-time.example", console_from)


async def test_an_agent_that_never_calls_back_fails_the_deployment_at_its_deadline(stages) -> None:
    stage = await stages("\n[conductor]\nautomated_clean = false\ndeploy_callback_timeout = 4\n")
    operator = await available(stage)
    await asyncio.to_thread(operator.describe_instance, "x")
    sight = await outcome(stage, operator, "active")
    assert sight.state == "deploy failed"
    assert "has not called back" in sight.node.last_error
    assert sight.node.power_state == "power off"

    sight = await outcome(stage, operator, "active")
    assert sight.state == "deploy failed", "a second try is accepted and ends the same way"
