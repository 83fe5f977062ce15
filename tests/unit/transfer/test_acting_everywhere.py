"""Whatever talks to machines asks before each request whether it still may."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import bessemer

ROOT = Path(bessemer.__file__).parent


def sessions(path: Path) -> Iterator[ast.Call]:
    for call in ast.walk(ast.parse(path.read_text())):
        if isinstance(call, ast.Call) and ast.unparse(call.func).endswith("ClientSession"):
            yield call


def places() -> list[Path]:
    found = [path for part in ("server", "hardware") for path in sorted((ROOT / part).rglob("*.py"))]
    return [path for path in found if any(sessions(path))]


def test_sessions_to_machines_are_found_where_they_are_made() -> None:
    names = {path.relative_to(ROOT).as_posix() for path in places()}
    assert names >= {"server/conductor.py", "hardware/redfish/transport.py"}


@pytest.mark.parametrize("path", places(), ids=lambda path: path.stem)
def test_every_session_to_machines_makes_acting_requests(path: Path) -> None:
    for call in sessions(path):
        given = {option.arg: ast.unparse(option.value) for option in call.keywords}
        assert given.get("request_class") == "ActingRequest", f"line {call.lineno}"
