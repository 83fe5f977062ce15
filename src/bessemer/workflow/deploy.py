"""Deploy: an operating system on the machine's disk, a config drive beside it, the machine booted into it."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from bessemer.config.settings import Settings
from bessemer.domain.node import Node
from bessemer.domain.provision import ProvisionState
from bessemer.domain.step import StepKind
from bessemer.engine.gateway import Gateway
from bessemer.engine.workflow import Done, OnInterrupt, Workflow
from bessemer.image.config_drive import make_config_drive
from bessemer.image.info import image_info
from bessemer.image.probe import ImageFacts, probe
from bessemer.image.source import ImageSource, image_source
from bessemer.workflow import agent_command, hardware_step
from bessemer.workflow.agent_boot import into_agent, needs_agent, out_of_agent, patient_command
from bessemer.workflow.collaborators import Collaborators, NodeContext, NodeStep
from bessemer.workflow.deploy_step import by_agent, choose_ahead, choose_steps, is_enabled, steps_from
from bessemer.workflow.instance_boot import boot_from_disk, boot_instance, switch_to_tenant_network
from bessemer.workflow.projection import Projection
from bessemer.workflow.reading import look_up_settings
from bessemer.workflow.task import open_task

STATES = frozenset({ProvisionState.DEPLOYING, ProvisionState.DEPLOY_WAIT, ProvisionState.DEPLOY_HOLD})
WRITE_IMAGE = {"interface": "deploy", "step": "write_image", "priority": 80}


async def check_settings(context: NodeContext) -> Done:
    """Everything that can be known to be wrong is found before the machine is touched."""
    task = await open_task(context)
    driver = task.driver
    for interface in (driver.power, driver.management, driver.network, driver.deploy, driver.storage):
        interface.validate(task)
    ahead = await choose_ahead(context, task)
    if task.node.last_error is not None:
        await task.save(last_error=None)
    read = await look_up_settings(task)
    if not context.data["needs_agent"]:
        how = f"deploy interface '{driver.deploy.name}': no ramdisk"
        return replace(read, detail=f"{how}; {read.detail}", insert=ahead)
    driver.boot.validate(task)
    context.deps.artefacts.validate(task.node)
    source, facts = await _look_at_image(context, task.node)
    return replace(read, detail=f"{source}: {_size(facts)}; {read.detail}", insert=ahead)


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


def _timeout(settings: Settings) -> int:
    return settings.conductor.deploy_callback_timeout


def _unless_disabled(rows: Iterable[NodeStep], core_step: str) -> tuple[NodeStep, ...]:
    return tuple(replace(row, when=by_agent(core_step)) for row in rows)


def deploy(projection: Callable[..., Projection], gateway: Gateway) -> Workflow[Collaborators]:
    return Workflow(
        "deploy",
        pool="deploy",
        steps=(
            NodeStep("check settings", check_settings, OnInterrupt.IDEMPOTENT, attempts=1),
            *into_agent("provisioning", _timeout),
            NodeStep("choose deploy steps", choose_steps, OnInterrupt.IDEMPOTENT, when=needs_agent),
            steps_from(80),
            NodeStep(
                "write image",
                write_image,
                **patient_command(
                    "write image", when=by_agent("write_image"), undone_by="the machine's next cleaning"
                ),
            ),
            steps_from(60, 80),
            NodeStep(
                "make bootable",
                make_bootable,
                **patient_command("make bootable", when=by_agent("prepare_instance_boot")),
            ),
            steps_from(40, 60),
            *_unless_disabled(out_of_agent("provisioning"), "tear_down_agent"),
            boot_from_disk(by_agent("prepare_instance_boot")),
            steps_from(30, 40),
            switch_to_tenant_network(is_enabled("switch_to_tenant_network")),
            steps_from(20, 30),
            boot_instance(is_enabled("boot_instance")),
            steps_from(1, 20),
        ),
        extra=hardware_step.step_rows(StepKind.DEPLOY, _timeout, gateway),
        on_change=projection(history="deploying", states=STATES, step_field="deploy_step"),
    )
