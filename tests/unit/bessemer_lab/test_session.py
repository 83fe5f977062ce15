"""Credentials and sessions of a BMC."""

import base64
from dataclasses import dataclass

import pytest

from bessemer_lab.bmc.session import Access, SessionLimit


@dataclass
class Clock:
    now_s: float = 0.0

    def __call__(self) -> float:
        return self.now_s


def encode(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


def test_the_right_credentials_are_accepted() -> None:
    access = Access("admin", "pass:word")
    assert access.is_password("admin", "pass:word")
    assert access.is_basic(encode("admin:pass:word"))


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Basic",
        "Basic %%%",
        "Bearer x",
        encode("admin"),
        encode("admin:"),
        encode("Admin:word"),
        "Basic /w==",
    ],
)
def test_any_other_header_is_not(header: str) -> None:
    assert not Access("admin", "word").is_basic(header)


def test_a_token_is_good_until_the_session_is_closed() -> None:
    access = Access("admin", "word")
    session, token = access.open_session()
    assert access.use_token(token)
    assert access.close_session(session.number)
    assert not access.use_token(token)
    assert not access.close_session(session.number)


def test_a_session_that_is_used_lives_on_and_one_that_is_not_ends() -> None:
    clock = Clock()
    access = Access("admin", "word", timeout_s=60, clock=clock)
    _, busy = access.open_session()
    _, idle = access.open_session()
    for _ in range(3):
        clock.now_s += 30
        assert access.use_token(busy)
    assert not access.use_token(idle)
    assert len(access.list_sessions()) == 1


def test_there_are_only_so_many_sessions() -> None:
    clock = Clock()
    access = Access("admin", "word", timeout_s=60, limit=1, clock=clock)
    access.open_session()
    with pytest.raises(SessionLimit):
        access.open_session()
    clock.now_s += 60
    access.open_session()
