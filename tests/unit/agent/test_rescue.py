"""``rescue.finalize_rescue``: who can log in afterwards, and that the agent leaves."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from bessemer_agent.account import set_account
from bessemer_agent.context import Context, Machine
from bessemer_agent.error import ChildFailed, InvalidRequest
from bessemer_agent.extension import find_command
from bessemer_agent.extension.rescue import finalize_rescue, hash_password
from bessemer_agent.power import Power
from bessemer_agent.progress import Progress
from bessemer_agent.secret import Secret
from bessemer_agent.settings import Settings
from unit.agent.fake_child import FakeChild

HASH = "$5$saltsalt$" + "a" * 43


class Ramdisk:
    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "etc").mkdir()
        (root / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")
        self.child = FakeChild({"busybox setsid": ""})
        self.left: list[str] = []
        self.waiting: list[tuple[float, Callable[[], None]]] = []
        power = Power(
            later=lambda delay_s, action: self.waiting.append((delay_s, action)),
            leave=lambda: self.left.append("left"),
        )
        machine = Machine(list, run=self.child, power=power, root=str(root))
        self.context = Context(Settings(), machine)

    def finalize(self, password: str = HASH, *, hashed: bool = True) -> None:
        finalize_rescue(self.context, Progress(), rescue_password=password, hashed=hashed)

    def shadow(self) -> list[str]:
        return (self.root / "etc/shadow").read_text().splitlines()


@pytest.fixture
def ramdisk(tmp_path: Path) -> Ramdisk:
    return Ramdisk(tmp_path)


def test_the_user_rescue_can_log_in_and_the_agent_leaves_after_a_while(ramdisk: Ramdisk) -> None:
    ramdisk.finalize()
    assert ramdisk.shadow() == [f"rescue:{HASH}:19000:0:99999:7:::"]
    assert (ramdisk.root / "etc/shadow").stat().st_mode & 0o077 == 0
    lines = (ramdisk.root / "etc/passwd").read_text().splitlines()
    assert lines == ["root:x:0:0:root:/root:/bin/sh", "rescue:x:0:0:rescue:/root:/bin/sh"]
    assert ramdisk.child.lines() == ["busybox setsid busybox sh /usr/lib/bessemer/rescue"]
    assert (ramdisk.root / "run/bessemer-agent/rescued").exists()
    ((delay_s, leave),) = ramdisk.waiting
    assert (delay_s, ramdisk.left) == (60.0, [])
    leave()
    assert ramdisk.left == ["left"]


def test_another_password_replaces_the_first_and_logins_are_started_once(ramdisk: Ramdisk) -> None:
    ramdisk.finalize()
    other = HASH.replace("a", "b")
    ramdisk.finalize(other)
    assert ramdisk.shadow() == [f"rescue:{other}:19000:0:99999:7:::"]
    assert len(ramdisk.child.calls) == 1


def test_a_machine_that_cannot_offer_logins_does_not_lose_its_agent(ramdisk: Ramdisk) -> None:
    ramdisk.child.answers = {"busybox": ChildFailed("no")}
    with pytest.raises(ChildFailed):
        ramdisk.finalize()
    assert not (ramdisk.root / "run/bessemer-agent/rescued").exists()
    assert ramdisk.waiting == []


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_a_plain_password_is_hashed_before_it_is_kept() -> None:
    from bessemer_agent.child import run

    found = hash_password("open sesame", run)
    assert found.reveal().startswith("$6$")
    assert "***" in repr(found)
    set_by_salt = hash_password("open sesame", run)
    assert found != set_by_salt


@pytest.mark.parametrize(
    ("password", "hashed"),
    [
        ("", False), (7, False), ("x" * 256, False), ("a\nroot::", False), ("plain", True), ("$1$a$b", True),
        (HASH + ":0:0:::", True), (HASH, "yes"),
    ],
)  # fmt: skip
def test_what_is_no_password_is_refused_before_the_command_begins(password: object, hashed: object) -> None:
    with pytest.raises(InvalidRequest):
        find_command("rescue.finalize_rescue").check({"rescue_password": password, "hashed": hashed})


def test_accounts_of_others_stay(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/shadow").write_text("root:*:1::::::\nrescuer:!:1::::::\n")
    set_account(tmp_path, "rescue", Secret(HASH))
    names = [line.partition(":")[0] for line in (tmp_path / "etc/shadow").read_text().splitlines()]
    assert names == ["root", "rescuer", "rescue"]
