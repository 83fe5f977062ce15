"""Vendor methods that nobody waits for do not wait themselves, while other work on the node does."""

from pathlib import Path

import pytest

from fakes.live_process import live_process


@pytest.mark.parametrize("method", ["first_method", "fourth_method_shared_lock"])
async def test_a_vendor_method_is_called_while_the_node_waits_for_its_agent(
    tmp_path: Path, sqlite_template: Path, method: str
) -> None:
    async with live_process(tmp_path, template=sqlite_template) as live:
        await live.client.post("/v1/nodes", {"driver": "fake-hardware", "name": "n1"})
        steps = [{"interface": "deploy", "step": "wait"}]
        for request in ({"target": "manage"}, {"target": "clean", "clean_steps": steps}):
            assert (await live.client.put("/v1/nodes/n1/states/provision", request)).status == 202
            await live.settled("n1")
        reply = await live.client.post(f"/v1/nodes/n1/vendor_passthru/{method}", {})
        assert reply.status == 202
        node = await live.settled("n1")
        assert (node["provision_state"], node["last_error"]) == ("clean wait", None)
        states = {one["kind"]: one["state"] for one in await live.operations("n1")}
        assert states["clean"] == "waiting"
        assert states.get("vendor passthru", "succeeded") == "succeeded"
