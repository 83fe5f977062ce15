"""Logs: one line for each event, whoever tells it, in the form that was asked for."""

import json
import subprocess
import sys
from typing import Any

_SET_UP = "from bessemer.server.logging import set_up_logging\nset_up_logging({how})\n"


def said(program: str, *, how: str = "debug=False") -> str:
    """What a program that logs wrote to standard error, which is no terminal here."""
    done = subprocess.run(
        [sys.executable, "-c", _SET_UP.format(how=how) + program],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    return done.stderr


def lines(program: str, *, how: str = "debug=False") -> list[dict[str, Any]]:
    return [json.loads(line) for line in said(program, how=how).splitlines()]


def test_ours_and_those_of_libraries_have_one_form() -> None:
    told = lines(
        "import logging, structlog\n"
        "structlog.get_logger('ours').info('a phrase', node='n1')\n"
        "logging.getLogger('uvicorn.error').warning('port %d is %s', 80, 'taken')\n"
        "logging.getLogger('alembic').info('too much')\n"
        "logging.getLogger('alembic').error('broken')\n"
    )
    assert [(line["logger"], line["level"], line["event"]) for line in told] == [
        ("ours", "info", "a phrase"),
        ("uvicorn.error", "warning", "port 80 is taken"),
        ("alembic", "error", "broken"),
    ]
    assert told[0]["node"] == "n1"
    assert all(line["timestamp"].endswith("Z") for line in told)


def test_what_belongs_to_a_task_is_in_the_lines_of_libraries_too() -> None:
    [line] = lines(
        "import logging, structlog\n"
        "structlog.contextvars.bind_contextvars(operation='o1', node='n1', request='req-1')\n"
        "logging.getLogger('aiohttp.client').error('gone')\n"
    )
    assert (line["operation"], line["node"], line["request"]) == ("o1", "n1", "req-1")


def test_warnings_and_what_nobody_caught_are_lines_as_well() -> None:
    told = lines(
        "import threading, warnings\n"
        "warnings.warn('old ways')\n"
        "thread = threading.Thread(target=lambda: 1 / 0, name='worker')\n"
        "thread.start(); thread.join()\n"
        "raise RuntimeError('unheard of')\n"
    )
    assert [line["level"] for line in told] == ["warning", "error", "critical"]
    assert "old ways" in told[0]["event"]
    assert told[1]["thread"] == "worker"
    assert "ZeroDivisionError" in told[1]["exception"]
    assert "RuntimeError: unheard of" in told[2]["exception"]


def test_text_can_be_asked_for_where_there_is_no_terminal() -> None:
    program = "import structlog\nstructlog.get_logger('ours').info('a phrase', node='n1')\n"
    text = said(program, how="debug=False, use_json=False")
    assert "a phrase" in text
    assert "node=n1" in text
    assert not text.startswith("{")
    assert "\x1b" not in text


def test_debug_lines_are_left_out_unless_asked_for() -> None:
    program = "import structlog\nstructlog.get_logger('ours').debug('detail')\n"
    assert lines(program) == []
    assert [line["event"] for line in lines(program, how="debug=True")] == ["detail"]
