"""The server certificate the agent makes for itself.

Self-signed, for the addresses it can be reached by; the service learns it from the heartbeat, which the token
authenticates, and trusts nothing else. Made by the ``openssl`` program: two short runs, against a library
of the size of the rest of the agent.

Source: RFC 5280; openssl-req(1), openssl-ca(1).
"""

import ipaddress
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from bessemer_agent.child import Run, run
from bessemer_agent.error import InvalidRequest

_TIMEOUT_S = 60.0
_LIFETIME_S = 90 * 24 * 3600
_CURVES = {"p256": "P-256", "p384": "P-384", "p521": "P-521"}
#: ``openssl ca`` can date a certificate back, ``openssl req`` cannot. CA:TRUE: it is its own issuer.
_CONFIG = """\
[req]
distinguished_name = name
prompt = no
[name]
commonName = {common_name}
[ca]
default_ca = agent
[agent]
database = {folder}/index.txt
new_certs_dir = {folder}
rand_serial = yes
default_md = sha384
policy = policy
x509_extensions = extensions
unique_subject = no
[policy]
commonName = supplied
[extensions]
basicConstraints = critical, CA:TRUE, pathlen:0
keyUsage = critical, digitalSignature, keyCertSign
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
subjectAltName = {names}
"""


class Certificate(NamedTuple):
    """A key and its certificate, in files."""

    cert_path: str
    key_path: str
    #: The certificate as text, for the heartbeat.
    pem: str


def make_certificate(
    folder: Path, hosts: Sequence[str], *, curve: str = "p384", clock_skew_s: int = 3600, run: Run = run
) -> Certificate:
    """Make a key and a certificate for ``hosts`` (addresses or names; the first is the subject).

    Args:
        folder: Where the files go; made if absent, readable by root only.
        hosts: At least one.
        curve: "p256", "p384" or "p521".
        clock_skew_s: Valid since so long ago, for services whose clock is behind.
        run: Runs openssl.

    Raises:
        InvalidRequest: The curve is unknown.
        ChildFailed: openssl failed.
    """
    if curve.lower() not in _CURVES:
        raise InvalidRequest(f"the curve {curve!r} is not one of {', '.join(_CURVES)}")
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    config, request = folder / "openssl.cnf", folder / "request.pem"
    cert, key = folder / "agent.crt", folder / "agent.key"
    (folder / "index.txt").write_text("")
    config.write_text(_CONFIG.format(folder=folder, common_name=hosts[0][:64], names=_list_names(hosts)))
    key.touch(mode=0o600)
    new_key = ["-newkey", "ec", "-pkeyopt", f"ec_paramgen_curve:{_CURVES[curve.lower()]}", "-nodes"]
    files = ["-config", str(config), "-out"]
    run(["openssl", "req", "-new", *new_key, "-keyout", str(key), *files, str(request)], timeout_s=_TIMEOUT_S)
    now = time.time()
    dates = ["-startdate", _stamp(now - clock_skew_s), "-enddate", _stamp(now + _LIFETIME_S)]
    sign = ["openssl", "ca", "-batch", "-notext", "-selfsign", "-keyfile", str(key), "-in", str(request)]
    run([*sign, *dates, *files, str(cert)], timeout_s=_TIMEOUT_S)
    return Certificate(str(cert), str(key), cert.read_text())


def _list_names(hosts: Sequence[str]) -> str:
    names = []
    for host in dict.fromkeys(hosts):
        try:
            names.append(f"IP:{ipaddress.ip_address(host.partition('%')[0])}")
        except ValueError:
            names.append(f"DNS:{host}")
    return ", ".join(names)


def _stamp(moment: float) -> str:
    return time.strftime("%Y%m%d%H%M%SZ", time.gmtime(moment))
