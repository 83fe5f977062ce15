"""Deploy: an operating system on the machine's disk, a config drive beside it, the machine booted into it."""

from collections.abc import Callable
from typing import Any

import msgspec

from bessemer.config.settings import Settings
from bessemer.domain.node import Node
from bessemer.domain.operation import Operation
from bessemer.domain.power import PowerState, PowerTarget
from bessemer.domain.provision import ProvisionState
from bessemer.domain.step import HardwareStep, StepKind
from bessemer.engine.workflow import Done, OnInterrupt, Wait, Workflow
from bessemer.image.config_drive import make_config_drive
from bessemer.image.info import image_info
from bessemer.image.probe import ImageFacts, probe
from bessemer.image.source import ImageSource, image_source
from bessemer.workflow import agent_command, hardware_step
from bessemer.workflow.agent_boot import into_agent, needs_agent, out_of_agent, patient_command
from bessemer.workflow.collaborators import Collaborators, NodeContext, NodeStep
from bessemer.workflow.power import patient, reached, request
from bessemer.workflow.projection import Projection
from bessemer.workflow.task import open_task

DEPLOY_STEP = "deploy step"
STATES = frozenset({ProvisionState.DEPLOYING, ProvisionState.DEPLOY_WAIT, ProvisionState.DEPLOY_HOLD})
WRITE_IMAGE = {"interface": "deploy", "step": "write_image", "priority": 80}


async def check_settings(context: NodeContext) -> Done:
    """Everything that can be known to be wrong is found before the machine is touched."""
    task = await open_task(context)
    driver = task.driver
    for interface in (driver.power, driver.management, driver.network, driver.deploy, driver.storage):
        interface.validate(task)
    context.data["needs_agent"] = driver.deploy.needs_agent
    await task.save(last_error=None)
    if not driver.deploy.needs_agent:
        return Done(detail=f"deploy interface '{driver.deploy.name}' needs no agent")
    driver.boot.validate(task)
    context.deps.artefacts.validate(task.node)
    source, facts = await _look_at_image(context, task.node)
    return Done(detail=f"{source}: {_size(facts)}")


async def choose_steps(context: NodeContext) -> None:
    """What the agent, the drivers and the user want done besides writing the image."""
    offered = await hardware_step.collect(context, StepKind.DEPLOY)
    wished = hardware_step.chosen(offered, context.operation.args.get("deploy_steps") or ())
    by_key = {step.key: step for step in offered} | {step.key: step for step in wished}
    core = set((await open_task(context)).driver.deploy.core_steps)
    extra = [msgspec.to_builtins(s) for s in by_key.values() if s.priority > 0 and s.step not in core]
    context.data["extra_steps"] = extra


def steps_between(high: int, low: int) -> NodeStep:
    """A row that puts the extra steps of priority ``high`` down to ``low`` here, in order."""

    async def run(context: NodeContext) -> Done:
        every = [msgspec.convert(step, HardwareStep) for step in context.data.get("extra_steps", [])]
        steps = [
            s
            for s in sorted(every, key=lambda s: (-s.priority, s.interface, s.step))
            if high >= s.priority >= low
        ]
        return Done(insert=hardware_step.planned(DEPLOY_STEP, steps))

    def is_any(operation: Operation) -> bool:
        return any(high >= step["priority"] >= low for step in operation.data.get("extra_steps", []))

    return NodeStep(f"deploy steps {high} to {low}", run, OnInterrupt.IDEMPOTENT, when=is_any)


async def write_image(context: NodeContext) -> None:
    task = await open_task(context)
    deps = context.deps
    source, facts = await _look_at_image(context, task.node)
    relay_url = deps.artefacts.image_url_for(task.node, deps.base_url)
    image = image_info(task.node, source, facts, deps.settings, relay_url=relay_url)
    args: dict[str, Any] = {"image_info": image}
    drive = await make_config_drive(task.node, task.node.instance_info.get("configdrive"))
    if drive is not None:
        args["configdrive"] = drive
    step = WRITE_IMAGE | {"args": args}
    await agent_command.start(
        context, "deploy.execute_deploy_step", agent_command.machine_facts(task) | {"step": step}
    )


async def _look_at_image(context: NodeContext, node: Node) -> tuple[ImageSource, ImageFacts]:
    """What to write, and whether it can be had. Raises SourceError when its server says no."""
    source = image_source(node, context.deps.settings)
    return source, await probe(source, context.deps.web, context.deps.settings)


def _size(facts: ImageFacts) -> str:
    return "size unknown" if facts.size is None else f"{facts.size / 2**20:.1f} MiB"


async def make_bootable(context: NodeContext) -> None:
    """Let the firmware know what to boot. Source: agent API, ``image.install_bootloader``."""
    task = await open_task(context)
    ids = await agent_command.run_at_once(context, "standby.get_partition_uuids", {})
    mode = task.node.boot_mode or context.deps.settings.deploy.default_boot_mode
    params = {
        "root_uuid": (ids or {}).get("root uuid") or "",
        "efi_system_part_uuid": (ids or {}).get("efi system partition uuid"),
        "target_boot_mode": mode,
    }
    await agent_command.start(context, "image.install_bootloader", params)


async def boot_from_disk(context: NodeContext) -> None:
    task = await open_task(context)
    await task.driver.boot.prepare_instance(task)


async def switch_to_tenant_network(context: NodeContext) -> None:
    task = await open_task(context)
    await task.driver.network.configure_tenant_networks(task)


async def leave_tenant_network(context: NodeContext) -> None:
    task = await open_task(context)
    await task.driver.network.unconfigure_tenant_networks(task)


async def boot_instance(context: NodeContext) -> None:
    await request(context, PowerTarget.ON)


async def is_running(context: NodeContext) -> Done | Wait:
    timeout_s = context.deps.settings.conductor.power_state_change_timeout
    return await reached(context, PowerState.ON, timeout_s)


def _timeout(settings: Settings) -> int:
    return settings.conductor.deploy_callback_timeout


def deploy(projection: Callable[..., Projection]) -> Workflow[Collaborators]:
    return Workflow(
        "deploy",
        steps=(
            NodeStep("check settings", check_settings, OnInterrupt.IDEMPOTENT, attempts=1),
            *into_agent("provisioning", _timeout),
            NodeStep("choose deploy steps", choose_steps, OnInterrupt.IDEMPOTENT, when=needs_agent),
            steps_between(99, 81),
            NodeStep(
                "write image",
                write_image,
                **patient_command("write image", when=needs_agent, undone_by="the machine's next cleaning"),
            ),
            steps_between(79, 61),
            NodeStep("make bootable", make_bootable, **patient_command("make bootable", when=needs_agent)),
            steps_between(59, 41),
            *out_of_agent("provisioning"),
            NodeStep("boot from disk", boot_from_disk, OnInterrupt.IDEMPOTENT, when=needs_agent),
            NodeStep(
                "switch to tenant network",
                switch_to_tenant_network,
                OnInterrupt.IDEMPOTENT,
                undo=leave_tenant_network,
            ),
            NodeStep("boot the instance", boot_instance, OnInterrupt.IDEMPOTENT, until=patient(is_running)),
        ),
        extra=(hardware_step.carry_out(DEPLOY_STEP, StepKind.DEPLOY),),
        on_change=projection(history="deploying", states=STATES, step_field="deploy_step"),
    )
