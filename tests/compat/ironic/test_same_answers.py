"""The same calls to a real Ironic 39 and to Bessemer: the same answers, but for what is known and meant."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from compat.ironic.known import Known, read, unknown
from compat.ironic.play import Difference, Pair
from compat.ironic.script import read as read_script
from compat.ironic.walk import walk

SCRIPTS = sorted(Path(__file__).with_name("script").glob("*.txt"), key=lambda script: script.stem)


@pytest.fixture(scope="module")
def known() -> tuple[Known, ...]:
    return read()


@pytest.fixture(scope="module")
def found() -> list[Difference]:
    """All differences found, by every test of this module."""
    return []


@pytest.fixture
def clean(pair: Pair) -> Iterator[Pair]:
    yield pair
    pair.wipe()


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_both_answer_a_script_alike(
    clean: Pair, script: Path, known: tuple[Known, ...], found: list[Difference]
) -> None:
    differences = list(clean.play(script.stem, read_script(script)))
    found += differences
    assert [str(one) for one in unknown(differences, known)] == []


def test_both_show_every_version_alike(
    clean: Pair, known: tuple[Known, ...], found: list[Difference]
) -> None:
    differences = list(clean.play("walk", walk()))
    found += differences
    assert [str(one) for one in unknown(differences, known)] == []


def test_what_is_known_to_differ_still_does(
    pair: Pair,
    known: tuple[Known, ...],
    found: list[Difference],
    request: pytest.FixtureRequest,
    capsys: pytest.CaptureFixture[str],
) -> None:
    ran = sum(item.path == request.path for item in request.session.items)
    if ran < len(SCRIPTS) + 2:
        pytest.skip("not all of the scripts were played")
    with capsys.disabled():
        print(f"\n{pair.calls} calls compared with Ironic 39, {len(found)} differences, all of them known")
    gone = [row for row in known if row.is_certain and not any(row.covers(one) for one in found)]
    assert [row.parts for row in gone] == []
