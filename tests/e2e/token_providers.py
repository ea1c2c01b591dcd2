"""Real identity providers for agents: npm ``oidc-provider`` for programs, and npm ``samlp``."""

import base64
import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any

import httpx2
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from tests.e2e.harness import clean_environment, require
from tests.node_packages import node_packages

HERE = Path(__file__).parent
CLIENT_SECRET = "machine-planted-secret-52aa"
_ASSERTION = re.compile(rb"<saml:Assertion .*</saml:Assertion>", re.DOTALL)


@contextmanager
def _script(script: Path, place: Path, **environment: str) -> Iterator[tuple[IO[str], IO[str]]]:
    command = [require("node"), str(script)]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=clean_environment(MODULES=str(place), **environment),
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield process.stdin, process.stdout
        finally:
            process.stdin.close()
            process.wait(timeout=20)


@dataclass(frozen=True)
class MachineProvider:
    """Gives tokens to programs."""

    issuer: str
    said: IO[str]
    heard: IO[str]

    def token(self) -> str:
        """A JWT access token of the client ``planner``, by its secret."""
        answer = httpx2.post(
            f"{self.issuer}/token",
            data={"grant_type": "client_credentials"},
            auth=("planner", CLIENT_SECRET),
            trust_env=False,
            timeout=30,
        )
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])

    def change_key(self) -> None:
        """From now on it signs by another one, and publishes only that."""
        self.said.write("change\n")
        self.said.flush()
        assert self.heard.readline().strip() == "changed"


@contextmanager
def machine_provider() -> Iterator[MachineProvider]:
    """A provider that runs."""
    place = node_packages(HERE / "oidc" / "package.json", "openid")
    with _script(HERE / "oidc" / "machines.mjs", place, CLIENT_SECRET=CLIENT_SECRET) as (said, heard):
        issuer = heard.readline().strip()
        assert issuer.startswith("http://127.0.0.1:"), "the OpenID provider did not start"
        yield MachineProvider(issuer, said, heard)


@dataclass(frozen=True)
class SamlProvider:
    """Asserts what it is told to."""

    certificate: Path
    said: IO[str]
    heard: IO[str]

    def response(self, subject: str, **settings: Any) -> bytes:
        """A whole response, as a browser would carry it."""
        self.said.write(json.dumps({"subject": subject, "claims": {"groups": ["planners"]}} | settings) + "\n")
        self.said.flush()
        line = self.heard.readline().strip()
        assert not line.startswith("!"), line
        return base64.b64decode(line)

    def assertion(self, subject: str, **settings: Any) -> str:
        """The assertion in a response, in base64url."""
        found = _ASSERTION.search(self.response(subject, **settings))
        assert found is not None
        return base64.urlsafe_b64encode(found[0]).decode().rstrip("=")


@contextmanager
def saml_provider(directory: Path) -> Iterator[SamlProvider]:
    """A provider that runs, with a key of its own."""
    place = node_packages(HERE / "saml" / "package.json", "saml")
    directory.mkdir()
    key, certificate = directory / "key.pem", directory / "certificate.pem"
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    key.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    name, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "idp.test")]), datetime.now(UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(private.public_key())
    made = made.serial_number(1).not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=9))
    certificate.write_bytes(made.sign(private, hashes.SHA256()).public_bytes(Encoding.PEM))
    with _script(HERE / "saml" / "provider.mjs", place, CERTIFICATE=str(certificate), KEY=str(key)) as (said, heard):
        yield SamlProvider(certificate, said, heard)
