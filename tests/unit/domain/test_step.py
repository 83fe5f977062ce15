from bessemer.domain.interface import InterfaceType
from bessemer.domain.step import HardwareStep, StepKind, in_order


def step(interface: InterfaceType, name: str, priority: int) -> HardwareStep:
    return HardwareStep(interface=interface, step=name, priority=priority)


def test_steps_run_from_the_highest_priority_down() -> None:
    steps = [step(InterfaceType.RAID, "low", 1), step(InterfaceType.RAID, "high", 9)]
    assert [s.step for s in in_order(StepKind.CLEAN, steps)] == ["high", "low"]


def test_a_step_of_priority_zero_runs_only_on_request() -> None:
    assert in_order(StepKind.CLEAN, [step(InterfaceType.DEPLOY, "erase", 0)]) == []


def test_ties_go_by_the_rank_of_the_interface() -> None:
    steps = [
        step(InterfaceType.RAID, "a", 5),
        step(InterfaceType.POWER, "b", 5),
        step(InterfaceType.BIOS, "c", 5),
    ]
    assert [s.step for s in in_order(StepKind.CLEAN, steps)] == ["b", "c", "a"]


def test_only_servicing_puts_network_first() -> None:
    steps = [step(InterfaceType.NETWORK, "n", 5), step(InterfaceType.VENDOR, "v", 5)]
    assert [s.step for s in in_order(StepKind.SERVICE, steps)] == ["n", "v"]
    assert [s.step for s in in_order(StepKind.CLEAN, steps)] == ["v", "n"]
