"""How many refusals go into the audit trail."""

from bessemer.service.refusal_limit import RefusalLimit


def test_one_address_gets_so_many_in_a_window_and_the_rest_is_counted() -> None:
    limit = RefusalLimit(most=2, window_s=60)
    assert [limit.admit("a", 0.0) for _ in range(5)] == [0, 0, None, None, None]
    assert limit.admit("b", 1.0) == 3
    assert limit.admit("a", 60.0) == 0


def test_all_addresses_together_get_ten_times_as_many() -> None:
    limit = RefusalLimit(most=1, window_s=60)
    admitted = [limit.admit(f"address-{number}", 0.0) for number in range(15)]
    assert admitted == [0] * 10 + [None] * 5
    assert limit.admit("new", 61.0) == 5
