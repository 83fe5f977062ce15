"""A machine of which nothing is heard is started once more, within the time that was given for the agent."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from bessemer.boot.capability import READ_AT
from bessemer.domain.operation import JournalEvent, OperationState
from bessemer.domain.provision import ProvisionState
from bessemer.kernel.clock import SystemClock, timestamp
from bessemer.store.node import merge_node
from engine.workflow.conftest import NODE
from engine.workflow.test_every_step import changed

S = ProvisionState
ENABLED = {"enabled_rescue_interfaces": ["fake", "agent", "no-rescue"]}
ACTIVE = {"provision_state": S.ACTIVE, "rescue_interface": "agent"}


def patience(after_s: int, timeout_s: int = 60) -> dict[str, Any]:
    return {
        "node": ACTIVE,
        "default": ENABLED,
        "deploy": {"boot_retry_after": after_s},
        "conductor": {"rescue_callback_timeout": timeout_s},
    }


async def starts(s: Any) -> list[str]:
    """How each start of the agent ended, as the journal says."""
    operation = (await s.operations())[0]
    ends = (JournalEvent.DONE, JournalEvent.FAILED)
    return [
        entry.detail
        for entry in await s.journal(operation)
        if entry.step == "boot the agent" and entry.event in ends
    ]


async def learn(s: Any, **facts: Any) -> None:
    async with s.database.write() as tx:
        await merge_node(tx, NODE, "driver_internal_info", facts)


async def booted(s: Any) -> None:
    """Once the machine itself has seen that it was switched on: it looks every ten milliseconds."""
    async with asyncio.timeout(20):
        while not s.machine.boots:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_a_machine_that_never_read_its_medium_is_started_once_more(site) -> None:
    async with site(**patience(1)) as s:
        s.machine.calls_back_from = 2
        await s.ask("rescue", rescue_password="x")
        node = await s.settled()
        assert (node.provision_state, node.last_error, s.machine.boots) == (S.RESCUE, None, 2)
        first, second = await starts(s)
    assert "nothing has read its boot medium: it is started once more" in first
    assert second.startswith("agent ")


async def test_it_is_started_twice_at_most_and_both_starts_share_the_time(site) -> None:
    async with site(**patience(1, timeout_s=3)) as s:
        s.machine.calls_back = False
        operation = await s.ask("rescue", rescue_password="x")
        node = await s.settled()
        [operation] = [one for one in await s.operations() if one.uuid == operation.uuid]
        waits = [one for one in await s.journal(operation) if one.event is JournalEvent.WAITING]
        assert s.machine.boots == 2
    assert (node.provision_state, operation.state) == (S.RESCUE_FAILED, OperationState.FAILED)
    assert operation.error is not None
    assert operation.error.code == "deadline-exceeded"
    assert len([one for one in waits if one.step == "boot the agent"]) == 2


@pytest.mark.parametrize("after_s", [0, 30])
async def test_it_is_not_where_the_setting_says_never_or_later_than_the_agent_is_waited_for(
    site, after_s: int
) -> None:
    async with site(**patience(after_s, timeout_s=1)) as s:
        s.machine.calls_back = False
        await s.ask("rescue", rescue_password="x")
        await s.settled()
        assert (s.machine.boots, len(await starts(s))) == (1, 1)


async def test_a_machine_that_reads_its_medium_and_is_on_is_given_all_the_time(site) -> None:
    async with site(**patience(1, timeout_s=3)) as s:
        s.machine.calls_back = False
        await s.ask("rescue", rescue_password="x")
        await s.reached("rescue wait")
        await learn(s, **{READ_AT: timestamp(SystemClock())})
        await s.settled()
        assert (s.machine.boots, len(await starts(s))) == (1, 1)


async def test_a_bmc_that_fetches_the_medium_when_it_is_inserted_is_given_all_the_time_too(site) -> None:
    def fetching(step: Any) -> Any:
        async def run(context: Any) -> Any:
            outcome = await step.run(context)
            await learn(context.deps, **{READ_AT: timestamp(SystemClock())})
            return outcome

        return replace(step, run=run)

    reshape = changed("rescue", "prepare the agent's boot", fetching)
    async with site(reshape, **patience(1, timeout_s=3)) as s:
        s.machine.calls_back = False
        await s.ask("rescue", rescue_password="x")
        await s.settled()
        assert (s.machine.boots, len(await starts(s))) == (1, 1)


async def test_a_machine_that_went_off_again_is_started_once_more(site) -> None:
    async with site(**patience(3)) as s:
        s.machine.calls_back_from = 2
        await s.ask("rescue", rescue_password="x")
        await s.reached("rescue wait")
        await booted(s)
        await learn(s, **{READ_AT: timestamp(SystemClock()), "fake_power": "power off"})
        assert (await s.settled()).provision_state is S.RESCUE
        assert s.machine.boots == 2
        assert "the machine is off: it is started once more" in (await starts(s))[0]
