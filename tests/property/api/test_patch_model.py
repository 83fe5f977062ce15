"""JSON Patch against an independent implementation, on what both understand."""

import copy
from typing import Any

import jsonpatch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bessemer.api.v1.patch import parse
from bessemer.api.v1.table.node import NODE
from bessemer.kernel.error import InvalidValue

KEYS = st.sampled_from(["a", "b", "c", "0", "1", "-"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)
DOCUMENTS = st.dictionaries(st.sampled_from("abc"), VALUES, max_size=3)


@st.composite
def operations(draw: st.DrawFn) -> dict[str, Any]:
    """An operation somewhere below a root; at the root itself v1 has rules of its own."""
    keys = draw(st.lists(KEYS, min_size=1, max_size=3))
    op = draw(st.sampled_from(["add", "replace", "remove"]))
    found = {"op": op, "path": "/" + "/".join(("extra", *keys))}
    if op != "remove":
        found["value"] = draw(VALUES)
    return found


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(DOCUMENTS, st.lists(operations(), max_size=5))
def test_patches_below_a_root_do_what_rfc_6902_says(
    document: dict[str, Any], ops: list[dict[str, Any]]
) -> None:
    before = copy.deepcopy(document)
    try:
        expected = jsonpatch.JsonPatch(ops).apply({"extra": copy.deepcopy(document)})["extra"]
    except (jsonpatch.JsonPatchException, jsonpatch.JsonPointerException, TypeError):
        expected = None
    try:
        found = parse(NODE, ops, 115).apply(lambda _: document).get("extra", document)
    except InvalidValue:
        found = None
    assert found == expected
    assert document == before


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.recursive(VALUES | st.floats(allow_nan=False), lambda inner: st.lists(inner, max_size=4)))
def test_no_document_breaks_the_parser(document: Any) -> None:
    try:
        patch = parse(NODE, document, 115)
    except InvalidValue:
        return
    assert patch.ops == ()
