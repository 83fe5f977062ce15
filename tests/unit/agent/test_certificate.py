import shutil
import ssl
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from bessemer_agent.certificate import make_certificate
from bessemer_agent.error import InvalidRequest

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")


def test_the_certificate_is_for_all_addresses_and_dated_back(tmp_path: Path) -> None:
    made = make_certificate(tmp_path / "tls", ["10.0.2.15", "fd00::5", "127.0.0.1", "agent.example"])
    certificate = x509.load_pem_x509_certificate(made.pem.encode())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(address) for address in names.get_values_for_type(x509.IPAddress)] == [
        "10.0.2.15",
        "fd00::5",
        "127.0.0.1",
    ]
    assert names.get_values_for_type(x509.DNSName) == ["agent.example"]
    age_s = (datetime.now(UTC) - certificate.not_valid_before_utc).total_seconds()
    assert 3590 < age_s < 3700
    assert certificate.not_valid_after_utc.timestamp() > time.time() + 80 * 86400
    key = certificate.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert key.curve.name == "secp384r1"
    assert made.pem.startswith("-----BEGIN CERTIFICATE-----")


def test_the_key_is_for_root_only(tmp_path: Path) -> None:
    made = make_certificate(tmp_path / "tls", ["10.0.0.1"], curve="p256")
    assert Path(made.key_path).stat().st_mode & 0o077 == 0
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(made.cert_path, made.key_path)


def test_making_one_again_replaces_it(tmp_path: Path) -> None:
    first = make_certificate(tmp_path / "tls", ["10.0.0.1"])
    second = make_certificate(tmp_path / "tls", ["10.0.0.1"])
    assert first.pem != second.pem
    assert Path(second.cert_path).read_text() == second.pem


def test_an_unknown_curve_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="p999"):
        make_certificate(tmp_path, ["10.0.0.1"], curve="p999")
