"""Accounts in a file: which lines there are, who gets in, and how guessing is slowed down."""

import asyncio
import base64
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import bcrypt
import pytest
import pytest_asyncio

from bessemer.api.authentication.http_basic.account import read_accounts
from bessemer.api.authentication.http_basic.password_file import PasswordFile
from bessemer.api.authentication.http_basic.throttle import Throttle
from bessemer.api.authentication.http_basic.validator import BasicAuthentication
from bessemer.api.authentication.proof import Denial, Proof
from bessemer.config.load import BadSettings

ADDRESS = "192.0.2.1"


def hashed(password: str) -> str:
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(4)).decode()


#: Of "opensesame".
HASH = "$2b$04$TqC/gtchXcI0SpkPAFYQh.o9Op2qkCfJ3t.Vo9Ev3SWGb5LbJoz1y"


def proof(user: str, password: str | bytes, address: str = ADDRESS) -> Proof:
    raw = password if isinstance(password, bytes) else password.encode()
    given = base64.b64encode(user.encode() + b":" + raw).decode()
    return Proof("GET", "/v1/nodes", address=address, authorization=f"Basic {given}")


class Time:
    seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


class Bench:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.time = Time()
        self.write(f"alice:{HASH}\n")
        file = PasswordFile(path, monotonic=self.time)
        self.validator = BasicAuthentication(file, Throttle(free=2, monotonic=self.time))

    def write(self, text: str) -> None:
        """Replace the file as editors do."""
        fresh = self.path.with_suffix(".new")
        fresh.write_text(text)
        fresh.replace(self.path)

    async def denied(self, asked: Proof) -> Denial:
        with pytest.raises(Denial) as caught:
            await self.validator.identify(asked)
        return caught.value


@pytest_asyncio.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    made = Bench(tmp_path / "htpasswd")
    yield made
    await made.validator.close()


# ---------------------------------------------------------------- the file


def test_a_plain_line_is_an_account_without_limits() -> None:
    caller = read_accounts(f"# people\n\nalice:{HASH}\n", "f")["alice"].caller
    assert (caller.user, caller.is_trusted, caller.project) == ("alice", True, None)


def test_a_role_limits_an_account_and_brings_what_it_implies() -> None:
    caller = read_accounts(f"bob:{HASH}:Manager\n", "f")["bob"].caller
    assert (caller.is_trusted, caller.system_scope, caller.project) == (False, "all", None)
    assert caller.roles == {"manager", "member", "reader"}
    assert read_accounts(f"n:{HASH}:service\n", "f")["n"].caller.roles == {"service"}


def test_a_project_limits_an_account_to_what_is_the_projects() -> None:
    caller = read_accounts(f"eve:{HASH}:reader:team-7\n", "f")["eve"].caller
    assert (caller.project, caller.system_scope, caller.roles) == ("team-7", None, {"reader"})
    assert not caller.is_trusted


@pytest.mark.parametrize(
    "line",
    [
        "alice",
        f":{HASH}",
        "alice:secret",
        "alice:$apr1$x$y",
        f"alice:{HASH}:",
        f"alice:{HASH}:no such role",
        f"alice:{HASH}:reader:",
        f"alice:{HASH}:reader:p:more",
        f"alice:{HASH.replace('$04$', '$31$')}",
        f"bob:{HASH}",
    ],
)
def test_a_wrong_line_is_told_by_its_number_and_its_hash_is_not_shown(line: str) -> None:
    with pytest.raises(BadSettings, match="f, line 2: ") as caught:
        read_accounts(f"bob:{HASH}\n{line}\n", "f")
    assert HASH[-20:] not in str(caught.value)


def test_a_missing_file_is_refused_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match="http_basic_auth_user_file"):
        PasswordFile(tmp_path / "nothing")


async def test_a_changed_file_is_read_again(bench: Bench) -> None:
    await bench.validator.identify(proof("alice", "opensesame"))
    bench.write(f"alice:{hashed('changed')}\nbob:{HASH}:reader\n")
    bench.time.seconds += 1
    assert (await bench.denied(proof("alice", "opensesame"))).status == 401
    assert (await bench.validator.identify(proof("bob", "opensesame"))).user == "bob"
    assert (await bench.validator.identify(proof("alice", "changed"))).user == "alice"


async def test_an_account_that_was_taken_out_is_out_within_a_second(bench: Bench) -> None:
    await bench.validator.identify(proof("alice", "opensesame"))
    bench.write("")
    bench.time.seconds += 1
    assert (await bench.denied(proof("alice", "opensesame"))).status == 401


@pytest.mark.parametrize("damage", ["wrong line", None])
async def test_a_file_that_is_damaged_or_gone_leaves_the_old_accounts_in_force(
    bench: Bench, damage: str | None
) -> None:
    bench.path.unlink() if damage is None else bench.write(damage)
    bench.time.seconds += 1
    assert (await bench.validator.identify(proof("alice", "opensesame"))).user == "alice"


# ---------------------------------------------------------------- passwords


async def test_the_right_password_gets_in_and_a_wrong_one_is_told_what_is_asked(bench: Bench) -> None:
    assert (await bench.validator.identify(proof("alice", "opensesame"))).user == "alice"
    denial = await bench.denied(proof("alice", "opensesam"))
    assert denial.status == 401
    assert denial.headers[0] == (b"www-authenticate", b'Basic realm="Baremetal API", charset="UTF-8"')


@pytest.mark.parametrize("kind", ["$2a$", "$2b$", "$2y$"])
async def test_hashes_of_every_maker_of_bcrypt_are_taken(bench: Bench, kind: str) -> None:
    bench.write(f"alice:{HASH.replace('$2b$', kind)}\n")
    bench.time.seconds += 1
    assert (await bench.validator.identify(proof("alice", "opensesame"))).user == "alice"


@pytest.mark.parametrize(
    "header",
    ["", "Bearer x", "Basic", "Basic !!!", "Basic " + base64.b64encode(b"nocolon").decode(), "Basic é"],
)
async def test_what_is_no_account_is_refused_and_not_counted(bench: Bench, header: str) -> None:
    for _ in range(5):
        denial = await bench.denied(Proof("GET", "/v1/nodes", address=ADDRESS, authorization=header))
        assert denial.status == 401


async def test_a_password_longer_than_bcrypt_reads_is_refused(bench: Bench) -> None:
    bench.write(f"alice:{hashed('x' * 72)}\n")
    bench.time.seconds += 1
    assert (await bench.validator.identify(proof("alice", "x" * 72))).user == "alice"
    assert (await bench.denied(proof("alice", "x" * 73))).status == 401
    assert (await bench.denied(proof("alice", b"x\0y"))).status == 401


async def test_bcrypt_is_paid_for_once(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    checks = count_checks(monkeypatch)
    for _ in range(3):
        await bench.validator.identify(proof("alice", "opensesame"))
    assert len(checks) == 1


async def test_equal_requests_at_the_same_time_are_checked_once(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    checks = count_checks(monkeypatch)
    callers = await asyncio.gather(
        *(bench.validator.identify(proof("alice", "opensesame")) for _ in range(10))
    )
    assert {caller.user for caller in callers} == {"alice"}
    assert len(checks) == 1


async def test_an_unknown_user_costs_as_much_as_a_known_one(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.write(f"alice:{bcrypt.hashpw(b'x', bcrypt.gensalt(6)).decode()}\nbob:{HASH}\n")
    bench.time.seconds += 1
    checks = count_checks(monkeypatch)
    await bench.denied(proof("nobody", "opensesame"))
    assert [hashed_[:7] for hashed_ in checks] == [b"$2b$06$"]


def count_checks(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Every hash that bcrypt is asked about from now on."""
    seen: list[bytes] = []
    original = bcrypt.checkpw

    def counted(password: bytes, against: bytes) -> Any:
        seen.append(against)
        return original(password, against)

    monkeypatch.setattr(bcrypt, "checkpw", counted)
    return seen


# ---------------------------------------------------------------- guessing


async def test_guesses_are_slowed_down_and_those_who_are_in_stay_in(bench: Bench) -> None:
    await bench.validator.identify(proof("alice", "opensesame"))
    for number in range(2):
        assert (await bench.denied(proof("alice", f"guess-{number}"))).status == 401
    denial = await bench.denied(proof("alice", "guess"))
    assert (denial.status, denial.headers) == (429, ((b"retry-after", b"1"),))
    assert (await bench.validator.identify(proof("alice", "opensesame"))).user == "alice"
    assert (await bench.denied(proof("alice", "guess", "198.51.100.7"))).status == 401
    bench.time.seconds += 1
    assert (await bench.denied(proof("alice", "guess"))).status == 401
    assert (await bench.denied(proof("alice", "guess"))).status == 429


async def test_many_guesses_at_once_gain_nothing(bench: Bench) -> None:
    guesses = [bench.denied(proof("alice", f"guess-{number}")) for number in range(20)]
    statuses = [denial.status for denial in await asyncio.gather(*guesses)]
    assert sorted(statuses) == [401] * 2 + [429] * 18


def test_the_wait_doubles_up_to_a_bound_and_is_forgotten_in_the_end() -> None:
    time = Time()
    throttle = Throttle(free=1, most_s=8, forget_s=100, monotonic=time)
    waits = []
    for _ in range(6):
        throttle.count(ADDRESS)
        waits.append(throttle.wait_s(ADDRESS))
    assert waits == [1, 2, 4, 8, 8, 8]
    time.seconds += 101
    throttle.count(ADDRESS)
    assert throttle.wait_s(ADDRESS) == 1


def test_one_good_account_does_not_pay_for_guesses_at_others() -> None:
    throttle = Throttle(free=1, monotonic=Time())
    throttle.count(ADDRESS)
    throttle.count(ADDRESS)
    throttle.take_back(ADDRESS)
    assert throttle.wait_s(ADDRESS) == 1


def test_addresses_of_one_ipv6_network_count_as_one_and_few_are_remembered() -> None:
    throttle = Throttle(free=1, addresses=2, monotonic=Time())
    throttle.count("2001:db8::1")
    assert throttle.wait_s("2001:db8::2") == 1
    assert throttle.wait_s("2001:db8:1::1") == 0
    throttle.count("192.0.2.1")
    throttle.count("192.0.2.2")
    assert throttle.wait_s("2001:db8::1") == 0
