"""The certificate of a lab's BMCs."""

import ipaddress
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509

from bessemer_lab.bmc.certificate import ensure_certificate


def test_the_certificate_names_the_loopback_interface(tmp_path: Path) -> None:
    path, key = ensure_certificate(tmp_path)
    certificate = x509.load_pem_x509_certificate(path.read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert "localhost" in names.get_values_for_type(x509.DNSName)
    assert ipaddress.ip_address("127.0.0.1") in names.get_values_for_type(x509.IPAddress)
    assert certificate.not_valid_after_utc > datetime.now(UTC) + timedelta(days=30)
    assert stat.S_IMODE(key.stat().st_mode) == 0o600


def test_the_certificate_is_kept(tmp_path: Path) -> None:
    before = [path.read_bytes() for path in ensure_certificate(tmp_path)]
    assert [path.read_bytes() for path in ensure_certificate(tmp_path)] == before


def test_a_certificate_without_its_key_is_replaced(tmp_path: Path) -> None:
    path, key = ensure_certificate(tmp_path)
    before = path.read_bytes()
    key.unlink()
    ensure_certificate(tmp_path)
    assert path.read_bytes() != before
    assert key.exists()


def test_the_certificate_names_the_addresses_it_is_made_for(tmp_path: Path) -> None:
    path, _ = ensure_certificate(tmp_path, "fleet", is_authority=False, addresses=("127.1.0.1", "127.1.0.2"))
    certificate = x509.load_pem_x509_certificate(path.read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    named = {str(address) for address in names.get_values_for_type(x509.IPAddress)}
    assert named == {"127.0.0.1", "::1", "127.1.0.1", "127.1.0.2"}
