"""What each kind of interface can do: small protocols that drivers implement.

A driver is a record of thirteen of them; an interface that does not exist for a machine is a ``no-*``
implementation whose methods say ``Unsupported``. Errors are those of ``kernel.error``: ``InvalidValue`` for
bad ``driver_info`` (raised by ``validate``, which never talks to the machine), ``DeviceUnreachable`` (retry),
``DeviceRefused`` and ``DeadlineExceeded`` from the machine, ``Unsupported`` for what it cannot do.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from bessemer.domain.node import Node
from bessemer.domain.port import Port
from bessemer.domain.power import BootDevice, BootMode, PowerState, PowerTarget
from bessemer.domain.step import HardwareStep, StepKind
from bessemer.kernel.error import Unsupported

JsonObject = dict[str, Any]


class Task(Protocol):
    """One node in the hands of an interface."""

    @property
    def node(self) -> Node: ...
    @property
    def ports(self) -> Sequence[Port]: ...
    async def save(self, **changes: Any) -> None:
        """Change fields of the node, durably and fenced; ``node`` is fresh afterwards."""
        ...

    async def remember(self, **facts: Any) -> None:
        """Set keys of ``driver_internal_info`` (a value of None removes the key)."""
        ...


class Interface(Protocol):
    """Common to all kinds."""

    #: The name operators use in ``<kind>_interface`` and ``enabled_<kind>_interfaces``.
    name: str

    def properties(self) -> Mapping[str, str]:
        """``driver_info`` keys this implementation reads, each with a description."""
        ...

    def validate(self, task: Task) -> None:
        """Check the node's settings without touching the machine. Raises InvalidValue."""
        ...

    def steps(self, kind: StepKind) -> Sequence[HardwareStep]:
        """The steps this implementation offers; carried out by ``execute``."""
        ...

    async def execute(self, task: Task, step: HardwareStep) -> "InProgress | None":
        """Carry out one of ``steps()``. None: it is complete. InProgress: ask ``poll`` later."""
        ...

    async def poll(self, task: Task, step: HardwareStep) -> "InProgress | None":
        """Look how a step started earlier is doing, without side effects."""
        ...


@dataclass(frozen=True, slots=True)
class InProgress:
    percent: float | None = None
    text: str = ""
    poll_s: float = 5.0


class BareInterface:
    """What most implementations have in common: nothing to configure, nothing to check, no steps."""

    name: str = ""

    def properties(self) -> Mapping[str, str]:
        return {}

    def validate(self, task: Task) -> None:
        return None

    def steps(self, kind: StepKind) -> Sequence[HardwareStep]:
        return ()

    async def execute(self, task: Task, step: HardwareStep) -> InProgress | None:
        raise Unsupported(f"Interface '{self.name}' has no step {step.interface}.{step.step}.")

    async def poll(self, task: Task, step: HardwareStep) -> InProgress | None:
        return None


class PowerInterface(Interface, Protocol):
    #: Whether the reported power state can be trusted without asking twice (power sync uses it).
    supports_sync: bool

    def supported_targets(self, task: Task) -> Sequence[PowerTarget]: ...
    async def get_power_state(self, task: Task) -> PowerState: ...
    async def request_power(self, task: Task, target: PowerTarget) -> None:
        """Ask the machine to go to ``target`` and return when the request was accepted.

        Idempotent for ON, OFF and SOFT_OFF: a machine already there is left alone. REBOOT powers on a machine
        that was off. Waiting until the state is reached is the caller's work: it may take minutes.
        """
        ...


@dataclass(frozen=True, slots=True)
class EventTarget:
    """Where a machine is to post its events: ``url``. ``context`` is what the subscription is known by at the
    BMC; it says whose it is, and changes with the URL."""

    url: str
    context: str


#: Whether a subscription that a BMC has, known by its context and URL, is one of ours that nobody needs.
IsStale = Callable[[str, str], Awaitable[bool]]


class EventSource(Protocol):
    """Machines that tell of changes by themselves."""

    def access(self, node: Node) -> JsonObject:
        """What of ``driver_info`` is needed to take a subscription away when the node is gone."""
        ...

    def place(self, access: JsonObject) -> str:
        """Which BMC ``access`` leads to, whoever asks it and however it is verified. Raises InvalidValue."""
        ...

    async def subscribe(
        self, task: Task, target: EventTarget, known_path: str | None, is_stale: IsStale
    ) -> str:
        """Make sure that there is one subscription for ``target``, and none that is stale; its path.

        Idempotent. One that is at ``known_path`` is left alone, and costs one read.

        Raises:
            Unsupported: The machine tells nobody, or cannot reach ``target``.
            DeviceRefused: It has no room for one more, or does not take what we ask for.
        """
        ...

    async def send_test(self, task: Task) -> bool:
        """Ask for an event that means nothing; whether the machine can do so."""
        ...

    async def unsubscribe(self, access: JsonObject, path: str, context: str) -> None:
        """Take a subscription away. Idempotent; one that is somebody else's by now is left alone."""
        ...


class ManagementInterface(Interface, Protocol):
    @property
    def events(self) -> EventSource | None:
        """How to be told of changes; None for machines that are only asked."""
        ...

    def supported_boot_devices(self, task: Task) -> Sequence[BootDevice]: ...
    async def get_boot_device(self, task: Task) -> tuple[BootDevice | None, bool | None]:
        """The device and whether it is persistent."""
        ...

    async def set_boot_device(self, task: Task, device: BootDevice, *, persistent: bool) -> None: ...
    def supported_boot_modes(self, task: Task) -> Sequence[BootMode]: ...
    async def get_boot_mode(self, task: Task) -> BootMode | None: ...
    async def set_boot_mode(self, task: Task, mode: BootMode) -> None: ...
    async def get_secure_boot(self, task: Task) -> bool | None: ...
    async def set_secure_boot(self, task: Task, *, enabled: bool) -> None: ...
    async def inject_nmi(self, task: Task) -> None: ...
    async def get_sensors(self, task: Task) -> JsonObject: ...
    async def get_indicators(self, task: Task) -> Mapping[str, Mapping[str, JsonObject]]: ...
    async def get_indicator(self, task: Task, component: str, indicator: str) -> str: ...
    async def set_indicator(self, task: Task, component: str, indicator: str, state: str) -> None: ...
    async def detect_vendor(self, task: Task) -> str | None: ...
    async def get_mac_addresses(self, task: Task) -> Sequence[str]: ...
    async def get_health(self, task: Task) -> str | None: ...
    async def attach_virtual_media(self, task: Task, device: str, image_url: str) -> None: ...
    async def detach_virtual_media(self, task: Task, devices: Sequence[str] | None) -> None: ...
    async def get_virtual_media(self, task: Task) -> Sequence[JsonObject]: ...


@dataclass(frozen=True, slots=True)
class RamdiskBoot:
    """What the machine is to boot. URLs are as the BMC or the network card reaches them."""

    iso_url: str
    boot_mode: BootMode = BootMode.UEFI


class BootInterface(Interface, Protocol):
    async def prepare_ramdisk(self, task: Task, boot: RamdiskBoot) -> None:
        """Make the next boot, once, go into the ramdisk. Idempotent. The machine is off or will be reset."""
        ...

    async def clean_up_ramdisk(self, task: Task) -> None:
        """Take back what ``prepare_ramdisk`` left (media, boot override). Idempotent."""
        ...

    async def prepare_instance(self, task: Task) -> None:
        """Make every boot from now on go into the deployed instance. Idempotent."""
        ...

    async def clean_up_instance(self, task: Task) -> None: ...


class DeployInterface(Interface, Protocol):
    #: Whether deployment and cleaning boot the agent.
    needs_agent: bool
    #: Core steps of the deploy workflow (``deploy``, ``write_image``...) and their priorities.
    core_steps: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Inspection:
    """What inspection found: node properties to merge, MACs that become ports, and the whole inventory."""

    properties: JsonObject = field(default_factory=dict)
    macs: Sequence[str] = ()
    inventory: JsonObject = field(default_factory=dict)
    plugin_data: JsonObject = field(default_factory=dict)


class InspectInterface(Interface, Protocol):
    #: Whether ``inspect`` gives the answer itself (out of band) or an agent reports later.
    is_out_of_band: bool

    async def inspect(self, task: Task) -> Inspection: ...


class NetworkInterface(Interface, Protocol):
    """``purpose`` is one of provisioning, cleaning, rescuing, inspection, servicing. All are idempotent."""

    async def add_network(self, task: Task, purpose: str) -> None: ...
    async def remove_network(self, task: Task, purpose: str) -> None: ...
    async def configure_tenant_networks(self, task: Task) -> None: ...
    async def unconfigure_tenant_networks(self, task: Task) -> None: ...
    async def vif_attach(self, task: Task, vif: JsonObject) -> None: ...
    async def vif_detach(self, task: Task, vif_id: str) -> None: ...
    async def vif_list(self, task: Task) -> Sequence[JsonObject]: ...
    async def port_changed(self, task: Task, before: Port, after: Port) -> None: ...


class StorageInterface(Interface, Protocol):
    def should_write_image(self, task: Task) -> bool: ...
    async def attach_volumes(self, task: Task) -> None: ...
    async def detach_volumes(self, task: Task) -> None: ...


class BiosInterface(Interface, Protocol):
    """Steps ``apply_configuration`` (args settings: list of {name, value}) and ``factory_reset``."""

    async def get_settings(self, task: Task) -> Sequence[JsonObject]: ...


class FirmwareInterface(Interface, Protocol):
    """Step ``update`` (args settings: list of {component, url, wait?})."""

    async def get_components(self, task: Task) -> Sequence[JsonObject]: ...


class RaidInterface(Interface, Protocol):
    """Steps ``create_configuration``, ``delete_configuration``, ``apply_configuration``."""

    def logical_disk_properties(self) -> Mapping[str, str]: ...
    def validate_raid_config(self, task: Task, config: JsonObject) -> None: ...


class RescueInterface(Interface, Protocol):
    #: Whether the rescue ramdisk is the agent's. If so the workflow boots it and hands it the password, and
    #: these methods are not called.
    needs_agent: bool

    async def rescue(self, task: Task) -> None: ...
    async def unrescue(self, task: Task) -> None: ...
    async def clean_up(self, task: Task) -> None: ...


class ConsoleInterface(Interface, Protocol):
    async def start(self, task: Task) -> None: ...
    async def stop(self, task: Task) -> None: ...
    async def get_console(self, task: Task) -> JsonObject:
        """``{"type": ..., "url": ...}`` of the running console."""
        ...


@dataclass(frozen=True, slots=True)
class VendorMethod:
    """A passthru method as clients discover it."""

    http_methods: Sequence[str]
    is_async: bool = True
    description: str = ""
    attach: bool = False
    require_exclusive_lock: bool = True


class VendorInterface(Interface, Protocol):
    def methods(self) -> Mapping[str, VendorMethod]: ...
    def driver_methods(self) -> Mapping[str, VendorMethod]: ...
    async def call(self, task: Task, method: str, http_method: str, args: JsonObject) -> Any: ...
    async def call_driver(self, method: str, http_method: str, args: JsonObject) -> Any: ...
