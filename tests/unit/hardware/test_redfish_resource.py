"""Attributes of resources: missing and malformed are different things, and both are named."""

import pytest

from bessemer.config.settings import RedfishSettings
from bessemer.hardware.redfish.access import Access
from bessemer.hardware.redfish.pool import BmcPool
from bessemer.hardware.redfish.resource import AttributeMalformed, AttributeMissing, Resource

BODY = {
    "Name": "one",
    "Size": 16.0,
    "Half": 0.5,
    "Quoted": "12",
    "Flag": True,
    "Null": None,
    "Link": {"@odata.id": "/a"},
    "Many": [{"@odata.id": "/b"}, {"@odata.id": "/c"}],
    "Words": ["x", "y"],
    "Mixed": ["x", 1],
    "Actions": {"#Thing.Do": {"target": "/do"}},
}


@pytest.fixture
async def resource() -> Resource:
    return Resource(
        BmcPool(RedfishSettings()).connection(Access("https://bmc")), "/redfish/v1/Things/1", BODY
    )


async def test_attributes_are_read_in_their_kind(resource) -> None:
    assert resource.get(str, "Name") == "one"
    assert resource.get(int, "Size") == 16
    assert resource.get(float, "Half") == 0.5
    assert resource.get(int, "Quoted") == 12
    assert resource.get(bool, "Flag") is True
    assert resource.find_list(str, "Words") == ["x", "y"]
    assert resource.find_link("Link") == "/a"
    assert resource.links("Many") == ["/b", "/c"]
    assert resource.get_action("#Thing.Do") == "/do"


async def test_what_is_not_there_is_none_or_empty(resource) -> None:
    assert resource.find(str, "Absent") is None
    assert resource.find(str, "Null") is None
    assert resource.find_link("Absent") is None
    assert resource.find_list(str, "Absent") is None
    assert resource.links("Absent") == []
    assert resource.find_action("#Thing.Undo") is None


@pytest.mark.parametrize("names", [("Absent",), ("Null",), ("Link", "Absent"), ("Absent", "Below")])
async def test_a_missing_attribute_is_named_with_its_resource_and_bmc(resource, names) -> None:
    with pytest.raises(
        AttributeMissing, match=f"/redfish/v1/Things/1 of the BMC at bmc lacks {'/'.join(names)}"
    ):
        resource.get(str, *names)


@pytest.mark.parametrize(
    ("kind", "name", "expected"),
    [
        (str, "Size", "text"),
        (int, "Name", "a whole number"),
        (int, "Half", "a whole number"),
        (int, "Flag", "a whole number"),
        (bool, "Size", "true or false"),
        (dict, "Name", "an object"),
    ],
)
async def test_a_malformed_attribute_is_named_with_what_it_should_be(resource, kind, name, expected) -> None:
    with pytest.raises(
        AttributeMalformed, match=f"/redfish/v1/Things/1 .* has {name} = .* is not {expected}"
    ):
        resource.find(kind, name)


async def test_a_list_with_one_wrong_item_is_malformed(resource) -> None:
    with pytest.raises(AttributeMalformed, match="Mixed"):
        resource.find_list(str, "Mixed")


async def test_what_should_be_an_object_and_is_not_is_malformed(resource) -> None:
    with pytest.raises(AttributeMalformed, match="Name = 'one', which is not an object"):
        resource.find(str, "Name", "Below")
