"""Which strategy authenticates callers: ``[DEFAULT]auth_strategy``."""

import ipaddress
from pathlib import Path

import structlog

from bessemer.api.authentication.http_basic.password_file import PasswordFile
from bessemer.api.authentication.http_basic.throttle import Throttle
from bessemer.api.authentication.http_basic.validator import BasicAuthentication
from bessemer.api.authentication.keystone.server import KeystoneServer
from bessemer.api.authentication.keystone.validator import KeystoneAuthentication
from bessemer.api.authentication.noauth import NoAuthentication
from bessemer.api.authentication.proof import Authentication
from bessemer.config.load import BadSettings
from bessemer.config.settings import Settings

log = structlog.get_logger(__name__)


def open_authentication(settings: Settings) -> Authentication:
    """The configured strategy, ready for use; close it at the end.

    Raises:
        BadSettings: No such strategy, or its settings or files cannot be used.
    """
    strategy = settings.default.auth_strategy
    if strategy == "noauth":
        if not _is_loopback(settings.api.host_ip):
            log.warning(
                "nobody is authenticated, and the API listens beyond this machine: everybody who reaches it"
                " controls the hardware",
                host_ip=settings.api.host_ip,
                option="[DEFAULT]auth_strategy",
            )
        return NoAuthentication()
    if strategy == "http_basic":
        if not settings.api.enable_ssl_api and not _is_loopback(settings.api.host_ip):
            log.warning(
                "passwords travel in the clear, unless a proxy in front of the API speaks TLS",
                host_ip=settings.api.host_ip,
                option="[api]enable_ssl_api",
            )
        file = PasswordFile(Path(settings.default.http_basic_auth_user_file))
        return BasicAuthentication(file, Throttle())
    if strategy == "keystone":
        ours = settings.keystone_authtoken
        return KeystoneAuthentication(ours, KeystoneServer(ours))
    raise BadSettings(
        f"[DEFAULT]auth_strategy cannot be '{strategy}'.", hint="One of: noauth, http_basic, keystone."
    )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
