"""Each workflow fails clearly at each of its steps in turn, and bears each of them being run twice."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from bessemer.config.settings import Settings
from bessemer.domain.operation import OperationState
from bessemer.domain.provision import ProvisionState
from bessemer.engine.gateway import Gateway
from bessemer.engine.workflow import Context, OnInterrupt, Step, Workflow
from bessemer.kernel.error import DeviceRefused
from bessemer.workflow.catalogue import workflows

S = ProvisionState
#: Rows that run only when there is something for them.
OPTIONAL = ("deploy steps", "rescue by the driver", "read hardware")


@dataclass(frozen=True)
class Case:
    """A workflow, the verb that starts it in ``state``, and the states of its two ends."""

    kind: str
    verb: str
    state: S
    failed: S
    done: S
    args: Mapping[str, Any] = field(default_factory=dict)


SERVICE_STEPS = [{"interface": "deploy", "step": "burnin_cpu"}]
CLEAN_STEPS = [{"interface": "deploy", "step": "erase_devices"}]
CASES = {
    case.kind: case
    for case in (
        Case("verify", "manage", S.ENROLL, S.ENROLL, S.MANAGEABLE),
        Case("clean", "clean", S.MANAGEABLE, S.CLEAN_FAILED, S.MANAGEABLE, {"clean_steps": CLEAN_STEPS}),
        Case("deploy", "active", S.AVAILABLE, S.DEPLOY_FAILED, S.ACTIVE),
        Case("tear down", "deleted", S.ACTIVE, S.ERROR, S.AVAILABLE),
        Case("inspect", "inspect", S.MANAGEABLE, S.INSPECT_FAILED, S.MANAGEABLE),
        Case("adopt", "adopt", S.MANAGEABLE, S.ADOPT_FAILED, S.ACTIVE),
        Case("rescue", "rescue", S.ACTIVE, S.RESCUE_FAILED, S.RESCUE, {"rescue_password": "secret"}),
        Case("unrescue", "unrescue", S.RESCUE, S.UNRESCUE_FAILED, S.ACTIVE),
        Case("service", "service", S.ACTIVE, S.SERVICE_FAILED, S.ACTIVE, {"service_steps": SERVICE_STEPS}),
        Case("service abort", "abort", S.SERVICE_FAILED, S.SERVICE_FAILED, S.ACTIVE),
    )
}
RESCUE = {"enabled_rescue_interfaces": ["fake", "agent", "no-rescue"]}


def of_kind(kind: str) -> Workflow[Any]:
    return next(w for w in workflows(Settings(), "h", Gateway()) if w.kind == kind)


def every_step() -> list[Any]:
    return [
        pytest.param(case, step.name, id=f"{case.kind}: {step.name}")
        for case in CASES.values()
        for step in of_kind(case.kind).steps
        if not step.name.startswith(OPTIONAL)
    ]


@pytest.fixture
def family() -> str:
    """What the steps do does not depend on the database; one kind will do."""
    return "sqlite"


def changed(kind: str, name: str, change: Any) -> Any:
    """A reshape that replaces one step of one workflow."""

    def reshape(workflow: Workflow[Any]) -> Workflow[Any]:
        if workflow.kind != kind:
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


@pytest.mark.parametrize(("case", "name"), every_step())
async def test_a_step_that_fails_is_named_the_machine_left_safe_and_the_next_try_succeeds(
    site, case, name
) -> None:
    broken = Broken()
    node = {"provision_state": case.state, "rescue_interface": "agent", "inspect_interface": "agent"}
    async with site(changed(case.kind, name, broken), node=node, default=RESCUE) as s:
        await s.ask(case.verb, **case.args)
        node = await s.settled()
        assert node.provision_state is case.failed
        assert node.last_error.startswith(f"{case.kind} failed at step '{name}': the test says no")
        assert (node.reservation, node.clean_step, node.service_step) == (None, {}, {})
        assert not [key for key in node.driver_internal_info if key in ("agent_secret_token", "boot_key")]
        assert node.driver_internal_info.get("fake_boot", {}).get("from") != "ramdisk"
        assert node.driver_internal_info.get("fake_power") in (None, "power off")
        assert "hashed_rescue_password" not in node.instance_info

        broken.is_broken = False
        await s.change(maintenance=False, fault=None)
        if case.failed is S.CLEAN_FAILED:
            await s.ask("manage")
        await s.ask(case.verb, **case.args)
        node = await s.settled()
        assert (node.provision_state, node.last_error) == (case.done, None)


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


@pytest.mark.parametrize("case", [pytest.param(case, id=case.kind) for case in CASES.values()])
async def test_every_step_may_be_run_twice(site, case) -> None:
    def reshape(workflow: Workflow[Any]) -> Workflow[Any]:
        steps, extra = (tuple(map(twice, rows)) for rows in (workflow.steps, workflow.extra))
        return replace(workflow, steps=steps, extra=extra)

    node = {"provision_state": case.state, "rescue_interface": "agent", "inspect_interface": "agent"}
    async with site(reshape, node=node, default=RESCUE) as s:
        await s.ask(case.verb, **case.args)
        node = await s.settled()
        assert (node.provision_state, node.last_error) == (case.done, None)
        assert all(operation.state is OperationState.SUCCEEDED for operation in await s.operations())
        assert s.machine.images_written == (case.kind == "deploy")
        for command in ("execute_clean_step", "execute_service_step"):
            steps = [str(c["params"]["step"]) for c in s.machine.commands(command)]
            assert len(steps) == len(set(steps)), "a step was given to the agent twice"


RESET = {"interface": "bios", "step": "factory_reset"}
REBOOT = {"interface": "power", "step": "reboot"}
#: Operations that no verb starts: their arguments, and the steps that these make them run.
SHORT = [
    (
        "power",
        {"target": "rebooting", "relatives_first": True},
        ("power of relatives", "power off", "power on"),
    ),
    ("child step", {"kind": "clean", "hardware_step": REBOOT}, ("power off", "power on")),
    ("child step", {"kind": "clean", "hardware_step": RESET}, ("carry out the step",)),
    ("boot mode", {"mode": "bios"}, ("set boot mode",)),
    ("secure boot", {"enabled": True}, ("set secure boot",)),
    ("console", {"enabled": True}, ("set console",)),
]


@pytest.mark.parametrize(("kind", "args", "name"), [(k, a, name) for k, a, names in SHORT for name in names])
async def test_a_short_operation_that_fails_is_told_and_moves_the_node_nowhere(
    site, kind, args, name
) -> None:
    broken = Broken()
    async with site(changed(kind, name, broken), node={"provision_state": S.ACTIVE}) as s:
        await s.start(kind, **args)
        node = await s.settled()
        assert (node.provision_state, node.reservation, node.target_power_state) == (S.ACTIVE, None, None)
        assert node.last_error.startswith(f"{kind} failed at step '{name}': the test says no")
        broken.is_broken = False
        await s.start(kind, **args)
        assert (await s.settled()).last_error is None


@pytest.mark.parametrize(("kind", "args"), [(kind, args) for kind, args, _ in SHORT])
async def test_every_step_of_a_short_operation_may_be_run_twice(site, kind, args) -> None:
    def reshape(workflow: Workflow[Any]) -> Workflow[Any]:
        return replace(workflow, steps=tuple(map(twice, workflow.steps)))

    async with site(reshape, node={"provision_state": S.ACTIVE}) as s:
        await s.start(kind, **args)
        node = await s.settled()
        assert (node.provision_state, node.last_error) == (S.ACTIVE, None)
        assert [operation.state for operation in await s.operations()] == [OperationState.SUCCEEDED]


def test_every_step_says_who_cleans_up_after_it_or_has_nothing_to_clean_up() -> None:
    for workflow in workflows(Settings(), "h", Gateway()):
        for step in (*workflow.steps, *workflow.extra):
            assert step.undone_by in ("", *workflow.by_name, "the machine's next cleaning")
