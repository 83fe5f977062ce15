"""Trace contexts: read as W3C says, and the same for a durable thing in every process."""

import pytest

from bessemer.kernel.ident import new_uuid
from bessemer.kernel.trace import Kind, SpanContext, current, read_traceparent, span, span_of

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@pytest.mark.parametrize("flags", ["01", "00"])
def test_what_is_written_is_read_again(flags: str) -> None:
    text = f"00-{TRACE}-{SPAN}-{flags}"
    context = read_traceparent(text)
    assert context == SpanContext(int(TRACE, 16), int(SPAN, 16), is_sampled=flags == "01")
    assert context is not None
    assert (context.traceparent, context.trace) == (text, TRACE)


def test_flags_and_parts_that_are_not_known_yet_do_no_harm() -> None:
    assert read_traceparent(f"00-{TRACE}-{SPAN}-03") == SpanContext(int(TRACE, 16), int(SPAN, 16), True)
    assert read_traceparent(f"cc-{TRACE}-{SPAN}-01-more") == SpanContext(int(TRACE, 16), int(SPAN, 16), True)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "00",
        f"00-{TRACE}-{SPAN}",
        f"00-{TRACE}-{SPAN}-1",
        f"00-{TRACE}-{SPAN}-01-more",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{TRACE}{SPAN}-01",
        f"00-{TRACE}-{SPAN}-0१",
    ],
)
def test_what_is_no_traceparent_names_nothing(text: str) -> None:
    assert read_traceparent(text) is None


def test_the_span_of_a_durable_thing_follows_from_its_name() -> None:
    uuid, above = new_uuid(), SpanContext(int(TRACE, 16), 7, is_sampled=True)
    assert span_of(uuid, within=above) == span_of(uuid, within=above)
    assert span_of(uuid, within=above).trace_id == above.trace_id
    assert span_of(uuid, within=above).span_id != span_of(new_uuid(), within=above).span_id
    assert span_of(uuid, within=None) == span_of(uuid, within=None)
    assert span_of(uuid, within=None).trace_id != span_of(new_uuid(), within=None).trace_id
    assert 0 < span_of(uuid, within=None).span_id < 2**64


def test_without_a_tracer_a_span_is_nothing() -> None:
    with span("anything", Kind.CLIENT, {}) as nothing:
        assert nothing is None
        assert current() is None
