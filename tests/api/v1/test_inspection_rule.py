"""Inspection rules: create, show, list, change, delete."""

from typing import Any

import pytest

from fakes.api_client import ApiClient

UUID = "6ba7b810-9dad-41d1-80b4-00c04fd430c8"
ALL = "/v1/inspection_rules"
IF_BIG = {"op": "gt", "args": {"values": ["{inventory[memory][physical_mb]}", 1024]}}
FAIL = {"op": "fail", "args": {"msg": "too big"}}
SET = {"op": "set-attribute", "args": {"path": "/extra/seen", "value": True}}


async def create(client: ApiClient, **values: Any) -> Any:
    reply = await client.post(ALL, {"actions": [SET], **values})
    assert reply.status == 201, reply.body
    return reply.json


async def test_a_rule_lives_and_dies(client: ApiClient) -> None:
    body = {"uuid": UUID, "description": "small ones only", "priority": 7, "conditions": [IF_BIG]}
    reply = await client.post(ALL, {**body, "actions": [FAIL]})
    assert (reply.status, reply.headers["location"]) == (201, f"http://api.test{ALL}/{UUID}")
    assert reply.json.items() >= {**body, "actions": [FAIL], "phase": "main", "sensitive": False}.items()
    assert reply.json.keys() == {
        *body, "actions", "phase", "sensitive", "created_at", "updated_at", "links",
    }  # fmt: skip
    assert reply.json["links"][0]["href"] == f"http://api.test{ALL}/{UUID}"
    assert (await client.get(f"{ALL}/{UUID}")).json == reply.json
    changed = await client.patch(
        f"{ALL}/{UUID}",
        [
            {"op": "replace", "path": "/actions", "value": [FAIL, SET]},
            {"op": "replace", "path": "/conditions/0/op", "value": "lt"},
            {"op": "remove", "path": "/priority"},
            {"op": "remove", "path": "/description"},
        ],
    )
    assert changed.status == 200, changed.body
    assert (changed.json["actions"], changed.json["conditions"][0]["op"]) == ([FAIL, SET], "lt")
    assert (changed.json["priority"], changed.json["description"]) == (0, None)
    for status in (204, 404):
        assert (await client.delete(f"{ALL}/{UUID}")).status == status
    assert (await client.get(f"{ALL}/{UUID}")).status == 404


async def test_all_rules_are_deleted_at_once(client: ApiClient) -> None:
    for _ in range(3):
        await create(client)
    for _ in range(2):
        assert (await client.delete(ALL)).status == 204
        assert (await client.get(ALL)).json == {"inspection_rules": []}


@pytest.mark.parametrize(
    "body",
    [
        None,
        {},
        {"actions": []},
        {"actions": None},
        {"actions": [{"op": "zork", "args": {}}]},
        {"actions": [{"op": "fail"}]},
        {"actions": [{"op": "fail", "args": {}}]},
        {"actions": [{"op": "fail", "args": {"msg": "x", "zork": 1}}]},
        {"actions": [{"op": "set-attribute", "args": {"path": "/provision_state", "value": "active"}}]},
        {"actions": [SET], "conditions": [{"op": "gt", "args": {}}]},
        {"actions": [SET], "conditions": "all"},
        {"actions": [SET], "conditions": [{"op": "matches", "args": {"value": "x", "regex": "(" * 900}}]},
        {"actions": [SET], "phase": "early"},
        {"actions": [SET], "priority": 10_000},
        {"actions": [SET], "priority": -1},
        {"actions": [SET], "description": "x" * 256},
        {"actions": [SET], "scope": "x"},
    ],
)
async def test_a_rule_is_checked(client: ApiClient, body: Any) -> None:
    assert (await client.post(ALL, body)).status == 400
    assert (await client.get(ALL)).json == {"inspection_rules": []}


@pytest.mark.parametrize(
    "patch",
    [
        {"op": "remove", "path": "/actions"},
        {"op": "replace", "path": "/actions", "value": []},
        {"op": "replace", "path": "/actions/0/op", "value": "zork"},
        {"op": "replace", "path": "/phase", "value": "late"},
        {"op": "replace", "path": "/priority", "value": 10_000},
        {"op": "replace", "path": "/uuid", "value": UUID},
    ],
)
async def test_a_change_is_checked(client: ApiClient, patch: Any) -> None:
    before = await create(client)
    path = f"{ALL}/{before['uuid']}"
    assert (await client.patch(path, [patch])).status == 400
    assert (await client.get(path)).json == before


async def test_a_sensitive_rule_shows_nothing_and_stays_sensitive(client: ApiClient) -> None:
    action = {"op": "set-attribute", "args": {"path": "/driver_info/redfish_password", "value": "hush"}}
    created = await create(client, uuid=UUID, sensitive=True, actions=[action], conditions=[IF_BIG])
    path = f"{ALL}/{UUID}"
    changed = await client.patch(path, [{"op": "replace", "path": "/priority", "value": 3}])
    for shown in (
        created,
        changed.json,
        (await client.get(path)).json,
        (await client.get(f"{ALL}?detail=true")).json["inspection_rules"][0],
        (await client.get(f"{ALL}?fields=conditions,actions")).json["inspection_rules"][0],
    ):
        assert (shown["conditions"], shown["actions"]) == (None, None)
    for op in ({"op": "replace", "value": False}, {"op": "remove"}):
        assert (await client.patch(path, [{**op, "path": "/sensitive"}])).status == 400
    wrong = await client.patch(path, [{"op": "replace", "path": "/actions/0/op", "value": "zork"}])
    assert (wrong.status, b"hush" in wrong.body) == (400, False)


async def test_a_rule_may_become_sensitive(client: ApiClient) -> None:
    await create(client, uuid=UUID)
    hidden = await client.patch(f"{ALL}/{UUID}", [{"op": "replace", "path": "/sensitive", "value": True}])
    assert (hidden.json["sensitive"], hidden.json["actions"]) == (True, None)


async def test_what_is_called_a_secret_is_masked_in_every_rule(client: ApiClient) -> None:
    call = {"op": "api-call", "args": {"url": "https://x.test/", "headers": {"Authorization": "hush"}}}
    created = await create(client, actions=[call])
    assert created["actions"][0]["args"]["headers"] == {"Authorization": "******"}
    assert b"hush" not in (await client.get(f"{ALL}?detail=true")).body


async def test_a_uuid_is_taken_once_and_addresses_alone(client: ApiClient) -> None:
    await create(client, uuid=UUID)
    assert (await client.post(ALL, {"uuid": UUID, "actions": [SET]})).status == 409
    assert (await client.get(f"{ALL}/rule1")).status == 400


async def test_rules_are_listed_in_pages_with_chosen_fields(client: ApiClient) -> None:
    for priority in (5, 9, 1):
        await create(client, priority=priority)
    listed = (await client.get(f"{ALL}?phase=main")).json["inspection_rules"]
    assert listed[0].keys() == {"uuid", "priority", "phase", "description", "links"}
    first = (await client.get(f"{ALL}?sort_key=priority&sort_dir=desc&limit=2&fields=priority,actions")).json
    rest = (await client.get(first["next"])).json
    found = (*first["inspection_rules"], *rest["inspection_rules"])
    assert [item["priority"] for item in found] == [9, 5, 1]
    assert (rest["inspection_rules"][0].keys(), found[0]["actions"]) == (
        {"priority", "actions", "links"},
        [SET],
    )


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("fields=scope", 400), ("sort_key=actions", 400), ("phase=early", 400), ("limit=0", 400),
        ("marker=x", 400), (f"marker={UUID}", 404),
    ],
)  # fmt: skip
async def test_questions_that_make_no_sense_are_refused(client: ApiClient, query: str, status: int) -> None:
    assert (await client.get(f"{ALL}?{query}")).status == status
