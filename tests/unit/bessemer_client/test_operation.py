"""How ``bessemer operation`` shows an operation."""

from typing import Any

import pytest

from bessemer_client.operation import operation_line

SHOWN: dict[str, Any] = {
    "uuid": "u-1",
    "kind": "deploy",
    "state": "queued",
    "position": 0,
    "plan": [{}, {}],
    "created_at": "2026-11-23T12:00:00+00:00",
}


@pytest.mark.parametrize(
    ("queue", "end"),
    [
        (None, "2026-11-23T12:00:00+00:00"),
        ({"position": 1, "behind": None, "pool": None}, "number 1 in the queue"),
        (
            {"position": 7, "behind": "u-0", "pool": "deploy"},
            "number 7 in the queue, behind u-0, counts against the limit of 'deploy'",
        ),
    ],
)
def test_a_queued_operation_shows_its_place_and_what_it_waits_for(queue: Any, end: str) -> None:
    assert operation_line({**SHOWN, "queue": queue}).endswith(end)


def test_a_service_that_tells_no_place_is_shown_as_before() -> None:
    assert operation_line(SHOWN).endswith("2026-11-23T12:00:00+00:00")
