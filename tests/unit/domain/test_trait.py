import pytest

from bessemer.domain.standard_trait import STANDARD
from bessemer.domain.trait import (
    LONGEST,
    MOST_PER_NODE,
    check_instance_traits,
    check_node_traits,
    check_traits,
    is_trait,
)
from bessemer.kernel.error import InvalidValue


@pytest.mark.parametrize(
    "name", ["CUSTOM_GPU", "CUSTOM_1", "CUSTOM__", "HW_CPU_X86_AVX2", "STORAGE_DISK_SSD"]
)
def test_standard_and_custom_names_are_traits(name: str) -> None:
    assert is_trait(name)


@pytest.mark.parametrize(
    "name",
    ["", "CUSTOM_", "custom_gpu", "CUSTOM_gpu", "CUSTOM_Ä", "HW_CPU_X86_AVX22", "GPU", "CUSTOM_A\n", 5, None,
     "CUSTOM_" + "A" * LONGEST],
)  # fmt: skip
def test_other_names_are_no_traits(name: object) -> None:
    assert not is_trait(name)


def test_the_standard_list_is_whole_and_well_formed() -> None:
    assert len(STANDARD) > 300
    assert {name.partition("_")[0] for name in STANDARD} == {"COMPUTE", "HW", "MISC", "OWNER", "STORAGE"}


def test_a_list_of_traits_is_put_in_order_and_each_is_kept_once() -> None:
    assert check_traits(["CUSTOM_B", "CUSTOM_A", "CUSTOM_B"]) == ["CUSTOM_A", "CUSTOM_B"]


@pytest.mark.parametrize("names", ["CUSTOM_A", None, {"CUSTOM_A": 1}, ["CUSTOM_A", "nope"]])
def test_what_is_no_list_of_traits_is_refused(names: object) -> None:
    with pytest.raises(InvalidValue, match=r"list|nope"):
        check_traits(names)


def test_a_node_has_at_most_fifty_traits() -> None:
    check_node_traits([f"CUSTOM_{number}" for number in range(MOST_PER_NODE)])
    with pytest.raises(InvalidValue, match="51"):
        check_node_traits([f"CUSTOM_{number}" for number in range(MOST_PER_NODE + 1)])


def test_an_instance_may_ask_for_traits_of_its_node_only() -> None:
    assert check_instance_traits(None, ["CUSTOM_A"]) == []
    assert check_instance_traits(["CUSTOM_A"], ["CUSTOM_A", "CUSTOM_B"]) == ["CUSTOM_A"]
    with pytest.raises(InvalidValue, match="CUSTOM_B, CUSTOM_C"):
        check_instance_traits(["CUSTOM_C", "CUSTOM_A", "CUSTOM_B"], ["CUSTOM_A"])
