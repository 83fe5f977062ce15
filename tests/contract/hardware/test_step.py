"""What every implementation keeps of the steps it offers, whatever its kind."""

import pytest

from bessemer.config.settings import RedfishSettings, Settings
from bessemer.domain.interface import InterfaceType
from bessemer.domain.step import HardwareStep, StepKind
from bessemer.hardware.catalogue import implementations
from bessemer.hardware.redfish.pool import BmcPool
from bessemer.kernel.error import Unsupported
from fakes.clock import FakeClock
from fakes.task import make_task

EVERY = [
    pytest.param(kind, interface, id=f"{kind}-{interface.name}")
    for kind in InterfaceType
    for interface in implementations(Settings(), BmcPool(RedfishSettings()), FakeClock()).get(kind)
]


@pytest.mark.parametrize(("kind", "interface"), EVERY)
def test_steps_carry_the_kind_of_their_interface_and_a_name_of_their_own(kind, interface) -> None:
    for step_kind in StepKind:
        steps = interface.steps(step_kind)
        assert all(step.interface is kind for step in steps)
        assert len({step.step for step in steps}) == len(steps)


@pytest.mark.parametrize(("kind", "interface"), EVERY)
async def test_a_step_that_was_never_offered_is_refused(kind, interface) -> None:
    with pytest.raises(Unsupported, match="no_such_step"):
        await interface.execute(make_task(), HardwareStep(interface=kind, step="no_such_step"))


@pytest.mark.parametrize(("kind", "interface"), EVERY)
def test_every_property_is_described(kind, interface) -> None:
    assert all(key and description.endswith(".") for key, description in interface.properties().items())
    assert interface.name
