"""A throw-away certificate authority and server certificates signed by it, for upstreams on this machine."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LIFETIME = timedelta(days=7)
BACKDATED = timedelta(hours=1)
"""Clocks of clients may be behind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerCertificate:
    """Files of a server certificate: what `serve` takes, and the authority that clients must trust."""

    authority: Path
    certificate: Path
    key: Path

    @property
    def pair(self) -> tuple[Path, Path]:
        """Certificate chain and private key, PEM."""
        return self.certificate, self.key


def make_certificate(directory: Path, names: tuple[str, ...] = ("localhost", "127.0.0.1")) -> ServerCertificate:
    """Make an authority and a server certificate for DNS names and IP addresses; write three PEM files."""
    authority_key, key = _new_key(), _new_key()
    issuer = _named("Gatehold demo authority")
    authority = _builder(issuer, issuer, authority_key).add_extension(
        x509.BasicConstraints(ca=True, path_length=0), critical=True
    )
    authority = authority.add_extension(_key_usage(signs_certificates=True), critical=True)
    server = _builder(_named(names[0]), issuer, key).add_extension(_alternative_names(names), critical=False)
    server = server.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    server = server.add_extension(_key_usage(signs_certificates=False), critical=True)
    server = server.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    server = server.add_extension(
        x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False
    )
    signed = [builder.sign(authority_key, hashes.SHA256()) for builder in (authority, server)]
    return _write(directory, *signed, key=key)


def _write(
    directory: Path, authority: x509.Certificate, server: x509.Certificate, *, key: ec.EllipticCurvePrivateKey
) -> ServerCertificate:
    directory.mkdir(parents=True, exist_ok=True)
    files = ServerCertificate(
        authority=directory / "ca.pem", certificate=directory / "server.pem", key=directory / "server.key"
    )
    files.authority.write_bytes(authority.public_bytes(serialization.Encoding.PEM))
    files.certificate.write_bytes(server.public_bytes(serialization.Encoding.PEM))
    files.key.touch(mode=0o600)
    files.key.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return files


def _new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now - BACKDATED).not_valid_after(now + LIFETIME)
    return builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)


def _alternative_names(names: tuple[str, ...]) -> x509.SubjectAlternativeName:
    return x509.SubjectAlternativeName([_alternative_name(name) for name in names])


def _alternative_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )
