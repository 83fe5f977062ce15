"""A tour through everything that the help of the ``baremetal`` command lists, against the real service."""

from collections.abc import Callable, Mapping

import pytest

from compat.tour import around, catalogue, node_life, node_record
from compat.tour.guide import Guide, commands_in_help
from fakes.baremetal_command import Baremetal

Stop = Callable[[Guide], None]

STOPS: tuple[Stop, ...] = (
    node_record.fields, node_record.lists, node_record.marks, node_record.readings, node_record.calls,
    node_life.deployment, node_life.adoption, node_life.cleaning, node_life.power, node_life.boot_device,
    node_life.raid, node_life.machine,
    around.ports, around.port_groups, around.volumes, around.chassis,
    catalogue.drivers, catalogue.templates, catalogue.runbooks, catalogue.inspection_rules,
    catalogue.allocations, catalogue.the_command_itself,
)  # fmt: skip
FEWEST = 80

#: Commands of the help that the tour leaves out, each with the reason.
LEFT_OUT: Mapping[str, str] = {}


@pytest.fixture(scope="module")
def guide(endpoint: str, tmp_path_factory: pytest.TempPathFactory) -> Guide:
    return Guide(Baremetal(endpoint), tmp_path_factory.mktemp("tour"))


@pytest.fixture(scope="module")
def toured(guide: Guide) -> Guide:
    """The guide after the whole tour, with the stops that no test has been to yet."""
    for stop in STOPS:
        guide.visit(stop)
    return guide


@pytest.mark.parametrize("stop", STOPS, ids=lambda stop: stop.__name__)
def test_the_commands_of_a_stop_do_what_they_say(guide: Guide, stop: Stop) -> None:
    guide.visit(stop)


def test_the_tour_goes_through_at_least_eighty_commands(
    toured: Guide, capsys: pytest.CaptureFixture[str]
) -> None:
    with capsys.disabled():
        print(f"\nbaremetal: {len(toured.ran)} of {len(toured.known)} commands ran")
    assert len(toured.ran) >= FEWEST


def test_every_command_of_the_help_is_on_the_tour_or_left_out_for_a_reason(toured: Guide) -> None:
    assert commands_in_help() - toured.ran == set(LEFT_OUT)
