"""Killing the service at any moment of a deployment costs nothing but a moment."""

import asyncio
import os
import random
import time

import pytest

pytestmark = pytest.mark.lab

SEED = int(os.environ.get("BESSEMER_SEED", "20261123"))
#: A step to be reached, and how long after it at most the service is killed.
MOMENTS = (
    ("prepare the agent's boot", 0.2),
    ("boot the agent", 3.0),
    ("boot the agent", 6.0),
    ("boot the agent", 9.0),
    ("choose deploy steps", 0.2),
    ("write image", 0.5),
    ("write image", 2.0),
    ("make bootable", 0.5),
    ("tear down the agent", 1.0),
    ("power off after the agent", 0.2),
)


async def test_a_deployment_survives_kill_9_at_ten_moments(stages) -> None:
    """Ten deployments of one machine, the service killed once in each, at a moment that the seed picks."""
    stage = await stages("\n[conductor]\nautomated_clean = false\n")
    operator = stage.operator()
    await asyncio.to_thread(operator.enrol, "node-0")
    await asyncio.to_thread(operator.move, "manage", "manageable")
    await asyncio.to_thread(operator.move, "provide", "available")

    seed = random.Random(SEED)
    for number, (step, most_s) in enumerate(MOMENTS):
        await deploy_with_a_kill(stage, operator, number, step, seed.uniform(0.0, most_s))


async def deploy_with_a_kill(stage, operator, number: int, step: str, delay_s: float) -> None:
    hostname = f"survivor-{number}.example"
    drive = await asyncio.to_thread(operator.describe_instance, hostname)
    console_from = stage.console_size()
    begun = time.monotonic()
    await asyncio.to_thread(operator.ask, "rebuild" if number else "active", config_drive=drive)

    await stage.until(lambda: has_reached(operator, step), f"deployment {number} reaches '{step}'")
    await asyncio.sleep(delay_s)
    at = await asyncio.to_thread(operator.look)
    await stage.service.kill()
    await stage.service.start()

    settled = await stage.until(operator.settled, f"deployment {number} ends")
    took_s = time.monotonic() - begun
    print(f"killed in '{at.state}' at {at.step or 'the end'}; '{settled.state}' after {took_s:.1f} s")
    assert settled.state == "active", settled.node.last_error
    await stage.booted(hostname, console_from)


def has_reached(operator, step: str) -> bool:
    """Whether the newest operation has come to ``step``, or is past it."""
    operation = operator.operations()[0]
    names = [item["step"] for item in operation["plan"]]
    return operation["kind"] == "deploy" and operation["position"] >= names.index(step)
