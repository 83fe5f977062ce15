"""TLS contexts for BMCs, made once per set of rules: loading the system's CAs costs more than a request."""

import ssl
from functools import lru_cache
from pathlib import Path

from bessemer.hardware.redfish.access import TlsRules
from bessemer.kernel.error import InvalidValue


@lru_cache(maxsize=256)
def tls_context(rules: TlsRules) -> ssl.SSLContext:
    """The context for ``rules``. Raises InvalidValue when its CA file cannot be used."""
    if isinstance(rules.verify, str):
        place = Path(rules.verify)
        try:
            context = ssl.create_default_context(
                cafile=None if place.is_dir() else rules.verify,
                capath=rules.verify if place.is_dir() else None,
            )
        except (OSError, ssl.SSLError) as error:
            raise InvalidValue(f"driver_info redfish_verify_ca: no CA certificates in '{place}'.") from error
    else:
        context = ssl.create_default_context()
        if not rules.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
    if rules.minimum is not None:
        context.minimum_version = rules.minimum
    if rules.ciphers:
        context.set_ciphers(rules.ciphers)
    return context
