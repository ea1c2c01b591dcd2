"""The certificate authorities that an agent's clients trust: the system's and the gateway's own.

Most clients replace their trust by the file that a variable names, so that file holds both. Node adds what it is given
to its own, so it gets the gateway's alone. Java reads a PKCS #12 store, whose password protects nothing: what is in it
is public.
"""

import os
import re
import secrets
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import certifi
from cryptography import x509
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding
from cryptography.hazmat.primitives.serialization.pkcs12 import PKCS12Certificate, serialize_java_truststore

from policy.errors import GateholdError

AUTHORITY, BUNDLE, TRUST_STORE = "ca.pem", "ca-bundle.pem", "truststore.p12"
TRUST_STORE_PASSWORD = "changeit"  # noqa: S105 - Java's own default; the content is public
SYSTEM_BUNDLES = (
    Path("/etc/ssl/certs/ca-certificates.crt"),  # Debian, Ubuntu, Alpine
    Path("/etc/pki/tls/certs/ca-bundle.crt"),  # Fedora, RHEL
    Path("/etc/ssl/ca-bundle.pem"),  # SUSE
    Path("/etc/ssl/cert.pem"),  # macOS, BSD
)
MAX_BUNDLE = 8 * 1024 * 1024

_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----\s[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----")


class Untrusted(GateholdError):
    """There is nothing to trust: a bundle that cannot be read or holds no certificate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """What agents are to trust."""

    authority: bytes
    """The gateway's CA certificate, PEM."""
    bundle: bytes
    """The system's and the gateway's, PEM."""

    def trust_store(self) -> bytes:
        """The bundle for Java, PKCS #12. Salted: no two of them are alike."""
        entries = [PKCS12Certificate(certificate, name) for certificate, name in _named(self.bundle)]
        return serialize_java_truststore(entries, BestAvailableEncryption(TRUST_STORE_PASSWORD.encode()))


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustPaths:
    """Where the files are, as the agent's process sees them."""

    directory: str

    @property
    def authority(self) -> str:
        """The gateway's CA certificate alone."""
        return f"{self.directory}/{AUTHORITY}"

    @property
    def bundle(self) -> str:
        """The system's CA certificates and the gateway's."""
        return f"{self.directory}/{BUNDLE}"

    @property
    def trust_store(self) -> str:
        """The same for Java."""
        return f"{self.directory}/{TRUST_STORE}"


def joined(authority: bytes, system: Path | None = None) -> Trust:
    """The gateway's CA beside those of a bundle; left out: the system's, else certifi's. Raises Untrusted."""
    own = x509.load_pem_x509_certificate(authority).public_bytes(Encoding.PEM)
    found = _PEM.findall(_read(system or _system_bundle()))
    if not found:
        raise Untrusted(f"{system or _system_bundle()} holds no certificate (PEM)")
    blocks = dict.fromkeys((*(block.strip() + b"\n" for block in found), own))
    return Trust(authority=own, bundle=b"".join(blocks))


def write(trust: Trust, directory: Path) -> None:
    """Put the three files into a directory, readable for everybody, each whole or not at all. Raises OSError."""
    directory.mkdir(mode=0o755, parents=True, exist_ok=True)
    store = directory / TRUST_STORE
    if not store.exists() or _content(directory / BUNDLE) != trust.bundle:
        _put(store, trust.trust_store())
    for name, content in ((AUTHORITY, trust.authority), (BUNDLE, trust.bundle)):
        if _content(directory / name) != content:
            _put(directory / name, content)


def _system_bundle() -> Path:
    return next((path for path in SYSTEM_BUNDLES if path.is_file()), Path(certifi.where()))


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            content = stream.read(MAX_BUNDLE + 1)
    except OSError as error:
        raise Untrusted(f"{path}: {error.strerror}") from None
    if len(content) > MAX_BUNDLE:
        raise Untrusted(f"{path} is larger than {MAX_BUNDLE} bytes")
    return content


def _named(bundle: bytes) -> Iterable[tuple[x509.Certificate, bytes]]:
    """Certificates with the names of their entries; one that cannot be read is in the bundle only."""
    for number, block in enumerate(_PEM.findall(bundle)):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # old roots with odd serial numbers are for Java to judge
            try:
                yield x509.load_pem_x509_certificate(block), f"ca-{number}".encode()
            except ValueError:
                continue


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _put(path: Path, content: bytes) -> None:
    new = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644), "wb") as stream:
            os.fchmod(stream.fileno(), 0o644)  # whatever the umask: agents are other users
            stream.write(content)
        new.rename(path)
    finally:
        new.unlink(missing_ok=True)
