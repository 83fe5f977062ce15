"""How to reach one BMC: the ``redfish_*`` keys of a node's ``driver_info``, read and checked.

Source: v1 contract, driver_info of redfish.
"""

import ipaddress
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any
from urllib.parse import quote, urlsplit

from bessemer.config.settings import RedfishSettings
from bessemer.domain.node import Node
from bessemer.kernel.error import InvalidValue
from bessemer.kernel.secret import Secret
from bessemer.transfer.tls import TlsRules, read_verify
from bessemer.transfer.url import host_of

PROPERTIES: Mapping[str, str] = {
    "redfish_address": "URL of the BMC, https assumed; a path is that of the service root. Required.",
    "redfish_system_id": "Path of the system, as /redfish/v1/Systems/1. Needed where there are several.",
    "redfish_username": "User name at the BMC. Optional.",
    "redfish_password": "Password at the BMC. Optional.",
    "redfish_verify_ca": "Check of the BMC's certificate: true (default), false, or a CA file or directory.",
    "redfish_auth_type": "basic, session or auto. Optional, by default that of the configuration.",
    "redfish_tls_minimum_version": "Oldest TLS version to accept: 1.1, 1.2 or 1.3. Optional.",
    "redfish_tls_ciphers": "TLS ciphers to offer, as an OpenSSL cipher list. Optional.",
    "firmware_update_unresponsive_bmc_wait": "Seconds a BMC may be silent after a firmware update. Optional.",
}

#: The key that says how the BMC is verified, as messages name it.
VERIFY = "driver_info redfish_verify_ca"

_TLS_VERSIONS = {
    "1.1": ssl.TLSVersion.TLSv1_1,
    "1.2": ssl.TLSVersion.TLSv1_2,
    "1.3": ssl.TLSVersion.TLSv1_3,
}


class AuthType(StrEnum):
    BASIC = "basic"
    SESSION = "session"
    AUTO = "auto"


@dataclass(frozen=True, slots=True)
class Access:
    """Everything that makes two nodes share one connection, and which system of the BMC is meant."""

    #: Scheme, host and port, without a path.
    origin: str
    #: Path of the service root, with a slash at its end.
    root_path: str = "/redfish/v1/"
    system_path: str | None = None
    username: str | None = None
    password: Secret = Secret("")
    auth_type: AuthType = AuthType.AUTO
    tls: TlsRules = TlsRules()

    @property
    def is_secure(self) -> bool:
        return self.origin.startswith("https:")

    @property
    def endpoint(self) -> "Access":
        """The same BMC and account, whichever system: what a connection is kept for."""
        return Access(
            self.origin, self.root_path, None, self.username, self.password, self.auth_type, self.tls
        )


def read_access(node: Node, settings: RedfishSettings) -> Access:
    """The BMC of ``node``. Raises InvalidValue naming the key that is missing or malformed."""
    return read_access_info(node.driver_info, settings)


def read_access_info(info: Mapping[str, Any], settings: RedfishSettings) -> Access:
    """As ``read_access``, of a ``driver_info`` or what was kept of one."""
    values = [info.get(key) for key in PROPERTIES]
    try:
        return _read(settings.auth_type, *values)
    except TypeError:  # a list or an object, which no cache can hold
        return _read.__wrapped__(settings.auth_type, *values)


@lru_cache(maxsize=16384, typed=True)
def _read(default_auth_type: str, *values: Any) -> Access:
    """Read the values of ``PROPERTIES``. Kept, because power is read far more often than settings change."""
    info = dict(zip(PROPERTIES, values, strict=True))
    address = _text(info, "redfish_address")
    if not address:
        raise InvalidValue("driver_info lacks redfish_address.", hint="Set it to the URL of the node's BMC.")
    origin, root_path = _split_address(address)
    username = _text(info, "redfish_username")
    password = _text(info, "redfish_password")
    if password and not username:
        raise InvalidValue("driver_info has redfish_password without redfish_username.")
    auth_type = _auth_type(info, default_auth_type)
    if auth_type is AuthType.SESSION and not origin.startswith("https:"):
        raise InvalidValue("redfish_auth_type 'session' needs an https redfish_address.")
    if auth_type is AuthType.BASIC and ":" in (username or ""):
        raise InvalidValue("redfish_username cannot contain ':' with redfish_auth_type 'basic'.")
    _check_seconds(info, "firmware_update_unresponsive_bmc_wait")
    return Access(
        origin=origin,
        root_path=root_path,
        system_path=_system_path(info),
        username=username or None,
        password=Secret(password or ""),
        auth_type=auth_type,
        tls=TlsRules(_verify(info), _tls_minimum(info), _ciphers(info)),
    )


def _text(info: Mapping[str, Any], key: str) -> str | None:
    value = info.get(key)
    if value is not None and not isinstance(value, str):
        raise InvalidValue(f"driver_info {key} must be text.")
    return value


def _split_address(address: str) -> tuple[str, str]:
    """Origin and service root path. A bare IPv6 address gets its brackets."""
    if _is_ipv6(address):
        address = f"[{address}]"
    if "://" not in address:
        address = f"https://{address}"
    wrong = InvalidValue(
        f"driver_info redfish_address '{address}' is not the URL of a BMC.",
        hint="Write it as https://host, with a port or the path of the service root if they are unusual.",
    )
    try:
        parts = urlsplit(address)
        host, port = host_of(parts), parts.port
    except ValueError as error:
        raise wrong from error
    if parts.scheme not in ("http", "https") or not host or any(c.isspace() for c in address):
        raise wrong
    if parts.username is not None or parts.query or parts.fragment:
        raise InvalidValue(
            "driver_info redfish_address holds more than scheme, host, port and path.",
            hint="Put the account into redfish_username and redfish_password.",
        )
    host = f"[{host}]" if ":" in host else host
    origin = f"{parts.scheme}://{host}" + (f":{port}" if port is not None else "")
    path = parts.path.rstrip("/")
    return origin, f"{path}/" if path else "/redfish/v1/"


def _is_ipv6(text: str) -> bool:
    try:
        return ipaddress.ip_address(text).version == 6
    except ValueError:
        return False


def _system_path(info: Mapping[str, Any]) -> str | None:
    given = _text(info, "redfish_system_id")
    if not given:
        return None
    return quote(given if given.startswith("/") else f"/{given}", safe="/%:@!$&'()*+,;=~")


def _auth_type(info: Mapping[str, Any], default: str) -> AuthType:
    given = _text(info, "redfish_auth_type") or default
    try:
        return AuthType(given)
    except ValueError as error:
        raise InvalidValue(
            f"driver_info redfish_auth_type cannot be '{given}'.", hint=f"One of: {', '.join(AuthType)}."
        ) from error


def _verify(info: Mapping[str, Any]) -> bool | str:
    given = info["redfish_verify_ca"]
    return True if given is None else read_verify(given, VERIFY)


def _tls_minimum(info: Mapping[str, Any]) -> ssl.TLSVersion | None:
    given = _text(info, "redfish_tls_minimum_version")
    if not given:
        return None
    if given not in _TLS_VERSIONS:
        raise InvalidValue(
            f"driver_info redfish_tls_minimum_version cannot be '{given}'.",
            hint=f"One of: {', '.join(_TLS_VERSIONS)}.",
        )
    return _TLS_VERSIONS[given]


def _ciphers(info: Mapping[str, Any]) -> str | None:
    given = _text(info, "redfish_tls_ciphers")
    if given:
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).set_ciphers(given)
        except (ssl.SSLError, ValueError) as error:
            raise InvalidValue(
                f"driver_info redfish_tls_ciphers '{given}' is no OpenSSL cipher list."
            ) from error
    return given or None


def _check_seconds(info: Mapping[str, Any], key: str) -> None:
    value = info.get(key)
    if value is None:
        return
    try:
        seconds = int(value)
    except (TypeError, ValueError):
        seconds = -1
    if seconds < 0:
        raise InvalidValue(f"driver_info {key} must be a number of seconds.")
