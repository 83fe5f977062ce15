"""Delays and faults of the fake interfaces, and the grammar in which they are told."""

import asyncio
from random import Random

import pytest

from bessemer.config.load import BadSettings
from bessemer.config.settings import FakeSettings
from bessemer.domain.interface import InterfaceType
from bessemer.domain.power import PowerTarget
from bessemer.domain.step import HardwareStep
from bessemer.hardware.fake.behaviour import Behaviour
from bessemer.hardware.fake.deploy import FakeDeploy
from bessemer.hardware.fake.fault import Fault, FaultKind, parse_fault
from bessemer.hardware.fake.power import FakePower
from bessemer.kernel.error import (
    DeadlineExceeded,
    DeviceRefused,
    DeviceUnreachable,
    InternalError,
    Unsupported,
)
from fakes.clock import FakeClock
from fakes.task import make_task

DEPLOY = HardwareStep(interface=InterfaceType.DEPLOY, step="deploy", priority=100)


def a_behaviour(**settings) -> Behaviour:
    return Behaviour(FakeSettings(**settings), FakeClock(), Random(7))


async def outcomes(behaviour: Behaviour, calls: int, task=None) -> list[bool]:
    """Whether each of so many power readings of one node works."""
    power, task, worked = FakePower(behaviour), task or make_task(), []
    for _ in range(calls):
        try:
            await power.get_power_state(task)
            worked.append(True)
        except DeviceUnreachable:
            worked.append(False)
    return worked


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("unreachable", Fault(FaultKind.UNREACHABLE)),
        ("refused@0.25", Fault(FaultKind.REFUSED, share=0.25)),
        ("refused@.5", Fault(FaultKind.REFUSED, share=0.5)),
        ("deadline@1.0", Fault(FaultKind.DEADLINE, share=1.0)),
        ("hang@first2", Fault(FaultKind.HANG, first=2)),
        ("bug@nth12", Fault(FaultKind.BUG, nth=12)),
    ],
)
def test_the_grammar_says_what_and_when(text, fault) -> None:
    assert parse_fault(text) == fault


@pytest.mark.parametrize(
    "text", ["", "explode", "refused@", "refused@2", "refused@first0", "refused@nth", "@0.1"]
)
def test_what_the_grammar_does_not_know_is_refused(text) -> None:
    with pytest.raises(BadSettings, match="faults"):
        parse_fault(text)


@pytest.mark.parametrize("where", ["power", "power.", "engine.start", ".x"])
def test_a_place_that_is_no_method_of_an_interface_is_refused(where) -> None:
    with pytest.raises(BadSettings, match=r"is not interface\.method"):
        a_behaviour(faults={where: "refused"})


@pytest.mark.parametrize("delay", ["soon", "-1", "3,1", "1,2,3", ""])
def test_a_delay_that_cannot_be_read_is_refused(delay) -> None:
    with pytest.raises(BadSettings, match="power_delay"):
        a_behaviour(power_delay=delay)


async def test_the_first_calls_of_each_node_fail_and_the_rest_work() -> None:
    behaviour = a_behaviour(faults={"power.get_power_state": "unreachable@first2"})
    assert await outcomes(behaviour, 4) == [False, False, True, True]
    assert await outcomes(behaviour, 3) == [False, False, True]


async def test_exactly_one_call_fails() -> None:
    behaviour = a_behaviour(faults={"power.*": "unreachable@nth3"})
    assert await outcomes(behaviour, 5) == [True, True, False, True, True]


async def test_a_share_of_all_calls_fails() -> None:
    worked = await outcomes(a_behaviour(faults={"power.get_power_state": "unreachable@0.3"}), 400)
    assert 80 < worked.count(False) < 160


async def test_other_methods_and_interfaces_work() -> None:
    behaviour = a_behaviour(faults={"power.request_power": "unreachable", "boot.*": "refused"})
    assert await outcomes(behaviour, 2) == [True, True]


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("unreachable", DeviceUnreachable),
        ("refused", DeviceRefused),
        ("deadline", DeadlineExceeded),
        ("unsupported", Unsupported),
        ("bug", InternalError),
    ],
)
async def test_each_kind_of_fault_is_the_error_of_its_name(kind, error) -> None:
    power = FakePower(a_behaviour(faults={"power.request_power": kind}))
    task = make_task()
    with pytest.raises(error, match=r"power\.request_power"):
        await power.request_power(task, PowerTarget.ON)
    assert task.node.driver_internal_info == {}


async def test_a_hang_lasts_until_the_caller_gives_up() -> None:
    power = FakePower(a_behaviour(faults={"power.*": "hang"}))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(power.get_power_state(make_task()), 0.05)


@pytest.mark.looptime
async def test_a_call_takes_the_time_it_is_told_to() -> None:
    loop = asyncio.get_running_loop()
    power = FakePower(a_behaviour(power_delay="30,60"))
    began = loop.time()
    await power.get_power_state(make_task())
    assert 30 <= loop.time() - began <= 60


async def test_a_step_that_takes_time_is_waited_for_without_being_held() -> None:
    """The wait is a note on the node: another process could go on with it."""
    clock = FakeClock()
    settings = FakeSettings(deploy_delay="60")
    task = make_task()
    begun = await FakeDeploy(Behaviour(settings, clock)).execute(task, DEPLOY)
    assert begun is not None
    assert begun.percent == 0
    clock.advance(45)
    deploy = FakeDeploy(Behaviour(settings, clock))
    halfway = await deploy.poll(task, DEPLOY)
    assert halfway is not None
    assert halfway.percent == 75
    clock.advance(15)
    assert await deploy.poll(task, DEPLOY) is None


async def test_a_step_without_delay_is_complete_at_once() -> None:
    assert await FakeDeploy(a_behaviour()).execute(make_task(), DEPLOY) is None


async def test_a_step_can_be_made_to_fail_by_its_name() -> None:
    deploy = FakeDeploy(a_behaviour(faults={"deploy.deploy": "refused"}))
    with pytest.raises(DeviceRefused, match=r"deploy\.deploy"):
        await deploy.execute(make_task(), DEPLOY)
