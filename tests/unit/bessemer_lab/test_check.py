"""What has to be installed."""

from pathlib import Path

from bessemer_lab.check import REQUIREMENTS, Requirement, is_present, list_missing


def test_everything_that_is_not_there_is_named() -> None:
    missing = list_missing(is_there=lambda requirement: requirement.package != "ovmf")
    assert {requirement.package for requirement in missing} == {"ovmf"}


def test_nothing_is_missing_when_everything_is_there() -> None:
    assert list_missing(is_there=lambda _: True) == []
    assert len(list_missing(is_there=lambda _: False)) == len(REQUIREMENTS)


def test_programs_and_files_are_looked_for(tmp_path: Path) -> None:
    assert is_present(Requirement("sh", "dash", ""))
    assert not is_present(Requirement("no-such-program-anywhere", "none", ""))
    assert is_present(Requirement(str(tmp_path), "none", ""))
    assert not is_present(Requirement(str(tmp_path / "nothing"), "none", ""))
