"""Throw-away authorities and certificates signed by them, for upstreams on this machine and for their clients."""

from collections.abc import Sequence
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


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientCertificate:
    """Files of a client certificate, by which a Kubernetes API server knows a user."""

    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientUser:
    """Whom a client certificate is for: its common name, its organizations."""

    name: str
    groups: tuple[str, ...] = ()


def make_client_certificates(directory: Path, users: Sequence[ClientUser]) -> tuple[Path, list[ClientCertificate]]:
    """Make an authority and a certificate for each user; gives the authority's file, and theirs in the same order."""
    directory.mkdir(parents=True, exist_ok=True)
    authority_key, issuer = _new_key(), _named("Gatehold demo clients")
    signed = [_client_certificate(user, issuer, authority_key) for user in users]
    authority = directory / "clients-ca.pem"
    authority.write_bytes(_authority(issuer, authority_key).public_bytes(serialization.Encoding.PEM))
    return authority, [_write_client(directory, number, *pair) for number, pair in enumerate(signed)]


def make_certificate(directory: Path, names: tuple[str, ...] = ("localhost", "127.0.0.1")) -> ServerCertificate:
    """Make an authority and a server certificate for DNS names and IP addresses; write three PEM files."""
    authority_key, key = _new_key(), _new_key()
    issuer = _named("Gatehold demo authority")
    authority = _authority(issuer, authority_key)
    server = _builder(_named(names[0]), issuer, key).add_extension(_alternative_names(names), critical=False)
    server = server.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    server = server.add_extension(_key_usage(signs_certificates=False), critical=True)
    server = server.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    server = server.add_extension(
        x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False
    )
    return _write(directory, authority, server.sign(authority_key, hashes.SHA256()), key=key)


def _authority(issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    authority = _builder(issuer, issuer, key).add_extension(
        x509.BasicConstraints(ca=True, path_length=0), critical=True
    )
    authority = authority.add_extension(_key_usage(signs_certificates=True), critical=True)
    return authority.sign(key, hashes.SHA256())


def _client_certificate(
    user: ClientUser, issuer: x509.Name, authority_key: ec.EllipticCurvePrivateKey
) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    key = _new_key()
    parts = [x509.NameAttribute(NameOID.COMMON_NAME, user.name)]
    parts += [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in user.groups]
    client = _builder(x509.Name(parts), issuer, key)
    client = client.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    client = client.add_extension(_key_usage(signs_certificates=False), critical=True)
    client = client.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
    signer = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key())
    return client.add_extension(signer, critical=False).sign(authority_key, hashes.SHA256()), key


def _write_client(
    directory: Path, number: int, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey
) -> ClientCertificate:
    files = ClientCertificate(certificate=directory / f"client-{number}.pem", key=directory / f"client-{number}.key")
    files.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    _write_key(files.key, key)
    return files


def _write(
    directory: Path, authority: x509.Certificate, server: x509.Certificate, *, key: ec.EllipticCurvePrivateKey
) -> ServerCertificate:
    directory.mkdir(parents=True, exist_ok=True)
    files = ServerCertificate(
        authority=directory / "ca.pem", certificate=directory / "server.pem", key=directory / "server.key"
    )
    files.authority.write_bytes(authority.public_bytes(serialization.Encoding.PEM))
    files.certificate.write_bytes(server.public_bytes(serialization.Encoding.PEM))
    _write_key(files.key, key)
    return files


def _write_key(file: Path, key: ec.EllipticCurvePrivateKey) -> None:
    file.touch(mode=0o600)
    file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )


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
