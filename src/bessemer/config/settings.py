"""Every setting as a typed field: its name, default and meaning. Sections and names follow ``ironic.conf``.

One frozen record per section; ``load.py`` registers the fields with oslo.config, so a field is all there is
to add. Those of the API are in ``api``. Times are in seconds unless the text says otherwise.
"""

from dataclasses import dataclass, field

from bessemer.config.api import (
    ApiSettings,
    CorsSettings,
    HealthcheckSettings,
    KeystoneAuthtokenSettings,
    MiddlewareSettings,
    PolicySettings,
)
from bessemer.config.option import option
from bessemer.domain.interface import InterfaceType

__all__ = [
    "AgentSettings",
    "ApiSettings",
    "AuditSettings",
    "ConductorSettings",
    "CorsSettings",
    "DatabaseSettings",
    "DefaultSettings",
    "DeploySettings",
    "FakeSettings",
    "HealthcheckSettings",
    "InspectionRulesSettings",
    "InspectorSettings",
    "KeystoneAuthtokenSettings",
    "MetricsSettings",
    "MiddlewareSettings",
    "PolicySettings",
    "RedfishSettings",
    "SensorDataSettings",
    "Settings",
    "TracingSettings",
]


@dataclass(frozen=True, slots=True)
class DefaultSettings:
    auth_strategy: str = option("noauth", "How API callers are authenticated: noauth, http_basic, keystone.")
    http_basic_auth_user_file: str = option(
        "/etc/bessemer/htpasswd", "Accounts for http_basic: lines user:bcrypt-hash[:role[:project]]."
    )
    rbac_service_role_elevated_access: bool = option(
        False, "Let accounts with the role 'service' in the service project act for the whole system."
    )
    rbac_service_project_name: str = option("service", "Name of that service project.")
    host: str = option("", "Unique name of this process; recorded as conductor name. Empty: the host name.")
    state_path: str = option("", "Directory for everything written. Empty: the user's state directory.")
    debug: bool = option(False, "Log at debug level. Read again at SIGHUP.")
    use_json: bool | None = option(
        None, "Logs as JSON, or as text for people. Unset: text on a terminal, JSON elsewhere."
    )
    pin_release_version: str | None = option(
        None,
        "During an upgrade: serve no newer API versions than this release of Ironic did (32.0, 2025.2), or "
        "start no newer kinds of operations than this release of ours knows (0.1).",
    )
    drain_shutdown_timeout: int = option(1800, "Time given to running steps when draining (SIGUSR2).")
    default_resource_class: str | None = option(None, "Resource class of nodes created without one.")
    default_conductor_group: str = option("", "Conductor group of nodes created without one.")
    default_portgroup_mode: str = option("active-backup", "Bond mode of port groups created without one.")
    log_in_db_max_size: int = option(4096, "Longest last_error kept on a node, in characters.", least=1)
    webserver_verify_ca: str = option("True", "TLS check of image servers: true, false or a CA file.")
    enabled_hardware_types: list[str] = option(["fake-hardware", "redfish"], "Hardware types to load.")
    enabled_bios_interfaces: list[str] = option(["fake", "no-bios"], "bios interfaces to load.")
    enabled_boot_interfaces: list[str] = option(["fake", "redfish-virtual-media"], "boot interfaces to load.")
    enabled_console_interfaces: list[str] = option(["fake", "no-console"], "console interfaces to load.")
    enabled_deploy_interfaces: list[str] = option(["fake", "direct"], "deploy interfaces to load.")
    enabled_firmware_interfaces: list[str] = option(["fake", "no-firmware"], "firmware interfaces to load.")
    enabled_inspect_interfaces: list[str] = option(
        ["fake", "redfish", "agent", "no-inspect"], "inspect interfaces to load."
    )
    enabled_management_interfaces: list[str] | None = option(
        None, "management interfaces to load. Unset: all that the enabled hardware types support."
    )
    enabled_network_interfaces: list[str] = option(["noop"], "network interfaces to load.")
    enabled_power_interfaces: list[str] | None = option(
        None, "power interfaces to load. Unset: all that the enabled hardware types support."
    )
    enabled_raid_interfaces: list[str] = option(["fake", "no-raid", "agent"], "raid interfaces to load.")
    enabled_rescue_interfaces: list[str] = option(
        ["fake", "no-rescue", "agent"], "rescue interfaces to load."
    )
    enabled_storage_interfaces: list[str] = option(["fake", "noop"], "storage interfaces to load.")
    enabled_vendor_interfaces: list[str] = option(["fake", "no-vendor"], "vendor interfaces to load.")
    default_bios_interface: str | None = option(None, "bios interface of nodes created without one.")
    default_boot_interface: str | None = option(None, "boot interface of nodes created without one.")
    default_console_interface: str | None = option(None, "console interface of nodes created without one.")
    default_deploy_interface: str | None = option(None, "deploy interface of nodes created without one.")
    default_firmware_interface: str | None = option(None, "firmware interface of nodes created without one.")
    default_inspect_interface: str | None = option(None, "inspect interface of nodes created without one.")
    default_management_interface: str | None = option(None, "management interface likewise.")
    default_network_interface: str | None = option(None, "network interface of nodes created without one.")
    default_power_interface: str | None = option(None, "power interface of nodes created without one.")
    default_raid_interface: str | None = option(None, "raid interface of nodes created without one.")
    default_rescue_interface: str | None = option(None, "rescue interface of nodes created without one.")
    default_storage_interface: str | None = option("noop", "storage interface of nodes created without one.")
    default_vendor_interface: str | None = option(None, "vendor interface of nodes created without one.")

    def enabled(self, kind: InterfaceType) -> list[str] | None:
        """Names enabled for ``kind``; None means all that the enabled hardware types support."""
        names: list[str] | None = getattr(self, f"enabled_{kind.value}_interfaces")
        return names

    def default(self, kind: InterfaceType) -> str | None:
        name: str | None = getattr(self, f"default_{kind.value}_interface")
        return name


@dataclass(frozen=True, slots=True)
class ConductorSettings:
    heartbeat_interval: int = option(
        10, "Longest pause between signs of life (also: lease_time / 4).", least=1
    )
    heartbeat_timeout: int = option(
        60, "A conductor silent for this long is shown as dead by the API.", least=1
    )
    lease_time: int = option(
        10, "A conductor silent for this long loses its running work to its peers.", least=1
    )
    sync_power_state_interval: int = option(
        120, "Seconds between looks at each node's power; 0 or less: none.", least=None
    )
    sync_power_state_max_interval: int = option(
        0, "Seconds between looks at a machine that has not changed for long; 0: as at all others."
    )
    sync_power_state_workers: int = option(
        64, "Nodes looked at at the same time, by each kind of sweep.", least=1
    )
    force_power_state_during_sync: bool = option(
        True, "Drive machines to the recorded power state; false: record the state they are in."
    )
    power_state_sync_max_retries: int = option(
        3, "Looks without an answer, or in vain, before a node goes into maintenance.", least=None
    )
    power_failure_recovery_interval: int = option(
        300, "Seconds between looks whether such a node answers again; 0: none."
    )
    enable_health_monitoring: bool = option(True, "Show what BMCs say of their machines' health on nodes.")
    health_check_interval: int = option(300, "Seconds between looks at each node's health; 0: none.")
    conductor_group: str = option(
        "", "Conductor group served by this process. Upper and lower case are the same."
    )
    workers_pool_size: int = option(
        300, "Operations carried out at once (waiting ones not counted).", least=1
    )
    max_concurrent_deploy: int = option(
        250, "Deployments under way at once, in all conductor groups; more wait in the queue. 0: any number."
    )
    max_concurrent_clean: int = option(50, "The same for cleaning, automated or not.")
    max_concurrent_deploy_in_group: int = option(
        0, "Deployments under way at once in this conductor group. 0: as many as in all of them."
    )
    max_concurrent_clean_in_group: int = option(0, "The same for cleaning.")
    project_weights: dict[str, str] = option(
        {}, "Weights of projects in the queue, 'project-id:3'; 1 where none is given. The API reads it too."
    )
    graceful_shutdown_timeout: int = option(60, "Time given to running steps at stop.")
    power_state_change_timeout: int = option(60, "How long a hard power change may take.", least=1)
    soft_power_off_timeout: int = option(600, "How long a soft power change may take.", least=1)
    deploy_callback_timeout: int = option(1800, "Longest wait for the agent in deployment; 0 for ever.")
    clean_callback_timeout: int = option(1800, "Longest wait for the agent in cleaning; 0 for ever.")
    inspect_wait_timeout: int = option(1800, "Longest wait for inspection data; 0 for ever.")
    rescue_callback_timeout: int = option(1800, "Longest wait for the rescue agent; 0 for ever.")
    service_callback_timeout: int = option(1800, "Longest wait for the agent in servicing; 0 for ever.")
    clean_step_priority_override: dict[str, str] = option(
        {}, "Priorities of automated cleaning: 'deploy.erase_devices:0,raid.delete_configuration:50'."
    )
    verify_step_priority_override: dict[str, str] = option({}, "The same for verification.")
    max_conductor_wait_step_seconds: int = option(30, "Longest pause of a 'wait' step.")
    automatic_lessee_source: str = option(
        "instance", "Whose project leases a node at deployment: instance, request or none."
    )
    rescue_password_hash_algorithm: str = option("sha256", "Hash of rescue passwords: sha256 or sha512.")
    automated_clean: bool = option(True, "Clean on provide and after an instance is deleted.")
    allow_deleting_available_nodes: bool = option(True, "Whether a node in 'available' may be deleted.")
    allow_provisioning_in_maintenance: bool = option(True, "Go on with running work in maintenance.")
    permitted_image_formats: list[str] = option(["raw", "gpt", "qcow2", "iso"], "Image formats accepted.")
    disable_deep_image_inspection: bool = option(False, "Skip the check of image formats by content.")
    file_url_allowed_paths: list[str] = option([], "Directories that file:// image sources may lie in.")
    deploy_kernel: str | None = option(None, "Agent kernel (file or URL) of nodes without their own.")
    deploy_ramdisk: str | None = option(None, "Agent ramdisk (file or URL) of nodes without their own.")
    node_locked_retry_attempts: int = option(
        3, "How often a request tries again while a node is locked.", least=None
    )
    node_locked_retry_interval: float = option(1.0, "Seconds between these tries.")
    node_history_max_entries: int = option(300, "History events kept per node.")
    node_history_cleanup_interval: int = option(
        86400, "Seconds between trims of each node's history; 0: none."
    )
    node_history_minimum_days: int = option(0, "Events younger than this stay in the history in any case.")


@dataclass(frozen=True, slots=True)
class DeploySettings:
    http_url: str | None = option(None, "Base URL of our artefacts for agents. Unset: the API's.")
    external_http_url: str | None = option(None, "Base URL that BMCs use for them. Unset: http_url.")
    external_callback_url: str | None = option(None, "API URL given to agents. Unset: the API's.")
    default_boot_mode: str = option("uefi", "Boot mode of nodes that do not say: uefi or bios.")
    erase_devices_priority: int | None = option(None, "Overrides the priority of full disk erasure.")
    erase_devices_metadata_priority: int | None = option(None, "Overrides that of metadata erasure.")
    create_configuration_priority: int | None = option(None, "Priority of making RAID while cleaning.")
    delete_configuration_priority: int | None = option(None, "Priority of deleting RAID while cleaning.")
    boot_retry_after: int = option(
        900, "Seconds without a sign of the ramdisk's boot until a machine is started once more; 0 for never."
    )
    power_off_after_deploy_failure: bool = option(True, "Power a node off when its deployment failed.")
    shred_random_overwrite_iterations: int = option(1, "Passes of random data in a software erase.")
    continue_if_disk_secure_erase_fails: bool = option(False, "Fall back to overwriting.")
    disk_erasure_concurrency: int = option(4, "Disks erased in parallel on one machine.", least=1)
    iso_cache_size: int = option(20480, "Room in MiB for boot ISO templates and fetched ramdisks.")


@dataclass(frozen=True, slots=True)
class AgentSettings:
    image_download_source: str = option("http", "How images reach the agent: http (itself), local (via us).")
    stream_raw_images: bool = option(True, "Write raw images while they download.")
    require_tls: bool = option(True, "Refuse agents whose callback URL is not https.")
    verify_ca: str = option("True", "Check of agent certificates that were not sent: true, false, a CA file.")
    command_timeout: int = option(60, "Longest wait for one agent command call.", least=1)
    max_command_attempts: int = option(3, "Tries of one agent command call; one at least.", least=None)
    allow_md5_checksum: bool = option(True, "Accept MD5 image checksums.")
    poll_interval: float = option(2.0, "Longest pause between looks at a running agent command.", least=0.1)


@dataclass(frozen=True, slots=True)
class InspectorSettings:
    """Inspection by the ramdisk (inspect interface ``agent``)."""

    add_ports: str = option("pxe", "Network cards that become ports: all, active, pxe or disabled.")
    keep_ports: str = option("all", "Ports that stay: all, present (in the machine) or added.")
    update_pxe_enabled: bool = option(True, "Let pxe_enabled of ports follow what the machine booted from.")
    power_off: bool = option(True, "Power the machine off after inspection.")


@dataclass(frozen=True, slots=True)
class InspectionRulesSettings:
    built_in_rules: str | None = option(None, "File of inspection rules (YAML) besides those of the API.")


@dataclass(frozen=True, slots=True)
class RedfishSettings:
    connection_attempts: int = option(5, "Tries to reach a BMC.", least=1)
    connection_retry_interval: int = option(4, "Seconds between them.")
    auth_type: str = option("auto", "basic, session, or auto: a session, else basic.")
    request_timeout: int = option(60, "Longest wait for one answer of a BMC.", least=1)
    connections_per_bmc: int = option(2, "Requests to one BMC at the same time.", least=1)
    kernel_append_params: str = option("nofb vga=normal", "Kernel parameters added to virtual media boots.")
    event_subscriptions: bool = option(
        False, "Have BMCs tell us of changes, and poll those that do less often. They must reach the API."
    )
    event_callback_url: str | None = option(
        None, "API URL for BMCs' events. Unset: [deploy]external_http_url, external_callback_url, the API's."
    )
    event_poll_interval: int = option(
        600, "Seconds between looks at an unchanged machine whose BMC's events arrive.", least=1
    )
    event_check_interval: int = option(
        3600, "Seconds between looks whether our subscription is still at the BMC, and works.", least=1
    )


@dataclass(frozen=True, slots=True)
class FakeSettings:
    """Delays of the fake interfaces: seconds, or 'low,high' for a random one. 0 is at once."""

    power_delay: str = option("0", "Delay of power changes.")
    boot_delay: str = option("0", "Delay of boot preparations.")
    deploy_delay: str = option("0", "Delay of the deploy step.")
    management_delay: str = option("0", "Delay of management calls.")
    inspect_delay: str = option("0", "Delay of inspection.")
    raid_delay: str = option("0", "Delay of RAID steps.")
    bios_delay: str = option("0", "Delay of BIOS steps.")
    storage_delay: str = option("0", "Delay of storage calls.")
    rescue_delay: str = option("0", "Delay of rescue calls.")
    firmware_delay: str = option("0", "Delay of firmware steps.")
    vendor_delay: str = option("0", "Delay of vendor calls.")
    faults: dict[str, str] = option(
        {}, "Faults by interface.method: 'power.request_power:unreachable@0.1' fails one call in ten."
    )


@dataclass(frozen=True, slots=True)
class MetricsSettings:
    """Figures for Prometheus, at ``/metrics`` of an address of their own. Anybody who reaches it may read."""

    enabled: bool = option(False, "Serve /metrics.")
    host_ip: str = option("127.0.0.1", "Address to serve it at. Anything but loopback must be asked for.")
    port: int = option(9638, "TCP port of 'bessemer serve' and 'bessemer conductor'.")
    api_port: int = option(
        9640, "TCP port of the first process of 'bessemer api'; the others have those that follow."
    )


@dataclass(frozen=True, slots=True)
class TracingSettings:
    """Traces by OpenTelemetry (the extra ``otel``). Where they go is said by its own variables ``OTEL_*``."""

    enabled: bool = option(False, "Keep traces of requests and operations, and send them over OTLP (HTTP).")


@dataclass(frozen=True, slots=True)
class SensorDataSettings:
    send_sensor_data: bool = option(False, "Read the sensors of machines and publish them as events.")
    interval: int = option(600, "Seconds between readings of each machine.", least=1)


@dataclass(frozen=True, slots=True)
class AuditSettings:
    keep_days: int = option(400, "Days that events of the audit trail are kept. 0: for ever.")


@dataclass(frozen=True, slots=True)
class DatabaseSettings:
    connection: str = option("", "sqlite:///PATH or postgresql://... Empty: bessemer.sqlite in state_path.")
    max_pool_size: int = option(
        10, "Connections kept open (PostgreSQL) or used for reading (SQLite); 0: the default."
    )
    keep_operations_days: int = option(
        90, "Days that operations and their journals are kept when over. 0: for ever."
    )
    keep_events_days: int = option(14, "Days that events outside of nodes' histories are kept. 0: for ever.")
    keep_conductors_days: int = option(
        30, "Days that conductors are remembered that gave no sign of life. 0: for ever."
    )
    key_file: str = option("", "Keys that secrets are sealed with. Empty: 'key' in state_path, made if new.")


@dataclass(frozen=True, slots=True)
class Settings:
    default: DefaultSettings = field(default_factory=DefaultSettings)
    api: ApiSettings = field(default_factory=ApiSettings)
    conductor: ConductorSettings = field(default_factory=ConductorSettings)
    deploy: DeploySettings = field(default_factory=DeploySettings)
    agent: AgentSettings = field(default_factory=AgentSettings)
    inspector: InspectorSettings = field(default_factory=InspectorSettings)
    inspection_rules: InspectionRulesSettings = field(default_factory=InspectionRulesSettings)
    redfish: RedfishSettings = field(default_factory=RedfishSettings)
    fake: FakeSettings = field(default_factory=FakeSettings)
    keystone_authtoken: KeystoneAuthtokenSettings = field(default_factory=KeystoneAuthtokenSettings)
    oslo_policy: PolicySettings = field(default_factory=PolicySettings)
    oslo_middleware: MiddlewareSettings = field(default_factory=MiddlewareSettings)
    sensor_data: SensorDataSettings = field(default_factory=SensorDataSettings)
    healthcheck: HealthcheckSettings = field(default_factory=HealthcheckSettings)
    metrics: MetricsSettings = field(default_factory=MetricsSettings)
    tracing: TracingSettings = field(default_factory=TracingSettings)
    cors: CorsSettings = field(default_factory=CorsSettings)
    audit: AuditSettings = field(default_factory=AuditSettings)
    database: DatabaseSettings = field(default_factory=DatabaseSettings)
