"""Killing the service at any moment of a deployment costs nothing but a moment."""

import asyncio
import os
import random

import pytest

pytestmark = pytest.mark.lab

#: Seconds after the request at which the service is killed, spread over a deployment of about half a minute.
MOMENTS = 10
SPAN_S = 34.0
SEED = int(os.environ.get("BESSEMER_SEED", "20261123"))


async def test_a_deployment_survives_kill_9_at_ten_moments(stages) -> None:
    """Ten deployments of one machine, the service killed once in each, at a moment that the seed picks."""
    stage = await stages("\n[conductor]\nautomated_clean = false\n")
    operator = stage.operator()
    await asyncio.to_thread(operator.enrol, "node-0")
    await asyncio.to_thread(operator.move, "manage", "manageable")
    await asyncio.to_thread(operator.move, "provide", "available")

    moments = random.Random(SEED)
    for round_number in range(MOMENTS):
        earliest = SPAN_S * round_number / MOMENTS
        moment = moments.uniform(earliest, earliest + SPAN_S / MOMENTS)
        await deploy_with_a_kill(stage, operator, round_number, moment)


async def deploy_with_a_kill(stage, operator, round_number: int, moment_s: float) -> None:
    hostname = f"survivor-{round_number}.example"
    drive = await asyncio.to_thread(operator.describe_instance, hostname)
    verb = "active" if round_number == 0 else "rebuild"
    console_from = stage.console_size()
    begun = asyncio.get_running_loop().time()
    await asyncio.to_thread(operator.ask, verb, config_drive=drive)

    await asyncio.sleep(moment_s - (asyncio.get_running_loop().time() - begun))
    at = await asyncio.to_thread(operator.look)
    await stage.service.kill()
    await stage.service.start()
    print(f"killed after {moment_s:4.1f} s in '{at.state}' at step {at.step or '(over)'}")

    settled = await stage.until(operator.settled, f"deployment {round_number} ends")
    assert settled.state == "active", settled.node.last_error
    await stage.booted(hostname, console_from)
