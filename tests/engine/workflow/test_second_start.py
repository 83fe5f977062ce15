"""A machine of which nothing is heard is started once more, within the time that was given for the agent."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
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

Find = Callable[[int], dict[str, Any]]


@pytest.fixture
def patient(site) -> Callable[..., Any]:
    """``async with patient(after_s, timeout_s) as s``: a machine is started once more after so many seconds.

    A start is not over before the machine itself has seen it, since it looks only every ten milliseconds.
    Before anybody else looks, these facts become true: what ``found`` says of the first start and the second.
    """

    @asynccontextmanager
    async def make(
        after_s: int, timeout_s: int = 60, *, step: str = "boot the agent", found: Find = lambda _: {}
    ) -> AsyncIterator[Any]:
        sites: list[Any] = []

        def seen(step: Any) -> Any:
            async def run(context: Any) -> Any:
                outcome = await step.run(context)
                if step.name == "boot the agent":
                    await sites[0].machine.has_seen_its_start()
                await learn(sites[0], **found(sites[0].machine.boots))
                return outcome

            return replace(step, run=run)

        settings = {
            "node": ACTIVE,
            "default": ENABLED,
            "deploy": {"boot_retry_after": after_s},
            "conductor": {"rescue_callback_timeout": timeout_s},
        }
        async with site(changed("rescue", step, seen), **settings) as s:
            sites.append(s)
            yield s

    return make


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


def was_read(_: int) -> dict[str, Any]:
    return {READ_AT: timestamp(SystemClock())}


async def test_a_machine_that_never_read_its_medium_is_started_once_more(patient) -> None:
    async with patient(1) as s:
        s.machine.calls_back_from = 2
        await s.ask("rescue", rescue_password="x")
        node = await s.settled()
        assert (node.provision_state, node.last_error, s.machine.boots) == (S.RESCUE, None, 2)
        first, second = await starts(s)
    assert "nothing has read its boot medium: it is started once more" in first
    assert second.startswith("agent ")


async def test_it_is_started_twice_at_most_and_both_starts_share_the_time(patient) -> None:
    async with patient(1, timeout_s=3) as s:
        s.machine.calls_back = False
        await s.ask("rescue", rescue_password="x")
        node = await s.settled()
        [operation] = await s.operations()
        assert (s.machine.boots, len(await starts(s))) == (2, 2)
    assert (node.provision_state, operation.state) == (S.RESCUE_FAILED, OperationState.FAILED)
    assert operation.error is not None
    assert operation.error.code == "deadline-exceeded"


@pytest.mark.parametrize("after_s", [0, 30])
async def test_it_is_not_where_the_setting_says_never_or_later_than_the_agent_is_waited_for(
    patient, after_s: int
) -> None:
    async with patient(after_s, timeout_s=1) as s:
        s.machine.calls_back = False
        await s.ask("rescue", rescue_password="x")
        await s.settled()
        assert (s.machine.boots, len(await starts(s))) == (1, 1)


async def test_a_machine_that_reads_its_medium_and_is_on_is_given_all_the_time(patient) -> None:
    async with patient(1, timeout_s=3, found=was_read) as s:
        s.machine.calls_back = False
        await s.ask("rescue", rescue_password="x")
        await s.settled()
        assert (s.machine.boots, len(await starts(s))) == (1, 1)


async def test_a_bmc_that_fetches_the_medium_when_it_is_inserted_is_given_all_the_time_too(patient) -> None:
    async with patient(1, timeout_s=3, step="prepare the agent's boot", found=was_read) as s:
        s.machine.calls_back = False
        await s.ask("rescue", rescue_password="x")
        await s.settled()
        assert len(await starts(s)) == 1


async def test_a_machine_that_went_off_again_is_started_once_more(patient) -> None:
    def went_off(start: int) -> dict[str, Any]:
        return {**was_read(start), "fake_power": "power off"} if start == 1 else {}

    async with patient(1, found=went_off) as s:
        s.machine.calls_back_from = 2
        await s.ask("rescue", rescue_password="x")
        assert (await s.settled()).provision_state is S.RESCUE
        assert s.machine.boots == 2
        assert "the machine is off: it is started once more" in (await starts(s))[0]
