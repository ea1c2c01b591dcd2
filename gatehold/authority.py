"""The gateway's own certificate authority, for the TLS that agents speak with it.

Agents trust ``ca.pem`` and nothing else of ours. It is made once under ``dataDir/ca``, lives two years, may sign server
certificates only (path length 0, RFC 5280, 4.2.1.9), and can be held to some domains by name constraints (4.2.1.10).
Leaf certificates live a week on a key of their own that exists in memory only; the CA's key signs, and does nothing
else. Everything is EC P-256: every client in use reads it, and signing costs a fraction of RSA.

The directory appears whole or not at all; a half of it that somebody left there is never repaired or replaced.
"""

import fcntl
import ipaddress
import os
import re
import secrets
import shutil
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from policy.errors import ConfigurationError
from policy.model import Problem

CA_LIFETIME = timedelta(days=730)
LEAF_LIFETIME = timedelta(days=7)
LEAF_MARGIN = timedelta(days=2)
"""What a leaf certificate must still have left to be handed out; connections may last for days."""
BACKDATE = timedelta(hours=24)
"""Clocks of agents may be behind by this much."""
CACHE_SIZE = 1024
MAX_NAMES = 100

_LABEL = r"(?!-)[a-z0-9_-]{1,63}(?<!-)"
_HOST = re.compile(rf"(?=.{{1,253}}\Z)(?:{_LABEL}\.)*(?![0-9]+\Z|0x[0-9a-f]*\Z){_LABEL}")
_LEAF_SUBJECT = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Gatehold")])
"""No common name: clients would read it as one more DNS name."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """The CA: its certificate for everyone, its key for signing leaf certificates."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey = field(repr=False)

    @property
    def pem(self) -> bytes:
        """The certificate, PEM."""
        return self.certificate.public_bytes(Encoding.PEM)


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """A server certificate and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey = field(repr=False)

    @property
    def pem(self) -> bytes:
        """The certificate, PEM; clients have the CA's, so there is no chain."""
        return self.certificate.public_bytes(Encoding.PEM)


def load_or_create(
    data_dir: Path, *, name_constraints: Iterable[str] = (), clock: Callable[[], datetime] = _utc_now
) -> Authority:
    """The CA under ``data_dir/ca``, made if there is none yet; any number of processes may ask at once.

    ``name_constraints`` (domains, CIDRs) hold a new one to those names; one that exists stays as it is.
    Raises ``ConfigurationError`` if what is there cannot be used, ``ValueError`` for bad constraints, ``OSError``.
    """
    home = data_dir / "ca"
    if not _holds_anything(home):
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _locked(data_dir / ".ca.lock"):
            if not _holds_anything(home):
                _write(home, create(name_constraints=name_constraints, now=clock()))
    return _load(home, clock())


def create(*, name_constraints: Iterable[str] = (), now: datetime) -> Authority:
    """A new CA with a new key."""
    key = ec.generate_private_key(ec.SECP256R1())
    public = key.public_key()
    identifier = x509.SubjectKeyIdentifier.from_public_key(public)
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Gatehold"),
            x509.NameAttribute(NameOID.COMMON_NAME, f"Gatehold agent CA {identifier.digest.hex()[:8]}"),
        ]
    )
    builder = (
        x509.CertificateBuilder(issuer_name=name, subject_name=name, public_key=public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATE)
        .not_valid_after(now + CA_LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(identifier, critical=False)
    )
    permitted = [_constraint(entry) for entry in name_constraints]
    if permitted:
        builder = builder.add_extension(_only(permitted), critical=True)
    return Authority(certificate=builder.sign(key, hashes.SHA256()), key=key)


class LeafIssuer:
    """Server certificates for the names that agents connect to; each is made once and again before it runs out."""

    def __init__(self, authority: Authority, *, clock: Callable[[], datetime] = _utc_now) -> None:
        self._authority = authority
        self._clock = clock
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._cache: OrderedDict[tuple[str, ...], Leaf] = OrderedDict()
        extensions = authority.certificate.extensions
        identifier = extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
        self._issued_by = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier)

    def certificate_for(self, names: tuple[str, ...]) -> Leaf:
        """A certificate for DNS names (ASCII, lower case, no wildcard) and IP addresses.

        Raises ``ValueError`` for a name that cannot be certified.
        """
        known = self._cache.get(names)
        now = self._clock()
        if known is not None and known.certificate.not_valid_after_utc - now > LEAF_MARGIN:
            self._cache.move_to_end(names)
            return known
        leaf = Leaf(certificate=self._certify(names, now), key=self._key)
        self._cache[names] = leaf
        if len(self._cache) > CACHE_SIZE:
            self._cache.popitem(last=False)
        return leaf

    def _certify(self, names: tuple[str, ...], now: datetime) -> x509.Certificate:
        if not 0 < len(names) <= MAX_NAMES:
            raise ValueError("a certificate needs one name at least, and not too many")
        public = self._key.public_key()
        authority = self._authority.certificate
        builder = (
            x509.CertificateBuilder(issuer_name=authority.subject, subject_name=_LEAF_SUBJECT, public_key=public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(max(now - BACKDATE, authority.not_valid_before_utc))
            .not_valid_after(min(now + LEAF_LIFETIME, authority.not_valid_after_utc))
            .add_extension(x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(self._issued_by, critical=False)
        )
        return builder.sign(self._authority.key, hashes.SHA256())


def _general_name(name: str) -> x509.GeneralName:
    with suppress(ValueError):
        address = ipaddress.ip_address(name)
        if "%" not in name:
            return x509.IPAddress(address)
    if not _HOST.fullmatch(name):
        raise ValueError("not a DNS name (ASCII, lower case) or an IP address")
    return x509.DNSName(name)


def _constraint(entry: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_network(entry))
    except ValueError:
        return _general_name(entry)


def _only(permitted: list[x509.GeneralName]) -> x509.NameConstraints:
    """Permits these and nothing else: a kind of name that is not mentioned would be free (RFC 5280, 4.2.1.10)."""
    kinds = {type(name) for name in permitted}
    excluded: list[x509.GeneralName] = []
    if x509.IPAddress not in kinds:
        excluded += [x509.IPAddress(ipaddress.ip_network(everything)) for everything in ("0.0.0.0/0", "::/0")]
    if x509.DNSName not in kinds:
        excluded.append(x509.DNSName(""))
    return x509.NameConstraints(permitted_subtrees=permitted, excluded_subtrees=excluded or None)


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _holds_anything(home: Path) -> bool:
    return home.is_dir() and any(home.iterdir())


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _write(home: Path, authority: Authority) -> None:
    """Fill a directory beside ``home``, then rename it: both files appear at once."""
    new = home.with_name(f".ca.{secrets.token_hex(4)}")
    new.mkdir(mode=0o700)
    try:
        key = authority.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        for name, content, mode in (("ca-key.pem", key, 0o600), ("ca.pem", authority.pem, 0o644)):
            with os.fdopen(os.open(new / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
        new.rename(home)
    except BaseException:
        shutil.rmtree(new, ignore_errors=True)
        raise


def _load(home: Path, now: datetime) -> Authority:
    certificate_file, key_file = home / "ca.pem", home / "ca-key.pem"
    certificate = _read(certificate_file, x509.load_pem_x509_certificate)
    key = _read(key_file, lambda pem: load_pem_private_key(pem, password=None))
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
        raise _unusable(key_file, "is not the EC key of ca.pem")
    _check_may_sign(certificate_file, certificate)
    if now >= certificate.not_valid_after_utc:
        raise _unusable(certificate_file, f"has expired; remove {home}, and a new one is made")
    return Authority(certificate=certificate, key=key)


def _check_may_sign(file: Path, certificate: x509.Certificate) -> None:
    try:
        extensions = certificate.extensions
        may_sign = extensions.get_extension_for_class(x509.BasicConstraints).value.ca
        extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    except (x509.ExtensionNotFound, ValueError):
        may_sign = False
    if not may_sign:
        raise _unusable(file, "is not a CA certificate with a subject key identifier")


def _read[T](file: Path, parse: Callable[[bytes], T]) -> T:
    try:
        return parse(file.read_bytes())
    except OSError as error:
        raise _unusable(file, f"cannot be read: {error.strerror}") from None
    except (ValueError, TypeError):
        raise _unusable(file, "is not an unencrypted PEM file of its kind") from None


def _unusable(file: Path, message: str) -> ConfigurationError:
    return ConfigurationError([Problem(file=str(file), line=1, message=message)])
