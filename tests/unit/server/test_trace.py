"""Traces are there for who wants them, and nothing of them for who does not."""

import subprocess
import sys
from dataclasses import replace

import pytest

from bessemer.config.load import BadSettings
from bessemer.config.settings import Settings, TracingSettings
from bessemer.kernel.trace import TRACING
from bessemer.server.trace import traces

WANTED = replace(Settings(), tracing=TracingSettings(enabled=True))


def test_a_process_without_traces_does_not_even_import_what_they_need() -> None:
    program = (
        "import sys, bessemer.server.process, bessemer.server.command.serve\n"
        "assert not [name for name in sys.modules if name.startswith('opentelemetry')]\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


async def test_off_is_the_default() -> None:
    async with traces(Settings()):
        assert TRACING.tracer is None


def test_who_wants_them_without_the_packages_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "bessemer.server.trace_export", raising=False)
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(BadSettings, match=r"OpenTelemetry.*opentelemetry.sdk.trace") as caught:
        traces(WANTED)
    assert "bessemer[otel]" in caught.value.hint


async def test_the_environment_may_switch_the_sdk_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    async with traces(WANTED):
        assert TRACING.tracer is None


async def test_a_tracer_is_there_until_the_end_of_the_block() -> None:
    async with traces(WANTED):
        assert TRACING.tracer is not None
    assert TRACING.tracer is None
