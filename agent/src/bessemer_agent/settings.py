"""What the agent was told at boot: kernel parameters, overridden by configuration found on virtual media.

Names are those of ironic-python-agent, so that boot templates and ISOs made for it work: an option
``api_url`` is the kernel parameter ``ipa-api-url`` and the line ``api_url = ...`` under ``[DEFAULT]`` of a
``*.conf`` file.

Source: ironic-python-agent's option reference.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from bessemer_agent.error import AgentError
from bessemer_agent.journal import say
from bessemer_agent.secret import Secret

#: Kernel parameters whose name does not follow from the option's.
_KERNEL_NAMES = {
    "ip_lookup_sleep": "ipa-ip-lookup-timeout",
    "boot_method": "boot_method",
    "boot_mac": "BOOTIF",
}
_TRUE = {"1", "true", "yes", "on", "t", "y"}
_FALSE = {"0", "false", "no", "off", "f", "n", ""}


class InvalidSetting(AgentError):
    """A boot parameter is not valid."""

    code = 400


class Settings(NamedTuple):
    """Every option understood; the rest of ironic-python-agent's are ignored."""

    #: URL of the service, or several separated by commas, tried in turn.
    api_url: str | None = None
    #: The token both sides share; from virtual media, else handed out by lookup.
    agent_token: Secret | None = None
    #: The node this machine is, where the medium says so: no port needs to be known for lookup then.
    node_uuid: str | None = None
    #: Refuse to work without a token even if the service does not ask for one.
    agent_token_required: bool = False
    #: Sent as ``X-OpenStack-Request-ID`` to the service.
    global_request_id: str | None = None
    debug: bool = False
    #: Address and port the command API listens on; all addresses when None.
    listen_host: str | None = None
    listen_port: int = 9999
    #: Address, port and scheme told to the service; found out, ``listen_port`` and https when None.
    advertise_host: str | None = None
    advertise_port: int | None = None
    advertise_protocol: str | None = None
    #: How often, and after how many seconds each, to look for the address that leads to the service.
    ip_lookup_attempts: int = 6
    ip_lookup_sleep: float = 10.0
    #: Only this interface's address is told to the service.
    network_interface: str | None = None
    #: Seconds until a lookup that never succeeds ends the agent, and the least pause between two.
    lookup_timeout: float = 600.0
    lookup_interval: float = 1.0
    #: Seconds to wait before anything else, for slow hardware.
    hardware_initialization_delay: float = 0.0
    #: Where to report what the machine is made of, when it was booted for that; what else to send ("logs").
    inspection_callback_url: str | None = None
    inspection_collectors: str = "default"
    #: How often, and after how many seconds each, to look for a first disk.
    disk_wait_attempts: int = 10
    disk_wait_delay: float = 3.0
    #: Do not verify the service's and the image servers' certificates.
    insecure: bool = False
    #: File of certificates to verify them with; the ramdisk's own bundle when None.
    cafile: str | None = None
    #: Seconds for one HTTP request to the service.
    http_request_timeout: float = 30.0
    #: Seconds without a byte after which a download is taken up again, how often, and after what pause.
    image_download_connection_timeout: float = 60.0
    image_download_connection_retries: int = 9
    image_download_connection_retry_interval: float = 10.0
    #: Seconds a whole download may take; 0 is unlimited.
    image_download_max_duration: float = 0.0
    #: The service's API version, when it must not be asked.
    ironic_api_version: str | None = None
    #: Refuse to erase disks that hold a shared cluster file system.
    guard_special_filesystems: bool = True
    #: TLS of the command API, unless the service says otherwise at lookup.
    tls_min_version: str = "1.2"
    tls_cipher_suites: str | None = None
    tls_certificate_curve: str = "p384"
    #: Seconds the certificate is valid before now, for machines whose clocks differ.
    auto_tls_allowed_clock_skew: int = 3600
    #: Make a certificate and serve HTTPS (when the service is new enough to verify it).
    enable_auto_tls: bool = True
    #: "vmedia" when the machine was booted from virtual media.
    boot_method: str | None = None
    #: MAC address of the interface the firmware booted from, as pxelinux writes it.
    boot_mac: str | None = None

    @property
    def api_urls(self) -> list[str]:
        """The service's URLs without trailing slash.

        Raises:
            InvalidSetting: None is given, or one is not http(s); multicast DNS is not supported.
        """
        urls = [url.strip().rstrip("/") for url in (self.api_url or "").split(",") if url.strip()]
        if not urls:
            raise InvalidSetting("ipa-api-url is not set, so there is no service to work for")
        for url in urls:
            if not url.startswith(("http://", "https://")):
                raise InvalidSetting(f"ipa-api-url must be http:// or https://, not {url!r}")
        return urls


def parse_command_line(text: str) -> dict[str, str]:
    """``key=value`` words of a kernel command line; double quotes keep blanks together, the last one wins."""
    words, word, is_quoted = [], "", False
    for char in text.strip():
        if char == '"':
            is_quoted = not is_quoted
        elif char.isspace() and not is_quoted:
            words.append(word)
            word = ""
        else:
            word += char
    return dict(part.split("=", 1) for part in [*words, word] if "=" in part)


def parse_config_text(text: str, origin: str) -> dict[str, str]:
    """The ``[DEFAULT]`` section of an INI file, dashes in names as underscores.

    Raises:
        InvalidSetting: The file is not INI; ``origin`` names it.
    """
    import configparser

    parser = configparser.ConfigParser(interpolation=None, strict=False, default_section="DEFAULT")
    try:
        parser.read_string(text, source=origin)
    except configparser.Error as error:
        # The parser's message quotes the offending line, which may hold the token.
        raise InvalidSetting(f"{origin} is not an INI file ({type(error).__name__})") from None
    return {name.replace("-", "_"): value for name, value in parser.defaults().items()}


def build_settings(kernel: Mapping[str, str], config: Mapping[str, str]) -> Settings:
    """Settings from kernel parameters and configuration, the latter winning.

    Raises:
        InvalidSetting: A value is not of its option's kind.
    """
    values: dict[str, object] = {}
    for name, default in Settings._field_defaults.items():
        parameter = _KERNEL_NAMES.get(name) or "ipa-" + name.replace("_", "-")
        text = config.get(name, kernel.get(parameter))
        if text is not None:
            values[name] = _convert(name, text.strip(), default)
    unknown = sorted(set(config) - set(Settings._fields))
    if unknown:
        say("options on virtual media that mean nothing here", options=",".join(unknown))
    return Settings(**values)  # type: ignore[arg-type]


def read_kernel_parameters(root: Path = Path("/")) -> dict[str, str]:
    """The running kernel's parameters."""
    return parse_command_line((root / "proc/cmdline").read_text())


def _convert(name: str, text: str, default: object) -> object:
    if name == "agent_token":
        return Secret(text) if text else None
    try:
        if isinstance(default, bool):
            return _to_bool(text)
        if isinstance(default, int) or name == "advertise_port":
            return int(text)
        if isinstance(default, float):
            return float(text)
    except ValueError:
        raise InvalidSetting(f"{name} cannot be {text!r}") from None
    return text or default


def _to_bool(text: str) -> bool:
    if text.lower() in _TRUE:
        return True
    if text.lower() in _FALSE:
        return False
    raise ValueError(text)
