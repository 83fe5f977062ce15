"""The agent's life: read what it was told, find its node, serve commands, beat.

Everything is built here and handed on; nothing else reads the kernel's parameters or knows where files are.
"""

import ssl
import threading
import time
from pathlib import Path

from bessemer_agent.address import build_callback, own_addresses, wait_for_address
from bessemer_agent.certificate import Certificate, make_certificate
from bessemer_agent.child import Run, run
from bessemer_agent.context import Context, build_machine
from bessemer_agent.error import AgentError, LookupFailed
from bessemer_agent.heartbeat import Heartbeat
from bessemer_agent.http_client import HttpClient
from bessemer_agent.inventory.nic import list_macs
from bessemer_agent.journal import say
from bessemer_agent.life import FOLDER, Life, load_life, save_life
from bessemer_agent.lookup import LookupLoop
from bessemer_agent.registry import Registry
from bessemer_agent.server import AgentServer, build_tls
from bessemer_agent.service_api import Found, ServiceApi
from bessemer_agent.settings import Settings, build_settings, read_kernel_parameters
from bessemer_agent.version import AGENT_VERSION
from bessemer_agent.virtual_media import load_configuration

#: Used when the service does not say after how long it gives an agent up.
_HEARTBEAT_TIMEOUT_S = 300.0
_SETTLE_S = 30


def main(root: Path = Path("/")) -> int:
    """Run the agent until the machine ends; the exit status otherwise, which makes init start it again."""
    say("starting", version=AGENT_VERSION)
    try:
        settle_devices(root)
        kernel = read_kernel_parameters(root)
        settings = build_settings(kernel, load_configuration(kernel.get("boot_method"), root))
        run_agent(settings, root / FOLDER)
    except AgentError as error:
        say("ended", why=error.to_result()["message"])
        return 1
    except OSError as error:
        say("ended", why=f"{type(error).__name__}: {error}")
        return 1
    return 0


def settle_devices(root: Path, run: Run = run) -> None:
    """Wait until udev has found the devices the kernel started with; at once where there is no udev.

    Here rather than in init, so that finding devices and loading this program overlap.

    Raises:
        ChildFailed: udev does not answer at all.
    """
    if (root / "run/udev/control").exists():
        run(["udevadm", "settle", f"--timeout={_SETTLE_S}"], timeout_s=_SETTLE_S + 10, check=False)


def run_agent(settings: Settings, folder: Path) -> None:
    """Find the node, then serve until the machine ends; what must survive a restart is kept in ``folder``.

    Raises:
        InvalidSetting: A boot parameter is missing or wrong.
        LookupFailed: No service knows this machine, or it has no token for us any more.
        InspectionFailed: The machine was booted to be inspected, and nobody takes the report.
    """
    if settings.hardware_initialization_delay:
        time.sleep(settings.hardware_initialization_delay)
    services = _build_services(settings)
    life = load_life(folder)
    context = Context(settings, build_machine(settings))
    address = wait_for_address(settings, services[0].url) or "127.0.0.1"
    hosts = [settings.advertise_host or address, address, *own_addresses()]
    maker = _CertificateMaker(settings, folder / "tls", hosts)
    if settings.inspection_callback_url and not life.has_reported:
        life = _inspect(context, services[0], life, folder)
    loop = LookupLoop(services, timeout_s=settings.lookup_timeout, interval_s=settings.lookup_interval)
    service, found = loop.run(list_macs, life.node_uuid or settings.node_uuid)
    _adopt(context, found, life)
    save_life(Life(str(found.node["uuid"]), context.token, life.has_reported), folder)
    say("found", node=context.node["uuid"], service=service.url, api_version=service.version)
    is_tls = settings.enable_auto_tls and service.is_tls_verified
    _serve(context, service, maker.get() if is_tls else None, address)


def _build_services(settings: Settings) -> list[ServiceApi]:
    client = HttpClient(settings.http_request_timeout, settings.cafile, settings.insecure)
    return [
        ServiceApi(url, client, settings.ironic_api_version, settings.global_request_id)
        for url in settings.api_urls
    ]


def _inspect(context: Context, service: ServiceApi, life: Life, folder: Path) -> Life:
    """Report what the machine is made of; what is known by then, also for a later run of this boot.

    Raises:
        InspectionFailed: The service did not take the report.
    """
    from bessemer_agent.inspection import collect_report, send_report

    settings = context.settings
    answered = send_report(
        service,
        settings.inspection_callback_url or "",
        collect_report(context),
        life.node_uuid or settings.node_uuid,
        timeout_s=settings.lookup_timeout,
    )
    say("inspection reported", node=answered.node_uuid)
    life = Life(answered.node_uuid or life.node_uuid, answered.token or life.token, has_reported=True)
    save_life(life, folder)
    return life


def _adopt(context: Context, found: Found, life: Life) -> None:
    """Take over what lookup told.

    A token given at boot is never told by lookup and so comes first; one that lookup tells was made just
    now and replaces that of an earlier run.
    """
    context.node, context.config = found.node, found.config
    context.token = context.settings.agent_token or found.token or life.token
    is_required = found.config.get("agent_token_required") or context.settings.agent_token_required
    if context.token is None and is_required:
        why = (
            "it was given to another agent before; power-cycle the machine"
            if found.is_token_given_away
            else ""
        )
        raise LookupFailed(f"the service has no agent token for this machine: {why}".rstrip(": "))


def _serve(context: Context, service: ServiceApi, certificate: Certificate | None, address: str) -> None:
    settings, config = context.settings, context.config
    tls: ssl.SSLContext | None = None
    if certificate:
        least = str(config.get("tls_min_version") or settings.tls_min_version)
        ciphers = config.get("tls_cipher_suites") or settings.tls_cipher_suites
        tls = build_tls(certificate.cert_path, certificate.key_path, least, ciphers)
    callback = build_callback(settings, address, tls is not None)
    pem = certificate.pem if certificate else None
    node_uuid = str(context.node["uuid"])
    heartbeat = Heartbeat(
        lambda: service.heartbeat(node_uuid, callback.url, context.token, pem),
        float(config.get("heartbeat_timeout") or _HEARTBEAT_TIMEOUT_S),
    )
    registry = Registry(context, on_done=heartbeat.force)
    server = AgentServer((settings.listen_host, settings.listen_port), context, registry, tls)
    say("serving commands", port=server.server_port, callback=callback.url)
    threading.Thread(target=heartbeat.run, name="heartbeat", daemon=True).start()
    server.serve_forever()


class _CertificateMaker:
    """Makes the certificate while lookup waits for the service."""

    def __init__(self, settings: Settings, folder: Path, hosts: list[str]) -> None:
        self._settings = settings
        self._folder = folder
        self._hosts = hosts
        self._made: Certificate | None = None
        self._failure: AgentError | None = None
        self._thread: threading.Thread | None = None
        if settings.enable_auto_tls:
            self._thread = threading.Thread(target=self._make, name="certificate", daemon=True)
            self._thread.start()

    def get(self) -> Certificate | None:
        """The certificate, waited for.

        Raises:
            AgentError: It could not be made.
        """
        if self._thread:
            self._thread.join()
        if self._failure:
            raise self._failure
        return self._made

    def _make(self) -> None:
        try:
            self._made = make_certificate(
                self._folder,
                self._hosts,
                curve=self._settings.tls_certificate_curve,
                clock_skew_s=self._settings.auto_tls_allowed_clock_skew,
            )
        except AgentError as error:
            self._failure = error
