"""The conductor: the part of a process that carries out operations and looks after the fleet."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import version

import aiohttp

from bessemer.config.settings import Settings
from bessemer.domain.limit import Limit
from bessemer.engine.engine import Engine
from bessemer.engine.settings import EngineSettings
from bessemer.hardware.agent.client import AgentClient
from bessemer.hardware.composition import Composition
from bessemer.server.descriptor import check_descriptors, take_descriptors
from bessemer.server.duty import Duty, duties
from bessemer.server.foundation import Foundation
from bessemer.transfer.acting import ActingRequest
from bessemer.transfer.bounded import BoundedResponse
from bessemer.transfer.tls_connector import TlsConnector
from bessemer.workflow.catalogue import workflows
from bessemer.workflow.collaborators import Collaborators


@dataclass(frozen=True, slots=True)
class Conductor:
    """The engine carries out operations; ``duties`` go on beside it, by what they are called in logs."""

    engine: Engine
    duties: dict[str, Duty]


@asynccontextmanager
async def open_conductor(foundation: Foundation) -> AsyncIterator[Conductor]:
    """The conductor's parts. Tells ``foundation.gateway`` of the workflows."""
    settings = foundation.settings
    await check_descriptors(foundation.database, settings.conductor.conductor_group, take_descriptors())
    # A rack deploys at once: how many agents are called is bounded by what calls them.
    connector = TlsConnector(limit=0)
    async with aiohttp.ClientSession(
        connector=connector, request_class=ActingRequest, response_class=BoundedResponse
    ) as agents:
        collaborators = Collaborators(
            database=foundation.database,
            composition=foundation.composition,
            agents=AgentClient(agents, settings.agent),
            artefacts=foundation.artefacts,
            web=foundation.web,
            settings=settings,
            base_url=foundation.base_url,
        )
        engine = Engine(
            foundation.database,
            workflows(settings, settings.default.host, foundation.gateway),
            collaborators,
            _engine_settings(settings, foundation.composition),
            foundation.clock,
            gateway=foundation.gateway,
        )
        yield Conductor(engine, duties(foundation))


def _engine_settings(settings: Settings, composition: Composition) -> EngineSettings:
    conductor = settings.conductor
    return EngineSettings(
        hostname=settings.default.host,
        conductor_group=conductor.conductor_group,
        interfaces=tuple(composition.registrations()),
        workers=conductor.workers_pool_size,
        heartbeat_interval_s=min(conductor.heartbeat_interval, conductor.lease_time / 4),
        lease_s=conductor.lease_time,
        limits={
            "deploy": _limit(conductor.max_concurrent_deploy, conductor.max_concurrent_deploy_in_group),
            "clean": _limit(conductor.max_concurrent_clean, conductor.max_concurrent_clean_in_group),
        },
        graceful_stop_s=conductor.graceful_shutdown_timeout,
        version=version("bessemer"),
    )


def _limit(everywhere: int, in_group: int) -> Limit:
    return Limit(everywhere=everywhere or None, in_group=in_group or None)
