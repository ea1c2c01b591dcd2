"""An identity provider that signs whatever it is told to, a clock that tests set, and stores to test on."""

from base64 import urlsafe_b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from lxml import etree
from signxml.algorithms import CanonicalizationMethod, SignatureConstructionMethod
from signxml.signer import XMLSigner

from gatehold.config.exchange import SamlClaimsSpec, SamlSpec
from gatehold.identity.exchange.saml import SamlProviders, Shown
from gatehold.store import Store, open_store
from policy.codes import Code
from policy.errors import Refusal
from tests.postgres import emptied

NOW = 1_800_000_000.0
ENTITY = "https://idp.corp.example/saml"
AUDIENCE = "urn:gatehold"
RECIPIENT = "https://gateway.corp.example/oauth/token"
SAML = "urn:oasis:names:tc:SAML:2.0:assertion"
D = "{http://www.w3.org/2000/09/xmldsig#}"
EXCLUSIVE = CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0

RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())


DETAILS = ("The assertion was not accepted.", "The assertion has expired.")


@dataclass
class Clock:
    """Says what it was told."""

    now: float = NOW

    def __call__(self) -> float:
        return self.now


def moment(offset: float = 0.0) -> str:
    """A time of SAML, so many seconds from now."""
    return datetime.fromtimestamp(NOW + offset, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def certificate(key: Any = RSA_KEY, *, since: float = -3600, until: float = 86400 * 365) -> bytes:
    """A self-signed one, in PEM."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "idp.corp.example")])
    begins, ends = (datetime.fromtimestamp(NOW, UTC) + timedelta(seconds=each) for each in (since, until))
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(begins).not_valid_after(ends)
    return made.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)


@dataclass(kw_only=True)
class Said:
    """An assertion, part by part; each part is XML or None for none."""

    id: str = "_a1"
    attributes_of_root: str = f'Version="2.0" IssueInstant="{moment(-5)}"'
    issuer: str = f"<saml:Issuer>{ENTITY}</saml:Issuer>"
    name_id: str = "<saml:NameID>planner-1</saml:NameID>"
    confirmation: str = (
        '<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer">'
        f'<saml:SubjectConfirmationData Recipient="{RECIPIENT}" NotOnOrAfter="{moment(300)}"/>'
        "</saml:SubjectConfirmation>"
    )
    window: str = f'NotBefore="{moment(-5)}" NotOnOrAfter="{moment(3600)}"'
    conditions: str = f"<saml:AudienceRestriction><saml:Audience>{AUDIENCE}</saml:Audience></saml:AudienceRestriction>"
    authn: str = f'<saml:AuthnStatement AuthnInstant="{moment(-5)}" SessionIndex="_s1"><saml:AuthnContext><saml:AuthnContextClassRef>urn:x</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>'
    attributes: Mapping[str, Sequence[str]] = field(
        default_factory=lambda: {"groups": ("planners", "admins"), "team": ("blue",), "why": ("plans trips",)}
    )
    more: str = ""

    def xml(self) -> str:
        """Without a signature."""
        statement = "".join(
            f'<saml:Attribute Name="{name}">'
            + "".join(f"<saml:AttributeValue>{value}</saml:AttributeValue>" for value in values)
            + "</saml:Attribute>"
            for name, values in self.attributes.items()
        )
        return (
            f'<saml:Assertion xmlns:saml="{SAML}" ID="{self.id}" {self.attributes_of_root}>{self.issuer}'
            f"<saml:Subject>{self.name_id}{self.confirmation}</saml:Subject>"
            f"<saml:Conditions {self.window}>{self.conditions}</saml:Conditions>{self.authn}"
            + (f"<saml:AttributeStatement>{statement}</saml:AttributeStatement>" if statement else "")
            + f"{self.more}</saml:Assertion>"
        )


def signed(
    xml: str, key: Any = RSA_KEY, *, cert: bytes | None = None, uri: str | None = None, **options: Any
) -> etree._Element:
    """An element with the signature of its ID, right behind its issuer."""
    root = etree.fromstring(xml)
    options = {
        "method": SignatureConstructionMethod.enveloped,
        "signature_algorithm": "ecdsa-sha256" if key is EC_KEY else "rsa-sha256",
        "digest_algorithm": "sha256",
        "c14n_algorithm": EXCLUSIVE,
    } | options
    place = etree.SubElement(
        root, "{http://www.w3.org/2000/09/xmldsig#}Signature", nsmap={"ds": "http://www.w3.org/2000/09/xmldsig#"}
    )
    place.set("Id", "placeholder")
    root.remove(place)
    root.insert(1, place)
    return XMLSigner(**options).sign(root, key=key, cert=cert, reference_uri=uri or f"#{root.get('ID')}")


def encoded(element: etree._Element | str | bytes) -> str:
    """As it is sent."""
    data = etree.tostring(element) if isinstance(element, etree._Element) else element
    data = data.encode() if isinstance(data, str) else data
    return urlsafe_b64encode(data).decode().rstrip("=")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@dataclass
class Site:
    """A provider, as the gateway knows it."""

    directory: Path
    clock: Clock

    def providers(self, *keys: Any, pem: bytes = b"", **changes: Any) -> SamlProviders:
        """Those that verify; ``pem`` instead of certificates of ``keys``."""
        file = self.directory / "idp.pem"
        file.write_bytes(pem or b"".join(map(certificate, keys or (RSA_KEY,))))
        return SamlProviders([self.spec(file, **changes)])

    @staticmethod
    def spec(file: Path, **changes: Any) -> SamlSpec:
        values: dict[str, Any] = {
            "name": "corp-saml",
            "entity_id": ENTITY,
            "certificate": file,
            "audience": AUDIENCE,
            "recipient": RECIPIENT,
            "claims": SamlClaimsSpec(),
            "groups": ("plan*",),
        }
        return SamlSpec.model_construct(**(values | {"require": {}, "max_age": 300.0} | changes))

    def verify(self, element: etree._Element | str | bytes, **changes: Any) -> Shown:
        """What the gateway makes of it."""
        return self.providers(**changes).verify(encoded(element), now=self.clock())


def refused(site: Site, element: Any, **changes: Any) -> str:
    """Why an assertion is refused; it tells nobody else."""
    with pytest.raises(Refusal) as caught:
        site.verify(element, **changes)
    assert caught.value.code is Code.UNAUTHENTICATED
    assert caught.value.detail in DETAILS
    return caught.value.reason


@pytest.fixture
def site(tmp_path: Path, clock: Clock) -> Site:
    return Site(tmp_path, clock)


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """Every test that takes a store runs on both kinds."""
    url = emptied(request.getfixturevalue("postgres")) if request.param == "postgresql" else "sqlite"
    with open_store(url, tmp_path / "data") as opened:
        yield opened
