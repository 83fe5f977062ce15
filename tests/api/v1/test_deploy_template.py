"""Deploy templates: create, show, list, change, delete."""

from typing import Any

import pytest

from fakes.api_client import ApiClient

UUID = "6ba7b810-9dad-41d1-80b4-00c04fd430c8"
ALL = "/v1/deploy_templates"
STEP = {"interface": "bios", "step": "apply_configuration", "args": {"settings": []}, "priority": 150}


async def create(client: ApiClient, name: str = "CUSTOM_FAST", **values: Any) -> Any:
    reply = await client.post(ALL, {"name": name, "steps": [STEP], **values})
    assert reply.status == 201, reply.body
    return reply.json


async def test_a_template_lives_and_dies(client: ApiClient) -> None:
    body = {"uuid": UUID, "name": "CUSTOM_FAST", "steps": [STEP], "extra": {"a": 1}, "description": "dropped"}
    reply = await client.post(ALL, body)
    assert (reply.status, reply.headers["location"]) == (201, f"http://api.test{ALL}/{UUID}")
    assert reply.json.keys() == {"uuid", "name", "steps", "extra", "created_at", "updated_at", "links"}
    assert (reply.json["steps"], reply.json["updated_at"]) == ([STEP], None)
    assert reply.json["links"][1]["href"] == f"http://api.test/deploy_templates/{UUID}"
    for ident in (UUID, UUID.upper(), "CUSTOM_FAST"):
        assert (await client.get(f"{ALL}/{ident}")).json == reply.json
    slow = {**STEP, "priority": 0}
    changed = await client.patch(
        f"{ALL}/CUSTOM_FAST",
        [
            {"op": "replace", "path": "/name", "value": "HW_CPU_X86_VMX"},
            {"op": "replace", "path": "/steps", "value": [slow]},
            {"op": "remove", "path": "/extra"},
        ],
    )
    assert (changed.json["name"], changed.json["steps"], changed.json["extra"]) == (
        "HW_CPU_X86_VMX",
        [slow],
        {},
    )
    assert changed.json["updated_at"] is not None
    assert (await client.get(f"{ALL}/CUSTOM_FAST")).status == 404
    for status in (204, 404):
        assert (await client.delete(f"{ALL}/HW_CPU_X86_VMX")).status == status


async def test_one_member_of_one_step_can_be_patched(client: ApiClient) -> None:
    await create(client)
    path = f"{ALL}/CUSTOM_FAST"
    changed = await client.patch(path, [{"op": "replace", "path": "/steps/0/priority", "value": 7}])
    assert changed.json["steps"] == [{**STEP, "priority": 7}]
    refused = await client.patch(path, [{"op": "replace", "path": "/steps/0/priority", "value": "high"}])
    assert refused.status == 400
    assert (await client.get(path)).json["steps"] == [{**STEP, "priority": 7}]


@pytest.mark.parametrize(
    "body",
    [
        None,
        {},
        {"name": "CUSTOM_A"},
        {"steps": [STEP]},
        {"name": None, "steps": [STEP]},
        {"name": "fast", "steps": [STEP]},
        {"name": "CUSTOM_A", "steps": []},
        {"name": "CUSTOM_A", "steps": None},
        {"name": "CUSTOM_A", "steps": [STEP, STEP]},
        {"name": "CUSTOM_A", "steps": [{**STEP, "order": 1}]},
        {"name": "CUSTOM_A", "steps": [{**STEP, "priority": -1}]},
        {"name": "CUSTOM_A", "steps": [{**STEP, "interface": "boot"}]},
        {"name": "CUSTOM_A", "steps": [{"interface": "bios", "step": "reset"}]},
        {"name": "CUSTOM_A", "steps": [STEP], "zork": 1},
        {"name": "CUSTOM_A", "steps": [STEP], "uuid": "u"},
        {"name": "CUSTOM_A", "steps": [STEP], "description": "x" * 256},
    ],
)
async def test_a_template_is_checked(client: ApiClient, body: Any) -> None:
    assert (await client.post(ALL, body)).status == 400
    assert (await client.get(ALL)).json == {"deploy_templates": []}


@pytest.mark.parametrize(
    "patch",
    [
        {"op": "remove", "path": "/name"},
        {"op": "remove", "path": "/steps"},
        {"op": "replace", "path": "/name", "value": "fast"},
        {"op": "replace", "path": "/steps", "value": []},
        {"op": "replace", "path": "/description", "value": "x"},
        {"op": "replace", "path": "/uuid", "value": UUID},
    ],
)
async def test_a_change_is_checked(client: ApiClient, patch: Any) -> None:
    before = await create(client)
    assert (await client.patch(f"{ALL}/CUSTOM_FAST", [patch])).status == 400
    assert (await client.get(f"{ALL}/CUSTOM_FAST")).json == before


async def test_names_and_uuids_are_taken_once(client: ApiClient) -> None:
    await create(client, uuid=UUID)
    await create(client, "CUSTOM_B")
    assert (await client.post(ALL, {"name": "CUSTOM_FAST", "steps": [STEP]})).status == 409
    assert (await client.post(ALL, {"name": "CUSTOM_C", "steps": [STEP], "uuid": UUID})).status == 409
    rename = [{"op": "replace", "path": "/name", "value": "CUSTOM_FAST"}]
    assert (await client.patch(f"{ALL}/CUSTOM_B", rename)).status == 409


async def test_secrets_in_steps_are_masked_wherever_they_are_shown(client: ApiClient) -> None:
    step = {**STEP, "args": {"password": "hush", "deep": [{"api_key": "hush"}]}}
    created = await create(client, steps=[step])
    one = (await client.get(f"{ALL}/CUSTOM_FAST")).json
    listed = (await client.get(f"{ALL}?detail=true")).json["deploy_templates"][0]
    changed = (await client.patch(f"{ALL}/CUSTOM_FAST", [])).json
    for shown in (created, one, listed, changed):
        assert shown["steps"][0]["args"] == {"password": "******", "deep": [{"api_key": "******"}]}


async def test_templates_are_listed_in_pages_with_chosen_fields(client: ApiClient) -> None:
    for name in ("CUSTOM_B", "CUSTOM_C", "CUSTOM_A"):
        await create(client, name)
    listed = (await client.get(ALL)).json["deploy_templates"]
    assert [item["name"] for item in listed] == ["CUSTOM_B", "CUSTOM_C", "CUSTOM_A"]
    assert listed[0].keys() == {"uuid", "name", "links"}
    first = (await client.get(f"{ALL}?sort_key=name&sort_dir=desc&limit=2&fields=name,steps")).json
    rest = (await client.get(first["next"])).json
    found = [item["name"] for item in (*first["deploy_templates"], *rest["deploy_templates"])]
    assert found == ["CUSTOM_C", "CUSTOM_B", "CUSTOM_A"]
    assert rest["deploy_templates"][0].keys() == {"name", "steps", "links"}
    assert "next" not in rest


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("fields=zork", 400),
        ("fields=description", 400),
        ("fields=name&detail=true", 400),
        ("sort_key=steps", 400),
        ("sort_key=extra", 400),
        ("limit=0", 400),
        ("zork=1", 400),
        (f"marker={UUID}", 404),
    ],
)
async def test_questions_that_make_no_sense_are_refused(client: ApiClient, query: str, status: int) -> None:
    assert (await client.get(f"{ALL}?{query}")).status == status


async def test_something_that_is_neither_uuid_nor_name_is_refused(client: ApiClient) -> None:
    assert (await client.get(f"{ALL}/no%20name")).status == 400
    assert (await client.get(f"{ALL}/none")).status == 404


async def test_discovery_names_them_from_their_version_on(client: ApiClient) -> None:
    assert "deploy_templates" not in (await client.at("1.54").get("/v1")).json
    assert "deploy_templates" in (await client.at("1.55").get("/v1")).json
