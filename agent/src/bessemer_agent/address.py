"""The address the service can reach this agent by."""

import socket
import time
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import urlsplit

from bessemer_agent.inventory.nic import find_ipv4, find_ipv6, list_nics
from bessemer_agent.journal import say
from bessemer_agent.settings import Settings

#: Seconds between two looks.
_LOOK_S = 0.25


class Callback(NamedTuple):
    """Where the command API is, as the service is told."""

    scheme: str
    host: str
    port: int

    @property
    def url(self) -> str:
        """``https://host:port``; IPv6 addresses in brackets."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"


def find_source_address(url: str) -> str | None:
    """The address packets to the URL's host would leave from; None without route or name. Sends nothing."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        candidates = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_DGRAM)
    except OSError:
        return None
    for family, kind, _, _, address in candidates:
        with socket.socket(family, kind) as probe:
            try:
                probe.connect(address)
            except OSError:
                continue
            found = str(probe.getsockname()[0]).partition("%")[0]
            if not is_unusable(found):
                return found
    return None


def is_unusable(address: str) -> bool:
    """Whether an address means nothing to another machine: unset, or link-local."""
    return address in ("0.0.0.0", "::") or address.lower().startswith(("fe80:", "169.254."))  # noqa: S104


def wait_for_address(settings: Settings, url: str, pause: Callable[[float], None] = time.sleep) -> str | None:
    """The agent's own address towards the service, waited for while the network comes up.

    Waits ``ip_lookup_attempts`` times ``ip_lookup_sleep`` seconds at most, looking more often than that: DHCP
    usually answers while this program starts. Link-local addresses are the last resort. None when there is
    nothing at all.
    """
    for attempt in range(settings.ip_lookup_attempts):
        for _ in range(max(1, round(settings.ip_lookup_sleep / _LOOK_S))):
            found = _find_address(settings.network_interface, url)
            if found:
                return found
            pause(_LOOK_S)
        say("no address that leads to the service yet", attempt=attempt + 1)
    return next(iter(own_addresses()), None)


def _find_address(interface: str | None, url: str) -> str | None:
    if interface:
        return find_ipv4(interface) or find_ipv6(interface)
    return find_source_address(url)


def own_addresses() -> list[str]:
    """All addresses of the physical interfaces."""
    return [address for nic in list_nics() for address in (nic.ipv4_address, nic.ipv6_address) if address]


def build_callback(settings: Settings, address: str, is_tls: bool) -> Callback:
    """What to tell the service; an address or port given by the operator or service comes first.

    The scheme given counts only without TLS: behind a proxy that adds it, say.
    """
    scheme = "https" if is_tls else settings.advertise_protocol or "http"
    return Callback(
        scheme, settings.advertise_host or address, settings.advertise_port or settings.listen_port
    )
