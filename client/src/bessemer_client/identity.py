"""Who we are to the service, as ``OS_*`` in the environment says.

Passwords and tokens are never taken from the command line, where every user of the machine would see them.
"""

import base64
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field


class BadIdentity(Exception):
    """The environment says something that cannot be used."""


@dataclass(frozen=True, slots=True)
class Identity:
    """``headers`` go with every request; ``tls`` says how the service is verified."""

    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    tls: ssl.SSLContext | bool = True


def read_identity(environment: Mapping[str, str]) -> Identity:
    """From ``OS_TOKEN``, or ``OS_USERNAME`` and ``OS_PASSWORD``; and ``OS_CACERT``, ``OS_INSECURE``.

    Raises:
        BadIdentity: Keystone would have to be asked first, or the CA file cannot be used.
    """
    return Identity(_headers(environment), _tls(environment))


def _headers(environment: Mapping[str, str]) -> dict[str, str]:
    if token := environment.get("OS_TOKEN"):
        return {"X-Auth-Token": token}
    user, password = environment.get("OS_USERNAME"), environment.get("OS_PASSWORD")
    kind = environment.get("OS_AUTH_TYPE", "")
    if (
        environment.get("OS_CLOUD")
        or kind not in ("", "none", "http_basic")
        or environment.get("OS_AUTH_URL")
    ):
        raise BadIdentity(
            "a token of Keystone is needed: export OS_TOKEN=$(openstack token issue -f value -c id)"
        )
    if kind == "none" or not user:
        return {}
    if password is None:
        raise BadIdentity("OS_USERNAME is set and OS_PASSWORD is not")
    encoded = base64.b64encode(f"{user}:{password}".encode()).decode()
    return {"Authorization": f"Basic {encoded}"}


def _tls(environment: Mapping[str, str]) -> ssl.SSLContext | bool:
    if environment.get("OS_INSECURE", "").lower() in ("1", "true", "yes"):
        return False
    if not (path := environment.get("OS_CACERT")):
        return True
    try:
        return ssl.create_default_context(cafile=path)
    except OSError as error:
        raise BadIdentity(f"OS_CACERT: {path} cannot be used: {error.strerror or error}") from error
