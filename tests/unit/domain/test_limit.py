"""Limits, and how conductor groups share them."""

import pytest

from bessemer.domain.limit import Demand, Limit, Priority, entitlement, free_slots, weights


def test_without_a_limit_there_is_no_bound() -> None:
    assert free_slots(Limit(), [Demand("", active=1000)], "") is None


def test_what_is_under_way_anywhere_counts_against_the_limit() -> None:
    demands = [Demand("a", active=3), Demand("b", active=4)]
    assert free_slots(Limit(everywhere=10), demands, "a") == 3
    assert free_slots(Limit(everywhere=5), demands, "a") == 0


def test_a_group_has_a_limit_of_its_own() -> None:
    assert free_slots(Limit(everywhere=10, in_group=2), [Demand("a", active=1)], "a") == 1
    assert free_slots(Limit(in_group=2), [Demand("a", active=1), Demand("b", active=9)], "a") == 1


def test_a_group_may_use_what_nobody_else_wants() -> None:
    assert free_slots(Limit(everywhere=10), [Demand("a", active=6), Demand("b")], "a") == 4


def test_what_others_have_a_right_to_and_want_is_left_to_them() -> None:
    wanting = [Demand("a", active=6, queued=100), Demand("b", queued=100)]
    assert free_slots(Limit(everywhere=10), wanting, "a") == 0
    assert free_slots(Limit(everywhere=10), wanting, "b") == 4
    modest = [Demand("a", active=6, queued=100), Demand("b", queued=1)]
    assert free_slots(Limit(everywhere=10), modest, "a") == 3


def test_a_group_gets_its_share_however_much_others_want() -> None:
    demands = [Demand("a", queued=100), *(Demand(name, queued=100) for name in "bcde")]
    assert free_slots(Limit(everywhere=10), demands, "a") == 2


def test_a_priority_counts_four_times_the_one_below() -> None:
    assert [entitlement(2, priority) for priority in Priority] == [2, 8, 32]


@pytest.mark.parametrize("text", ["0", "-1", "many", "nan", "inf"])
def test_a_weight_must_be_a_number_above_nothing(text: str) -> None:
    with pytest.raises(ValueError, match=r"p|many"):
        weights({"p": text})
