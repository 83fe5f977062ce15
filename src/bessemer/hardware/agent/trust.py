"""Whether an agent is the one we know: TLS contexts from the certificate it sent with its heartbeat.

Source: agent API, "tls".
"""

import ssl
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING

from bessemer.config.settings import AgentSettings
from bessemer.domain.node import Node
from bessemer.hardware.agent.failure import AgentRefused
from bessemer.transfer.tls import OLDEST, TlsRules, client_context, read_verify

if TYPE_CHECKING:
    from cryptography import x509

_VERIFY = "agent_verify_ca"
#: Nodes whose context is kept; the connections of a node live as long as its context.
_MOST = 4096
#: A ramdisk that was not called for this long is gone, or can be known anew: a context takes 13 KiB.
IDLE_S = 900.0


@dataclass(frozen=True, slots=True)
class _Pin:
    pem: str
    context: ssl.SSLContext
    used_at: float


class AgentTrust:
    """Contexts by node, made anew when the node's agent sends another certificate. ``now`` is a steady clock,
    in seconds."""

    def __init__(self, settings: AgentSettings, *, now: Callable[[], float] = monotonic) -> None:
        self._settings = settings
        self._now = now
        #: The longest unused first.
        self._pinned: OrderedDict[str, _Pin] = OrderedDict()

    def context_for(self, node: Node) -> ssl.SSLContext:
        """How to verify the agent of ``node``.

        Raises:
            AgentRefused: The agent sent something that is no certificate.
            InvalidValue: ``agent_verify_ca`` of driver_info or configuration cannot be used.
        """
        pem = node.driver_internal_info.get("agent_verify_ca")
        if isinstance(pem, str) and pem:
            return self._pin(node.uuid, pem)
        verify = read_verify(node.driver_info.get("agent_verify_ca", self._settings.verify_ca), _VERIFY)
        return client_context(TlsRules(verify), _VERIFY)

    def _pin(self, node_uuid: str, pem: str) -> ssl.SSLContext:
        known, now = self._pinned.get(node_uuid), self._now()
        context = known.context if known is not None and known.pem == pem else _pinned_context(pem)
        self._pinned[node_uuid] = _Pin(pem, context, now)
        self._pinned.move_to_end(node_uuid)
        while len(self._pinned) > _MOST or next(iter(self._pinned.values())).used_at < now - IDLE_S:
            self._pinned.popitem(last=False)
        return context


def _pinned_context(pem: str) -> ssl.SSLContext:
    """Trust this certificate and nothing else.

    A certificate that cannot sign others is the agent itself, under whatever address it is reached (it may
    sit behind address translation); under a CA the address has to match as well.
    """
    from cryptography import x509  # loaded with the first agent that sends one

    try:
        certificates = x509.load_pem_x509_certificates(pem.encode())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(cadata=pem)
    except (TypeError, ValueError, ssl.SSLError) as error:
        raise AgentRefused("The certificate that the agent sent cannot be read.") from error
    context.minimum_version = OLDEST
    context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
    context.check_hostname = len(certificates) > 1 or _is_ca(certificates[0])
    return context


def _is_ca(certificate: "x509.Certificate") -> bool:
    from cryptography import x509

    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False
