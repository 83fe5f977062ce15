"""TLS of our own API: a modern context, and its certificate read again when the files change."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path

import structlog

from bessemer.config.load import BadSettings
from bessemer.config.settings import ApiSettings

log = structlog.get_logger(__name__)

_LOOK_S = 10.0
#: Forward secrecy and authenticated encryption only; TLS 1.3 chooses for itself.
#: Source: RFC 9325, section 4.2.
_CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"


class ServerCertificate:
    """Certificate and key of the API. A renewed pair is used for new connections, without a restart."""

    def __init__(self, certificate: Path, key: Path) -> None:
        """Raises BadSettings when the pair cannot be used."""
        self._certificate = certificate
        self._key = key
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        self.context.set_ciphers(_CIPHERS)
        self.context.options |= ssl.OP_NO_RENEGOTIATION
        try:
            self._seen = self._stamp()
            self._load(self.context)
        except (OSError, ssl.SSLError) as error:
            raise BadSettings(f"[api]cert_file and key_file cannot be used: {error}.") from error

    async def run(self, pause: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        """Look for a renewed pair until cancelled."""
        while True:
            await pause(_LOOK_S)
            self.refresh()

    def refresh(self) -> bool:
        """Take a changed pair into use; whether that happened. A pair that does not fit together is left
        alone until it changes again: files are rarely replaced both at the same instant."""
        try:
            stamp = self._stamp()
            if stamp == self._seen:
                return False
            # Tried aside first: a failure half way would leave the context with a key that does not match.
            self._load(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
            self._load(self.context)
        except (OSError, ssl.SSLError) as error:
            log.warning("renewed API certificate cannot be used; the old one stays", error=str(error))
            return False
        self._seen = stamp
        log.info("renewed API certificate in use", file=str(self._certificate))
        return True

    def _load(self, context: ssl.SSLContext) -> None:
        context.load_cert_chain(self._certificate, self._key, password=_no_passphrase)

    def _stamp(self) -> tuple[int, ...]:
        found = [path.stat() for path in (self._certificate, self._key)]
        return tuple(part for one in found for part in (one.st_ino, one.st_size, one.st_mtime_ns))


def find_certificate(settings: ApiSettings) -> ServerCertificate | None:
    """The configured certificate; None when the API is to speak plain HTTP. Raises BadSettings."""
    if not settings.enable_ssl_api:
        return None
    if not settings.cert_file or not settings.key_file:
        raise BadSettings("[api]enable_ssl_api needs cert_file and key_file.")
    return ServerCertificate(Path(settings.cert_file), Path(settings.key_file))


def own_url(settings: ApiSettings) -> str:
    """Where this API is reached, as far as we know."""
    scheme = "https" if settings.enable_ssl_api else "http"
    host = f"[{settings.host_ip}]" if ":" in settings.host_ip else settings.host_ip
    return settings.public_endpoint or f"{scheme}://{host}:{settings.port}"


def _no_passphrase() -> str:
    # Without this, OpenSSL would ask on the terminal, and the service would hang.
    raise ssl.SSLError("the key is protected by a passphrase")
