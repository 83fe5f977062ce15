from collections.abc import Sequence

import pytest

from bessemer_agent.error import LookupFailed
from bessemer_agent.http_client import HttpStatusError
from bessemer_agent.lookup import LookupLoop
from bessemer_agent.service_api import BadAnswer, Found

FOUND = Found({"uuid": "n1"}, {}, None, is_token_given_away=False)


class FakeService:
    """Answers lookups from a list; its last answer repeats."""

    def __init__(self, *answers: Found | Exception) -> None:
        self.url = "http://fake"
        self.answers = list(answers)
        self.asked = 0

    def lookup(self, macs: Sequence[str], node_uuid: str | None) -> Found:
        self.asked += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


class Timeline:
    """A clock that only pauses move."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.pauses: list[float] = []

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now_s += seconds


def loop(timeline: Timeline, *services: FakeService, timeout_s: float = 600.0) -> LookupLoop:
    return LookupLoop(
        services,  # type: ignore[arg-type]
        timeout_s=timeout_s,
        interval_s=1.0,
        pause=timeline.pause,
        clock=lambda: timeline.now_s,
    )


def test_the_first_service_that_knows_the_machine_is_taken() -> None:
    silent, knowing = FakeService(ConnectionRefusedError("no")), FakeService(FOUND)
    service, found = loop(Timeline(), silent, knowing).run(lambda: ["aa"])
    assert service is knowing  # type: ignore[comparison-overlap]
    assert found == FOUND


def test_refusals_are_asked_again_with_growing_pauses() -> None:
    timeline = Timeline()
    loop(timeline, FakeService(*[HttpStatusError(404, "no")] * 8, FOUND)).run(lambda: ["aa"])
    assert len(timeline.pauses) == 8
    assert all(1.0 <= pause <= 60.0 for pause in timeline.pauses)
    assert timeline.pauses[0] == 1.0


def test_a_locked_node_is_asked_again_after_five_ten_and_thirty_seconds() -> None:
    timeline = Timeline()
    loop(timeline, FakeService(*[HttpStatusError(409, "locked")] * 4, FOUND)).run(lambda: ["aa"])
    assert timeline.pauses == [5.0, 10.0, 30.0, 30.0]


def test_giving_up_tells_the_last_refusal() -> None:
    timeline = Timeline()
    with pytest.raises(LookupFailed, match=r"60 s.*the answer makes no sense"):
        loop(timeline, FakeService(BadAnswer("the answer makes no sense")), timeout_s=60.0).run(
            lambda: ["aa"]
        )
    assert timeline.now_s <= 60.0


def test_the_same_refusal_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    loop(Timeline(), FakeService(*[HttpStatusError(404, "no")] * 5, FOUND)).run(lambda: ["aa"])
    assert capsys.readouterr().out.count("lookup not answered") == 1


def test_a_network_card_that_is_found_late_is_asked_with() -> None:
    service = FakeService(HttpStatusError(404, "no"), FOUND)
    found = [["aa"], ["aa", "bb"]]
    asked: list[Sequence[str]] = []

    def lookup(macs: Sequence[str], node_uuid: str | None) -> Found:
        asked.append(macs)
        return FakeService.lookup(service, macs, node_uuid)

    service.lookup = lookup  # type: ignore[method-assign]
    loop(Timeline(), service).run(lambda: found.pop(0))
    assert asked == [["aa"], ["aa", "bb"]]
