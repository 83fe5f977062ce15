import pytest

from bessemer.domain.power import PowerState
from bessemer.domain.provision import ProvisionState
from bessemer.domain.volume import check_delete, check_update
from bessemer.kernel.error import InvalidValue
from fakes.store import a_node


@pytest.mark.parametrize("power", [PowerState.ON, PowerState.ERROR, None])
def test_volumes_change_only_while_the_node_is_powered_off(power: PowerState | None) -> None:
    check_update(a_node(power_state=PowerState.OFF))
    with pytest.raises(InvalidValue, match="powered off"):
        check_update(a_node(power_state=power))


def test_volumes_of_a_parked_node_go_whatever_its_power_state() -> None:
    for state in (ProvisionState.ENROLL, ProvisionState.MANAGEABLE, ProvisionState.ADOPT_FAILED):
        check_delete(a_node(provision_state=state, power_state=PowerState.ON))
    check_delete(a_node(provision_state=ProvisionState.ACTIVE, power_state=PowerState.OFF))
    with pytest.raises(InvalidValue, match="powered off"):
        check_delete(a_node(provision_state=ProvisionState.ACTIVE, power_state=PowerState.ON))
