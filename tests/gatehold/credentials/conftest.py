"""Targets as a configuration describes them, a clock that is told the time, and a key pair for client certificates."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from gatehold.config.model import Target
from gatehold.config.target import TargetSpec
from tests.gatehold.credentials.clocks import NOW, Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def target(tmp_path: Path) -> Callable[..., Target]:
    """Makes a target with this credential; keywords are keys of its spec."""

    def make(credential: dict[str, Any] | None, name: str = "crm", **keys: Any) -> Target:
        family = "kubernetes" if credential and "kubernetes" in credential else "http"
        document = {"family": family, "hosts": [f"{name}.corp.example:443"], "credential": credential, **keys}
        return Target(name=name, spec=TargetSpec.model_validate(document, context={"base": str(tmp_path)}))

    return make


@dataclass(frozen=True)
class Pair:
    certificate: str
    key: str


def make_pair(until: datetime | None = None) -> Pair:
    """A self-signed client certificate and its key, PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "gateway")])
    ends = until or datetime.fromtimestamp(NOW, UTC) + timedelta(days=1)
    certificate = (
        x509.CertificateBuilder(issuer_name=name, subject_name=name, public_key=key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(ends - timedelta(days=2))
        .not_valid_after(ends)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return Pair(certificate.public_bytes(Encoding.PEM).decode(), pem.decode())


@pytest.fixture(name="make_pair")
def make_pair_fixture() -> Callable[..., Pair]:
    return make_pair


@pytest.fixture
def pair() -> Pair:
    return make_pair()
