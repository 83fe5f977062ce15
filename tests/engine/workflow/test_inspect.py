"""Inspection: what the ramdisk or the BMC reports, what becomes of it, and what the operator's rules say."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from aiohttp import web

from bessemer.config.load import BadSettings
from bessemer.domain.inspection.rule import InspectionRule
from bessemer.domain.operation import OperationState
from bessemer.domain.port import Port
from bessemer.domain.provision import ProvisionState
from bessemer.engine.gateway import Gateway
from bessemer.kernel.error import InvalidValue, NotFound
from bessemer.kernel.ident import new_uuid
from bessemer.store.inspection_report import has_report
from bessemer.store.inspection_rule import create_inspection_rule
from bessemer.store.inventory import Inventory, find_inventory
from bessemer.store.port import create_port, list_ports_of
from bessemer.store.trait import list_traits
from bessemer.workflow.catalogue import workflows
from fakes.api_world import quick_settings
from fakes.simulated_machine import CARDS, REPORT

S = ProvisionState
NODE = "aaaaaaaa-0000-4000-8000-000000000001"
IN_BAND = {"provision_state": S.MANAGEABLE, "inspect_interface": "agent"}
OUT_OF_BAND = {"provision_state": S.MANAGEABLE}


async def ports(s: Any) -> dict[str, bool]:
    """``pxe_enabled`` of the node's ports by address."""
    async with s.database.read() as tx:
        return {port.address: port.pxe_enabled for port in await list_ports_of(tx, NODE)}


async def inventory(s: Any) -> Inventory:
    async with s.database.read() as tx:
        found = await find_inventory(tx, NODE)
    assert found is not None
    return found


async def add_port(s: Any, address: str, **more: Any) -> None:
    async with s.database.write() as tx:
        await create_port(
            tx, Port(uuid=new_uuid(), address=address, node_uuid=NODE, created_at=tx.now(), **more)
        )


async def add_rule(s: Any, *actions: dict[str, Any], conditions: Any = (), **more: Any) -> str:
    async with s.database.write() as tx:
        rule = InspectionRule(
            uuid=new_uuid(), created_at=tx.now(), actions=actions, conditions=tuple(conditions), **more
        )
        await create_inspection_rule(tx, rule)
    return rule.uuid


def action(op: str, **args: Any) -> dict[str, Any]:
    return {"op": op, "args": args}


async def test_the_ramdisk_reports_and_the_node_knows_its_machine(site) -> None:
    async with site(node=IN_BAND | {"properties": {"capabilities": "a:b", "rack": 7}}) as s:
        await s.ask("inspect")
        node = await s.settled()
        assert (node.provision_state, node.last_error) == (S.MANAGEABLE, None)
        assert node.properties == {
            "capabilities": "a:b,boot_mode:uefi", "rack": 7, "cpus": 4, "cpu_arch": "x86_64",
            "memory_mb": 2048, "local_gb": 20,
        }  # fmt: skip
        assert node.inspection_started_at is None
        assert node.inspection_finished_at is not None
        assert await ports(s) == {CARDS[0]: True}
        kept = await inventory(s)
        assert kept.inventory == REPORT["inventory"]
        assert kept.plugin_data == {"root_disk": REPORT["root_disk"], "boot_interface": None}
        assert s.machine.boots == 1
        assert node.driver_internal_info["fake_power"] == "power off"
        assert "fake_boot" not in node.driver_internal_info
        assert not {"agent_secret_token", "boot_key", "agent_url"} & set(node.driver_internal_info)
        async with s.database.read() as tx:
            assert not await has_report(tx, NODE)


async def test_the_machine_stays_on_where_the_operator_says_so(site) -> None:
    async with site(node=IN_BAND, inspector={"power_off": False}) as s:
        await s.ask("inspect")
        node = await s.settled()
        assert (node.provision_state, node.power_state) == (S.MANAGEABLE, "power on")
        assert "agent_secret_token" not in node.driver_internal_info


async def test_a_node_waits_for_its_ramdisk_in_inspect_wait_and_can_be_aborted(site) -> None:
    async with site(node=IN_BAND) as s:
        s.machine.calls_back = False
        await s.ask("inspect")
        assert (await s.reached("inspect wait")).target_provision_state is S.MANAGEABLE
        await s.ask("abort")
        node = await s.settled()
        assert (node.provision_state, node.last_error) == (S.INSPECT_FAILED, "inspect was aborted")
        assert node.inspection_finished_at is None
        assert node.driver_internal_info["fake_power"] == "power off"
        assert (await s.operations())[0].state is OperationState.CANCELLED
        with pytest.raises(NotFound):
            await s.machine.tell()


async def test_a_ramdisk_that_never_reports_is_given_up(site) -> None:
    async with site(node=IN_BAND, conductor={"inspect_wait_timeout": 1}) as s:
        s.machine.calls_back = False
        await s.ask("inspect")
        node = await s.settled()
        assert node.provision_state is S.INSPECT_FAILED
        assert "the ramdisk has sent no inventory" in node.last_error
        assert node.driver_internal_info["fake_power"] == "power off"


async def test_a_ramdisk_that_failed_says_why(site) -> None:
    async with site(node=IN_BAND) as s:
        s.machine.report["error"] = "the disk controller is on fire"
        await s.ask("inspect")
        node = await s.settled()
        assert node.provision_state is S.INSPECT_FAILED
        assert "the ramdisk reports: the disk controller is on fire" in node.last_error
        assert await ports(s) == {}


async def test_a_second_report_of_one_inspection_changes_nothing(site) -> None:
    async with site(node=IN_BAND) as s:
        s.machine.calls_back = False
        await s.ask("inspect")
        await s.reached("inspect wait")
        await s.machine.tell()
        s.machine.report["inventory"]["cpu"]["count"] = 128
        with suppress(NotFound):  # the inspection may be quicker than the second report
            await s.machine.tell()
        node = await s.settled()
        assert (node.provision_state, node.properties["cpus"]) == (S.MANAGEABLE, 4)


@pytest.mark.parametrize(
    ("policy", "booted", "expected"),
    [
        ({"add_ports": "all"}, None, {"old": True, CARDS[0]: True, CARDS[1]: True}),
        ({"add_ports": "active"}, None, {"old": True, CARDS[0]: True}),
        ({"add_ports": "pxe"}, f"01-{CARDS[1].replace(':', '-')}", {"old": False, CARDS[1]: True}),
        ({"add_ports": "all"}, CARDS[1], {"old": False, CARDS[0]: False, CARDS[1]: True}),
        ({"add_ports": "disabled"}, CARDS[1], {"old": False}),
        ({"add_ports": "disabled", "update_pxe_enabled": False}, CARDS[1], {"old": True}),
        ({"add_ports": "disabled", "keep_ports": "added"}, None, {"old": True}),
        ({"keep_ports": "present"}, None, {CARDS[0]: True}),
        ({"keep_ports": "added", "add_ports": "all"}, None, {CARDS[0]: True, CARDS[1]: True}),
    ],
)
async def test_settings_say_which_ports_come_and_go(site, policy, booted, expected) -> None:
    old = "52:54:00:99:99:99"
    async with site(node=IN_BAND, inspector=policy) as s:
        await add_port(s, old)
        s.machine.report["boot_interface"] = booted
        await s.ask("inspect")
        assert (await s.settled()).last_error is None
        assert await ports(s) == {old if mac == "old" else mac: pxe for mac, pxe in expected.items()}


async def test_ports_in_use_stay(site) -> None:
    async with site(node=IN_BAND, inspector={"keep_ports": "present"}) as s:
        await add_port(s, "52:54:00:99:99:99", internal_info={"tenant_vif_port_id": "v"})
        await s.ask("inspect")
        await s.settled()
        assert set(await ports(s)) == {"52:54:00:99:99:99", CARDS[0]}


@pytest.mark.parametrize("node", [IN_BAND, OUT_OF_BAND], ids=["in band", "out of band"])
async def test_rules_change_node_ports_traits_and_data_whoever_found_it_out(site, node) -> None:
    async with site(node=node) as s:
        await add_port(s, CARDS[0])
        await add_rule(
            s,
            action("set-attribute", path="/extra/arch", value="{inventory[cpu][architecture]}"),
            action("set-attribute", path="/resource_class", value="gold"),
            action("set-capability", name="fast", value="true"),
            action("add-trait", name="CUSTOM_SEEN"),
            action("set-port-attribute", port_id=CARDS[0], path="/extra/role", value="front"),
            action("set-plugin-data", path="/seen/by", value="rule"),
            conditions=[{"op": "eq", "args": ["{inventory[cpu][architecture]}", "x86_64"]}],
        )
        await add_rule(
            s,
            action("fail", msg="never"),
            conditions=[{"op": "gt", "args": ["{inventory[cpu][count]}", 999]}],
        )
        await s.ask("inspect")
        node = await s.settled()
        assert (node.provision_state, node.last_error) == (S.MANAGEABLE, None)
        assert (node.extra, node.resource_class) == ({"arch": "x86_64"}, "gold")
        assert "fast:true" in node.properties["capabilities"]
        async with s.database.read() as tx:
            assert await list_traits(tx, [NODE]) == {NODE: ["CUSTOM_SEEN"]}
            (port,) = [p for p in await list_ports_of(tx, NODE) if p.address == CARDS[0]]
        assert port.extra == {"role": "front"}
        assert (await inventory(s)).plugin_data["seen"] == {"by": "rule"}


async def test_a_rule_that_fails_fails_the_inspection_and_what_was_found_stays(site) -> None:
    async with site(node=IN_BAND) as s:
        await add_rule(s, action("set-attribute", path="/extra/a", value=1), priority=10)
        uuid = await add_rule(s, action("fail", msg="{inventory[memory][physical_mb]} MiB are too few"))
        await s.ask("inspect")
        node = await s.settled()
        assert node.provision_state is S.INSPECT_FAILED
        assert f"Inspection rule {uuid} failed the inspection: 2048 MiB are too few" in node.last_error
        assert (node.extra, node.properties["cpus"]) == ({}, 4)
        assert (await inventory(s)).inventory["cpu"]["count"] == 4
        assert node.driver_internal_info["fake_power"] == "power off"


@pytest.mark.parametrize(
    "wish",
    [
        action("set-attribute", path="/driver", value="zork"),
        action("set-attribute", path="/boot_interface", value="zork"),
    ],
)
async def test_a_rule_that_asks_for_what_cannot_be_changes_nothing(site, wish) -> None:
    async with site(node=IN_BAND) as s:
        await add_rule(s, action("add-trait", name="CUSTOM_A"), wish)
        await s.ask("inspect")
        node = await s.settled()
        assert node.provision_state is S.INSPECT_FAILED
        assert "What inspection rules ask for cannot be" in node.last_error
        assert "zork" in node.last_error
        async with s.database.read() as tx:
            assert await list_traits(tx, [NODE]) == {NODE: []}


async def test_a_rule_may_change_the_driver_of_a_node(site) -> None:
    async with site(node=IN_BAND) as s:
        await add_rule(s, action("set-attribute", path="/rescue_interface", value="no-rescue"))
        await s.ask("inspect")
        node = await s.settled()
        assert (node.last_error, node.rescue_interface) == (None, "no-rescue")


@asynccontextmanager
async def server(*statuses: int) -> AsyncIterator[tuple[str, list[web.Request]]]:
    """Answers with each status in turn, the last one for ever."""
    asked: list[web.Request] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request)
        return web.Response(status=statuses[min(len(asked), len(statuses)) - 1])

    app = web.Application()
    app.router.add_get("/{tail:.*}", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}", asked
    finally:
        await runner.cleanup()


async def test_the_calls_of_rules_are_made_and_repeated_while_they_fail(site) -> None:
    async with server(503, 200) as (url, asked), site(node=IN_BAND) as s:
        await add_rule(
            s,
            action("api-call", url=f"{url}/{{node.uuid}}", headers={"X-Rule": "1"}, backoff_factor=0.01),
        )
        await s.ask("inspect")
        assert (await s.settled()).last_error is None
        assert [(r.path, r.headers["X-Rule"]) for r in asked] == [(f"/{NODE}", "1")] * 2


async def test_a_call_in_vain_fails_the_inspection_without_telling_the_address(site) -> None:
    async with server(500) as (url, asked), site(node=IN_BAND) as s:
        await add_rule(s, action("api-call", url=f"{url}/?key=s3cret", retries=1, backoff_factor=0.01))
        await s.ask("inspect")
        node = await s.settled()
        assert node.provision_state is S.INSPECT_FAILED
        assert "in vain: it answered with HTTP status 500" in node.last_error
        assert "s3cret" not in node.last_error
        assert len(asked) == 2


async def test_built_in_rules_come_from_a_file(site, tmp_path) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text(
        "- description: everything is silver\n  priority: 100000\n  actions:\n"
        "  - {op: set-attribute, args: {path: /resource_class, value: silver}}\n"
    )
    async with site(node=IN_BAND, inspection_rules={"built_in_rules": str(file)}) as s:
        await add_rule(
            s,
            action("set-attribute", path="/extra/class", value="{node.resource_class}"),
        )
        await s.ask("inspect")
        node = await s.settled()
        assert (node.resource_class, node.extra) == ("silver", {"class": "silver"})


@pytest.mark.parametrize(
    ("section", "options"),
    [
        ("inspector", {"add_ports": "zork"}),
        ("inspector", {"keep_ports": "zork"}),
        ("inspection_rules", {"built_in_rules": "/nonexistent/rules"}),
    ],
)
def test_settings_that_cannot_be_are_found_at_start(section, options) -> None:
    with pytest.raises(BadSettings, match=section):
        workflows(quick_settings(**{section: options}), "h", Gateway())


async def test_a_report_is_taken_only_while_it_is_waited_for(site) -> None:
    async with site(node=OUT_OF_BAND) as s:
        with pytest.raises(NotFound):
            await s.machine.tell()
        s.machine.report = {"inventory": {"interfaces": []}}
        with pytest.raises(InvalidValue):
            await s.machine.tell()
