"""The deployment fails clearly at each of its steps in turn, and bears each of them being run twice."""

from dataclasses import replace
from typing import Any

import pytest

from bessemer.config.settings import Settings
from bessemer.domain.operation import OperationState
from bessemer.domain.provision import ProvisionState
from bessemer.engine.gateway import Gateway
from bessemer.engine.workflow import Context, OnInterrupt, Step, Workflow
from bessemer.kernel.error import DeviceRefused
from bessemer.workflow.catalogue import workflows

AVAILABLE = {"provision_state": ProvisionState.AVAILABLE}


def of_kind(kind: str) -> Workflow[Any]:
    settings = Settings()
    return next(w for w in workflows(settings, "h", Gateway()) if w.kind == kind)


#: Steps that a deployment without extra steps really runs.
DEPLOY_STEPS = [step.name for step in of_kind("deploy").steps if not step.name.startswith("deploy steps")]


@pytest.fixture
def family() -> str:
    """What the steps do does not depend on the database; one kind will do."""
    return "sqlite"


def changed(name: str, change: Any) -> Any:
    """A reshape that replaces one step of the deployment."""

    def reshape(workflow: Workflow[Any]) -> Workflow[Any]:
        if workflow.kind != "deploy":
            return workflow
        steps = tuple(change(step) if step.name == name else step for step in workflow.steps)
        return replace(workflow, steps=steps)

    return reshape


class Broken:
    """Fails while it is told to."""

    def __init__(self) -> None:
        self.is_broken = True

    def __call__(self, step: Step[Any]) -> Step[Any]:
        async def run(context: Context[Any]) -> Any:
            if self.is_broken:
                raise DeviceRefused("the test says no")
            return await step.run(context)

        return replace(step, run=run)


@pytest.mark.parametrize("name", DEPLOY_STEPS)
async def test_a_step_that_fails_is_named_the_machine_left_safe_and_the_next_try_succeeds(site, name) -> None:
    broken = Broken()
    async with site(changed(name, broken), node=AVAILABLE) as s:
        await s.ask("active")
        node = await s.settled()
        assert node.provision_state is ProvisionState.DEPLOY_FAILED
        assert node.last_error.startswith(f"deploy failed at step '{name}': the test says no")
        assert node.reservation is None
        assert not [key for key in node.driver_internal_info if key in ("agent_secret_token", "boot_key")]
        assert node.driver_internal_info.get("fake_boot", {}).get("from") != "ramdisk"
        if "fake_power" in node.driver_internal_info:
            assert node.driver_internal_info["fake_power"] == "power off"

        broken.is_broken = False
        await s.ask("active")
        node = await s.settled()
        assert (node.provision_state, node.last_error) == (ProvisionState.ACTIVE, None)


def twice(step: Step[Any]) -> Step[Any]:
    """As after a crash just behind the step: an idempotent one is simply run again, another is checked."""

    async def run(context: Context[Any]) -> Any:
        done = await step.run(context)
        if step.on_interrupt is OnInterrupt.IDEMPOTENT:
            done = await step.run(context)
        elif step.check is not None:
            assert await step.check(context) == "happened"
        return done

    return replace(step, run=run)


async def test_every_step_may_be_run_twice_and_the_image_is_written_once(site) -> None:
    def reshape(workflow: Workflow[Any]) -> Workflow[Any]:
        return replace(workflow, steps=tuple(twice(step) for step in workflow.steps))

    async with site(reshape) as s:
        await s.ask("manage")
        assert (await s.settled()).provision_state is ProvisionState.MANAGEABLE
        await s.ask("provide")
        assert (await s.settled()).provision_state is ProvisionState.AVAILABLE
        await s.ask("active")
        node = await s.settled()
        assert (node.provision_state, node.last_error) == (ProvisionState.ACTIVE, None)
        assert s.machine.images_written == 1
        await s.ask("deleted")
        assert (await s.settled()).provision_state is ProvisionState.AVAILABLE
        assert all(operation.state is OperationState.SUCCEEDED for operation in await s.operations())


def test_every_step_says_who_cleans_up_after_it_or_has_nothing_to_clean_up() -> None:
    for workflow in workflows(Settings(), "h", Gateway()):
        for step in (*workflow.steps, *workflow.extra):
            assert step.undone_by in ("", *workflow.by_name, "the machine's next cleaning")
