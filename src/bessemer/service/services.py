"""All use cases together, as APIs are given them."""

from dataclasses import dataclass
from typing import Self

from bessemer.config.settings import ApiSettings, Settings
from bessemer.domain.volume import VolumeConnector, VolumeTarget
from bessemer.engine.gateway import Gateway
from bessemer.hardware.composition import Composition
from bessemer.kernel.clock import Clock
from bessemer.service.agent import AgentService
from bessemer.service.allocation import AllocationService
from bessemer.service.allocator import Allocator
from bessemer.service.chassis import ChassisService
from bessemer.service.conductor import ConductorService
from bessemer.service.console import ConsoleService
from bessemer.service.deploy_template import DeployTemplateService
from bessemer.service.driver import DriverService
from bessemer.service.firmware_mode import FirmwareModeService
from bessemer.service.health import HealthService
from bessemer.service.history import HistoryService
from bessemer.service.inspection import InspectionService
from bessemer.service.inspection_rule import InspectionRuleService
from bessemer.service.lock import LockWait
from bessemer.service.machine import MachineService
from bessemer.service.management import ManagementService
from bessemer.service.network_event import NetworkEventService
from bessemer.service.node import NodeService
from bessemer.service.node_access import NodeAccess
from bessemer.service.operation import OperationService
from bessemer.service.passthru import PassthruService
from bessemer.service.port import PortService
from bessemer.service.portgroup import PortgroupService
from bessemer.service.power import PowerService
from bessemer.service.provision import ProvisionService
from bessemer.service.reading import ReadingService
from bessemer.service.runbook import RunbookService
from bessemer.service.shard import ShardService
from bessemer.service.target_raid import TargetRaidService
from bessemer.service.task import Tasks
from bessemer.service.trait import TraitService
from bessemer.service.vif import VifService
from bessemer.service.virtual_media import VirtualMediaService
from bessemer.service.volume import CONNECTORS, TARGETS, VolumeService
from bessemer.store.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    nodes: NodeService
    provision: ProvisionService
    power: PowerService
    management: ManagementService
    consoles: ConsoleService
    firmware_modes: FirmwareModeService
    target_raids: TargetRaidService
    vifs: VifService
    traits: TraitService
    health: HealthService
    history: HistoryService
    passthru: PassthruService
    ports: PortService
    portgroups: PortgroupService
    readings: ReadingService
    shards: ShardService
    network_events: NetworkEventService
    virtual_media: VirtualMediaService
    volume_connectors: VolumeService[VolumeConnector]
    volume_targets: VolumeService[VolumeTarget]
    chassis: ChassisService
    drivers: DriverService
    conductors: ConductorService
    allocations: AllocationService
    allocator: Allocator
    deploy_templates: DeployTemplateService
    runbooks: RunbookService
    inspection_rules: InspectionRuleService
    agents: AgentService
    operations: OperationService
    inspections: InspectionService

    @classmethod
    def build(
        cls,
        database: Database,
        gateway: Gateway,
        composition: Composition,
        settings: Settings,
        clock: Clock,
    ) -> Self:
        """Every use case on these collaborators."""
        access = NodeAccess(database, LockWait(settings.conductor))
        tasks = Tasks(database, composition)
        allocator = Allocator(database)
        agents = AgentService(access, gateway, settings)
        conductors = ConductorService(database, settings.conductor, clock)
        machines = MachineService(access, gateway, conductors)
        return cls(
            nodes=NodeService(access, composition, conductors, settings),
            provision=ProvisionService(access, gateway, tasks, conductors, settings),
            power=PowerService(access, gateway, tasks, conductors),
            management=ManagementService(access, machines),
            consoles=ConsoleService(access, gateway, tasks, machines, conductors),
            firmware_modes=FirmwareModeService(access, gateway, tasks, conductors),
            target_raids=TargetRaidService(access, tasks),
            vifs=VifService(access, tasks),
            traits=TraitService(access),
            health=HealthService(conductors),
            history=HistoryService(access),
            passthru=PassthruService(access, tasks, machines),
            ports=PortService(access, tasks),
            portgroups=PortgroupService(access, tasks, settings.default.default_portgroup_mode),
            readings=ReadingService(access),
            shards=ShardService(database),
            network_events=NetworkEventService(),
            virtual_media=VirtualMediaService(access, machines),
            volume_connectors=VolumeService(access, CONNECTORS),
            volume_targets=VolumeService(access, TARGETS),
            chassis=ChassisService(database),
            drivers=DriverService(conductors, composition),
            conductors=conductors,
            allocations=AllocationService(access, conductors, allocator),
            allocator=allocator,
            deploy_templates=DeployTemplateService(database, settings.api.disallow_deploy_steps),
            inspection_rules=InspectionRuleService(database),
            runbooks=RunbookService(database, _disallowed_everywhere(settings.api)),
            agents=agents,
            operations=OperationService(access),
            inspections=InspectionService(access, gateway, agents),
        )


def _disallowed_everywhere(settings: ApiSettings) -> frozenset[str]:
    """A runbook may be used to clean and to service: what only one of them refuses is refused there."""
    return frozenset(settings.disallow_clean_steps) & frozenset(settings.disallow_service_steps)
