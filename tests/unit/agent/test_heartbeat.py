import threading
import time

import pytest

from bessemer_agent.heartbeat import Heartbeat
from bessemer_agent.http_client import HttpStatusError


def test_the_next_beat_comes_within_the_services_timeout() -> None:
    heartbeat = Heartbeat(lambda: None, timeout_s=100.0)
    pauses = [heartbeat.beat_once() for _ in range(200)]
    assert 30.0 <= min(pauses) < 40.0
    assert 50.0 < max(pauses) <= 60.0


@pytest.mark.parametrize("failure", [ConnectionRefusedError("no"), HttpStatusError(409, "locked")])
def test_a_failed_beat_is_repeated_soon_and_told_once(
    failure: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    failures = [failure, failure]

    def beat() -> None:
        if failures:
            raise failures.pop()

    heartbeat = Heartbeat(beat, timeout_s=1000.0)
    assert 5.0 <= heartbeat.beat_once() <= 10.0
    assert 5.0 <= heartbeat.beat_once() <= 10.0
    assert heartbeat.beat_once() >= 300.0
    said = capsys.readouterr().out
    assert said.count("heartbeat failed") == 1
    assert said.count("works again") == 1


def test_a_forced_beat_does_not_wait_for_its_time() -> None:
    now_s = [0.0]
    beats = threading.Semaphore(0)
    heartbeat = Heartbeat(beats.release, timeout_s=3600.0, clock=lambda: now_s[0])
    thread = threading.Thread(target=heartbeat.run)
    thread.start()
    try:
        assert beats.acquire(timeout=60)
        deadline_s = time.monotonic() + 60
        while not beats.acquire(timeout=0.02):
            assert time.monotonic() < deadline_s
            now_s[0] += 6.0  # more than the least distance between two
            heartbeat.force()
    finally:
        heartbeat.stop()
        thread.join(10)
    assert not thread.is_alive()


def test_forced_beats_keep_their_distance() -> None:
    beats = threading.Semaphore(0)
    heartbeat = Heartbeat(beats.release, timeout_s=3600.0, clock=lambda: 0.0)
    thread = threading.Thread(target=heartbeat.run)
    thread.start()
    try:
        assert beats.acquire(timeout=60)
        heartbeat.force()
        assert not beats.acquire(timeout=0.05)
    finally:
        heartbeat.stop()
        thread.join(10)
