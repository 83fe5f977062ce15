"""A deployment without an agent: one step that takes as long as it is told to."""

from collections.abc import Mapping, Sequence

from bessemer.domain.interface import InterfaceType
from bessemer.domain.step import HardwareStep, StepKind
from bessemer.hardware.fake.behaviour import Behaviour
from bessemer.hardware.interface import BareInterface, InProgress, Task


class FakeDeploy(BareInterface):
    name = "fake"
    needs_agent = False
    core_steps: Mapping[str, int] = {"deploy": 100}

    def __init__(self, behaviour: Behaviour) -> None:
        self._behaviour = behaviour

    def steps(self, kind: StepKind) -> Sequence[HardwareStep]:
        if kind is not StepKind.DEPLOY:
            return ()
        return (HardwareStep(interface=InterfaceType.DEPLOY, step="deploy", priority=100),)

    async def execute(self, task: Task, step: HardwareStep) -> InProgress | None:
        if step.step not in self.core_steps:
            return await super().execute(task, step)
        return await self._behaviour.start_step(task, step)

    async def poll(self, task: Task, step: HardwareStep) -> InProgress | None:
        return self._behaviour.poll_step(task)
