"""Rows turned into what a version and a selection show."""

from typing import Any

import msgspec
import pytest

from bessemer.api.v1.error import Refusal
from bessemer.api.v1.table.chassis import CHASSIS
from bessemer.api.v1.table.field import Field, Kind, Older, Table
from bessemer.api.v1.view import Links, select, view
from bessemer.kernel.error import InvalidValue

THING = Table("thing", "things", "things", (
    Field(name="uuid", kind=Kind.UUID, is_listed=True),
    Field(name="state", kind=Kind.STRING, is_listed=True, older=(Older(5, "new", "old"),)),
    Field(name="young", kind=Kind.STRING, since=10),
    Field(name="gone", kind=Kind.STRING, until=20),
    Field(name="data", kind=Kind.OBJECT),
    Field(name="inner", kind=Kind.OBJECT, secret=frozenset()),
    Field(name="sum", kind=Kind.INTEGER, is_computed=True, needs=("uuid", "hidden")),
    Field(name="parts", kind=Kind.LINKS, is_computed=True),
    Field(name="unread", kind=Kind.STRING, is_computed=True, can_select=False),
))  # fmt: skip
LINKS = Links("http://api", "things")
VALUES = {
    "uuid": "u1", "state": "new", "young": "y", "gone": "g", "data": '{"k":  1}',
    "inner": '{"password":"p"}', "hidden": 40,
}  # fmt: skip


def shown(minor: int, selection: Any) -> dict[str, Any]:
    thing = view(THING, minor, selection)
    computed = {"sum": lambda uuid, hidden: f"{uuid}-{hidden}"}
    found: dict[str, Any] = msgspec.json.decode(thing.render(thing.row_from(VALUES), LINKS, computed))
    return found


def test_a_list_shows_its_default_fields_and_links() -> None:
    assert shown(115, "listed") == {
        "uuid": "u1",
        "state": "new",
        "links": [
            {"href": "http://api/v1/things/u1", "rel": "self"},
            {"href": "http://api/things/u1", "rel": "bookmark"},
        ],
    }


def test_everything_is_shown_within_its_versions() -> None:
    assert shown(15, "all").keys() == {
        "uuid", "state", "young", "gone", "data", "inner", "sum", "parts", "links",
    }  # fmt: skip
    assert "young" not in shown(9, "all")
    assert "gone" not in shown(21, "all")


def test_a_selection_shows_what_it_names_and_links() -> None:
    assert shown(115, ("state", "sum")).keys() == {"state", "sum", "links"}
    assert shown(115, ("sum",))["sum"] == "u1-40"


def test_documents_are_passed_on_and_secrets_masked() -> None:
    found = shown(115, ("data", "inner"))
    assert found["data"] == {"k": 1}
    assert found["inner"] == {"password": "******"}


def test_older_clients_see_older_values() -> None:
    assert shown(4, "listed")["state"] == "old"
    assert shown(5, "listed")["state"] == "new"


def test_addresses_survive_names_that_json_must_escape() -> None:
    text = Links('http://a"b%s{}', "things").members('x"y', ("links",))
    [link, _] = msgspec.json.decode(f"{{{text}}}")["links"]
    assert link["href"] == 'http://a"b%s{}/v1/things/x"y'


def test_links_of_the_nodes_of_a_chassis_are_a_list_in_a_list() -> None:
    shown = view(CHASSIS, 115, ("nodes",))
    found = msgspec.json.decode(shown.render(["c1"], Links("http://api", "chassis")))
    assert [link["rel"] for link in found["nodes"][0]] == ["self", "bookmark"]


def test_a_selection_is_checked() -> None:
    assert select(THING, ["UUID", "state", "uuid"], 115, "all") == ("state", "uuid")
    assert select(THING, None, 115, "listed") == "listed"
    assert select(THING, ["links"], 115, "all") == ("links",)
    for name in ("zork", "unread"):
        with pytest.raises(InvalidValue, match=name):
            select(THING, [name], 115, "all")
    with pytest.raises(Refusal):
        select(THING, ["young"], 9, "all")
