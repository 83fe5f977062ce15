"""The self-signed certificates of a lab's BMCs and simulated agents."""

import ipaddress
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from bessemer_lab.record import write_private

_LIFETIME = timedelta(days=365)
_MARGIN = timedelta(days=7)


def ensure_certificate(
    directory: Path, name: str = "bmc", *, is_authority: bool = True, addresses: Sequence[str] = ()
) -> tuple[Path, Path]:
    """The paths of the certificate and its key, made anew when they are missing or about to expire.

    A client verifies a BMC by trusting the certificate's file; it names localhost, 127.0.0.1 and ::1, and
    those ``addresses`` (IP) when it is made. One that is no authority stands for itself alone, as those that
    agents make.
    """
    certificate, key = directory / f"{name}.crt", directory / f"{name}.key"
    if not (certificate.exists() and key.exists() and _is_fresh(certificate)):
        certificate.unlink(missing_ok=True)  # never an old certificate beside a new key
        private = ec.generate_private_key(ec.SECP256R1())
        key_text = private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        write_private(key, key_text.decode())
        certificate.write_bytes(
            _sign(private, addresses, is_authority=is_authority).public_bytes(serialization.Encoding.PEM)
        )
    return certificate, key


def _is_fresh(path: Path) -> bool:
    certificate = x509.load_pem_x509_certificate(path.read_bytes())
    return certificate.not_valid_after_utc - _MARGIN > datetime.now(UTC)


def _sign(
    key: ec.EllipticCurvePrivateKey, addresses: Sequence[str], *, is_authority: bool
) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Bessemer lab BMC")])
    named = [x509.IPAddress(ipaddress.ip_address(text)) for text in ("127.0.0.1", "::1", *addresses)]
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=is_authority,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    public = key.public_key()
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + _LIFETIME)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost"), *named]), critical=False)
        .add_extension(
            x509.BasicConstraints(ca=is_authority, path_length=0 if is_authority else None), critical=True
        )
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(public), critical=False)
        .sign(key, hashes.SHA256())
    )
