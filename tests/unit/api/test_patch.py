"""JSON Patch as v1 has it."""

from typing import Any

import pytest

from bessemer.api.v1.error import Refusal
from bessemer.api.v1.patch import parse
from bessemer.api.v1.table.node import NODE
from bessemer.kernel.error import InvalidValue

NODE_NOW: dict[str, Any] = {
    "name": "old",
    "driver": "fake-hardware",
    "extra": {"a": 1, "b": {"c": [1, 2]}},
    "properties": {},
    "maintenance": True,
    "chassis_uuid": "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
    "owner": None,
    "automated_clean": None,
}


def patched(*ops: dict[str, Any], minor: int = 115) -> dict[str, Any]:
    return parse(NODE, list(ops), minor).apply(NODE_NOW.__getitem__)


def op(kind: str, path: str, *value: Any) -> dict[str, Any]:
    return {"op": kind, "path": path, **({"value": value[0]} if value else {})}


def test_only_the_roots_touched_come_back() -> None:
    assert patched(op("replace", "/name", "new")) == {"name": "new"}


def test_an_empty_patch_changes_nothing() -> None:
    assert patched() == {}


def test_operations_apply_in_order() -> None:
    assert patched(op("add", "/extra/x", 1), op("replace", "/extra/x", 2), op("remove", "/extra/a")) == {
        "extra": {"b": {"c": [1, 2]}, "x": 2}
    }


def test_the_present_values_are_left_alone() -> None:
    patched(op("add", "/extra/b/c/0", 0), op("remove", "/extra/a"))
    assert NODE_NOW["extra"] == {"a": 1, "b": {"c": [1, 2]}}


@pytest.mark.parametrize(
    ("path", "becomes"),
    [("/name", None), ("/extra", {}), ("/maintenance", False), ("/owner", None), ("/automated_clean", None)],
)
def test_removing_a_root_resets_it_even_when_it_was_unset(path: str, becomes: object) -> None:
    assert patched(op("remove", path)) == {path[1:]: becomes}


def test_replacing_a_root_that_is_unset_sets_it() -> None:
    assert patched(op("replace", "/owner", "me")) == {"owner": "me"}


def test_lists_inside_objects_can_be_changed_by_index() -> None:
    ops = (op("add", "/extra/b/c/-", 3), op("replace", "/extra/b/c/0", 0), op("remove", "/extra/b/c/1"))
    assert patched(*ops)["extra"]["b"]["c"] == [0, 3]


@pytest.mark.parametrize(
    "ops",
    [
        [op("remove", "/extra/z")],
        [op("replace", "/extra/z", 1)],
        [op("add", "/extra/z/y", 1)],
        [op("add", "/extra/a/y", 1)],
        [op("add", "/extra/b/c/7", 1)],
        [op("remove", "/extra/b/c/2")],
        [op("remove", "/driver")],
        [op("replace", "/driver", None)],
        [op("replace", "/driver", 5)],
        [op("replace", "/name", "not a name")],
        [op("replace", "/extra", [])],
        [op("add", "/name/x", 1)],
        [op("add", "/name")],
        [op("add", "/uuid", "6ba7b810-9dad-11d1-80b4-00c04fd430c8")],
        [op("replace", "/provision_state", "active")],
        [op("add", "/zork", 1)],
        [op("test", "/name", "old")],
        [op("move", "/name", "old")],
        [op("add", "name", "x")],
        [op("add", "", {})],
        [op("add", "/extra/", 1)],
        [op("add", "/extra/a.b", 1)],
        [op("add", "/extra/a+b", 1)],
        [op("add", "/extra/~2", 1)],
        [op("add", "/extra" + "/a" * 26, 1)],
        [{"op": "add", "path": "/name", "value": "x", "from": "/extra"}],
        [{"path": "/name", "value": "x"}],
        [{"op": "add", "path": 5, "value": "x"}],
        ["add"],
    ],
)
def test_what_leads_nowhere_or_is_not_allowed_is_refused(ops: list[Any]) -> None:
    with pytest.raises(InvalidValue):
        patched(*ops)


@pytest.mark.parametrize("document", [None, {}, {"op": "add"}, "x", 5])
def test_a_patch_is_a_list(document: object) -> None:
    with pytest.raises(InvalidValue):
        parse(NODE, document, 115)


def test_a_root_newer_than_the_version_is_refused() -> None:
    with pytest.raises(Refusal) as caught:
        patched(op("replace", "/owner", "me"), minor=49)
    assert caught.value.status == 406


def test_escapes_in_paths_came_late() -> None:
    assert patched(op("add", "/extra/a~1b~0c", 1), minor=98)["extra"]["a/b~c"] == 1
    with pytest.raises(InvalidValue):
        patched(op("add", "/extra/a~1b", 1), minor=97)


def test_taking_a_chassis_away_came_later_than_setting_it() -> None:
    assert patched(op("remove", "/chassis_uuid"), minor=25) == {"chassis_uuid": None}
    with pytest.raises(Refusal) as caught:
        patched(op("remove", "/chassis_uuid"), minor=24)
    assert caught.value.status == 406


def test_leaving_an_instance_is_told_from_everything_else() -> None:
    leaving = op("remove", "/instance_uuid")
    assert parse(NODE, [leaving], 115).removes_only("instance_uuid")
    assert not parse(NODE, [leaving, op("remove", "/name")], 115).removes_only("instance_uuid")
    assert not parse(NODE, [op("replace", "/instance_uuid", None)], 115).removes_only("instance_uuid")


def test_a_document_that_is_too_large_grows_no_more_but_may_shrink() -> None:
    big = "x" * 600_000

    def grown(now: dict[str, Any], *ops: dict[str, Any]) -> Any:
        return parse(NODE, list(ops), 115).apply({"extra": now, "instance_info": now}.__getitem__)

    held = grown({}, op("add", "/extra/a", big))["extra"]
    with pytest.raises(InvalidValue, match="'/extra' would grow to 1200015 bytes"):
        grown(held, op("add", "/extra/b", big))
    larger = {**held, "b": big, "c": big}
    for kind, path, *value in (("add", "/extra/d", 1), ("replace", "/extra/a", big + "x")):
        with pytest.raises(InvalidValue, match="would grow"):
            grown(larger, op(kind, path, *value))
    assert grown(larger, op("remove", "/extra/c"))["extra"] == {"a": big, "b": big}
    assert grown(larger, op("replace", "/extra/a", 1))["extra"]["a"] == 1
    assert grown(larger, op("remove", "/extra"))["extra"] == {}


def test_a_config_drive_may_be_as_large_as_it_is_beside_what_is_patched() -> None:
    drive = {"configdrive": "x" * 5_000_000}
    after = parse(NODE, [op("add", "/instance_info/a", 1)], 115).apply(lambda _: drive)
    assert after["instance_info"] == {**drive, "a": 1}
    held = {"configdrive": {"user_data": "x" * 900_000}}
    with pytest.raises(InvalidValue, match="would grow"):
        parse(NODE, [op("add", "/extra/configdrive/more", "x" * 900_000)], 115).apply(lambda _: held)


def test_a_config_drive_that_is_a_string_may_be_given_in_any_size() -> None:
    held = {"configdrive": "http://192.0.2.1/drive", "a": 1}
    change = op("add", "/instance_info/configdrive", "x" * 1_100_000)
    after = parse(NODE, [change], 115).apply(lambda _: held)["instance_info"]
    assert after == {**held, "configdrive": change["value"]}
    with pytest.raises(InvalidValue, match="would grow to 1100023 bytes"):
        parse(NODE, [op("add", "/instance_info/a", change["value"])], 115).apply(lambda _: after)


def test_a_document_that_ends_as_something_else_is_refused_however_large() -> None:
    held = {"configdrive": "x"}
    ops = [op("add", "/instance_info/a", 1), op("replace", "/instance_info", "x" * 1_100_000)]
    with pytest.raises(InvalidValue, match="'instance_info' must be an object"):
        parse(NODE, ops, 115).apply(lambda _: held)
