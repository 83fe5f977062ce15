"""The API as one ASGI application: v1 with the agent's calls, and whatever else is mounted beside it."""

from collections.abc import Sequence

from starlette.middleware.cors import CORSMiddleware
from starlette.routing import BaseRoute

from bessemer.api.access import Access, App
from bessemer.api.agent.ramdisk import RamdiskApi
from bessemer.api.audit import Audited
from bessemer.api.authentication.noauth import NoAuthentication
from bessemer.api.authentication.proof import Authentication
from bessemer.api.front import Front
from bessemer.api.healthcheck import routes as health_routes
from bessemer.api.proxy import Proxy
from bessemer.api.v1.application import V1
from bessemer.api.v1.release import newest_version
from bessemer.api.v1.resource.allocation import AllocationApi
from bessemer.api.v1.resource.chassis import ChassisApi
from bessemer.api.v1.resource.conductor import ConductorApi
from bessemer.api.v1.resource.deploy_template import DeployTemplateApi
from bessemer.api.v1.resource.discovery import DiscoveryApi
from bessemer.api.v1.resource.driver import DriverApi
from bessemer.api.v1.resource.inspection_rule import InspectionRuleApi
from bessemer.api.v1.resource.network_event import NetworkEventApi
from bessemer.api.v1.resource.node import NodeApi
from bessemer.api.v1.resource.node_indicator import NodeIndicatorApi
from bessemer.api.v1.resource.node_management import NodeManagementApi
from bessemer.api.v1.resource.node_reading import NodeReadingApi
from bessemer.api.v1.resource.node_record import NodeRecordApi
from bessemer.api.v1.resource.node_state import NodeStateApi
from bessemer.api.v1.resource.node_virtual_media import NodeVirtualMediaApi
from bessemer.api.v1.resource.port import PortApi
from bessemer.api.v1.resource.portgroup import PortgroupApi
from bessemer.api.v1.resource.runbook import RunbookApi
from bessemer.api.v1.resource.shard import ShardApi
from bessemer.api.v1.resource.volume import VolumeApi
from bessemer.api.v1.resource.volume_item import volume_routes
from bessemer.api.v1.route import Route
from bessemer.config.settings import CorsSettings, Settings
from bessemer.policy.policy import Policy
from bessemer.service.audit import AuditTrail
from bessemer.service.services import Services


def create_app(
    services: Services,
    settings: Settings,
    routes: Sequence[BaseRoute] = (),
    authentication: Authentication | None = None,
    policy: Policy | None = None,
    *,
    audit: AuditTrail | None = None,
) -> App:
    """The application. ``routes`` come first; every other path is v1's, also without ``/v1`` in front.

    Without ``authentication`` every caller is trusted. Without ``policy`` those that are not get nowhere.
    Without ``audit`` nothing is recorded.
    """
    v1 = V1(v1_routes(services, settings), settings.api, newest=_newest(settings))
    checks = health_routes(services.health) if settings.healthcheck.enabled else []
    front = Front([*routes, *checks], v1)
    app: App = Access(front, authentication or NoAuthentication(), policy)
    if audit is not None:
        app = Audited(app, audit)
    if settings.oslo_middleware.enable_proxy_headers_parsing:
        app = Proxy(app)
    return _shared(app, settings.cors) if settings.cors.allowed_origin else app


def _newest(settings: Settings) -> int:
    return newest_version(settings.default.pin_release_version)


def _shared(app: App, cors: CorsSettings) -> App:
    """``app`` open to scripts of web pages. Preflights bring no credentials: they are answered right here."""
    return CORSMiddleware(
        app,
        allow_origins=cors.allowed_origin,
        allow_methods=cors.allow_methods,
        allow_headers=cors.allow_headers,
        allow_credentials=cors.allow_credentials,
        expose_headers=cors.expose_headers,
        max_age=cors.max_age,
    )


def v1_routes(services: Services, settings: Settings) -> list[Route]:
    """Every call of v1."""
    api = settings.api
    return [
        *DiscoveryApi(_newest(settings)).routes(),
        *NodeApi(services, api).routes(),
        *NodeStateApi(services, provision_size_kib=api.max_json_body_size_provision).routes(),
        *NodeManagementApi(services).routes(),
        *NodeIndicatorApi(services).routes(),
        *NodeRecordApi(services, api).routes(),
        *NodeReadingApi(services).routes(),
        *NodeVirtualMediaApi(services).routes(),
        *PortApi(services, api).routes(),
        *PortgroupApi(services, api).routes(),
        *VolumeApi(services).routes(),
        *volume_routes(services, api),
        *ShardApi(services).routes(),
        *NetworkEventApi(services).routes(),
        *ChassisApi(services, api).routes(),
        *DriverApi(services).routes(),
        *ConductorApi(services, api).routes(),
        *AllocationApi(services, api).routes(),
        *DeployTemplateApi(services, api).routes(),
        *RunbookApi(services, api).routes(),
        *InspectionRuleApi(services, api).routes(),
        *RamdiskApi(services, settings).routes(),
    ]
