"""Laws of signatures: only the configured keys, only strong algorithms, and what an assertion brings along is ignored."""

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from signxml.algorithms import CanonicalizationMethod
from signxml.signer import XMLSigner

from gatehold.identity.exchange.signature import certificates
from policy.errors import Refusal
from tests.gatehold.identity.exchange.conftest import (
    EC_KEY,
    OTHER_KEY,
    RSA_KEY,
    Clock,
    D,
    Said,
    Site,
    certificate,
    encoded,
    refused,
    signed,
)


@pytest.mark.parametrize("method", ["rsa-sha256", "rsa-sha384", "rsa-sha512", "sha256-rsa-MGF1", "sha512-rsa-MGF1"])
@pytest.mark.parametrize("digest", ["sha256", "sha384", "sha512"])
def test_strong_ones(site: Site, method: str, digest: str) -> None:
    """RSA of both kinds, with any SHA-2 of 256 bits at least."""
    made = signed(Said().xml(), signature_algorithm=method, digest_algorithm=digest)
    assert site.verify(made).agent.subject == "planner-1"


def test_elliptic_curves(site: Site) -> None:
    """P-256 and its like."""
    providers = site.providers(EC_KEY)
    assert providers.verify(encoded(signed(Said().xml(), EC_KEY)), now=site.clock()).agent.subject == "planner-1"


class Careless(XMLSigner):
    """Signs by algorithms that are broken."""

    def check_deprecated_methods(self) -> None:
        """Everything goes."""


def test_weak_ones(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """SHA-1 and SHA-224 as signature or digest, and shared secrets: the public certificate is known to everybody."""
    monkeypatch.setattr("tests.gatehold.identity.exchange.conftest.XMLSigner", Careless)
    xml = Said().xml()
    for options in (
        {"signature_algorithm": "rsa-sha1"},
        {"digest_algorithm": "sha1"},
        {"signature_algorithm": "rsa-sha224"},
        {"digest_algorithm": "sha224"},
    ):
        assert refused(site, signed(xml, **options)) == "assertion-algorithm"
    assert refused(site, signed(xml, certificate(), signature_algorithm="hmac-sha256")) == "assertion-algorithm"


@pytest.mark.parametrize(
    "form", [each for each in CanonicalizationMethod if each.value != "http://www.w3.org/2001/10/xml-exc-c14n#"]
)
def test_other_forms(site: Site, form: CanonicalizationMethod) -> None:
    """Exclusive canonicalization without comments is the only one: the others leave room for what nobody signed."""
    assert refused(site, signed(Said().xml(), c14n_algorithm=form)) == "assertion-unsigned"


def test_keys_that_are_brought_along(site: Site) -> None:
    """A certificate or key in the signature proves nothing, be it good or bad."""
    stranger = signed(Said().xml(), OTHER_KEY, cert=certificate(OTHER_KEY))
    assert refused(site, stranger) == "assertion-bad-signature"
    good = signed(Said().xml(), cert=certificate(OTHER_KEY))
    assert site.verify(good).agent.subject == "planner-1"
    info = good.find(f".//{D}KeyInfo")
    assert info is not None
    for inside in ("<x/>", "<ds:X509Data xmlns:ds='http://www.w3.org/2000/09/xmldsig#'/>", "<Assertion ID='_a2'/>"):
        info[:] = [etree.fromstring(inside)]
        assert site.verify(good).agent.subject == "planner-1"


def test_several_certificates(site: Site) -> None:
    """While a provider changes its key, either counts; afterwards one."""
    for key in (RSA_KEY, OTHER_KEY, EC_KEY):
        providers = site.providers(OTHER_KEY, RSA_KEY, EC_KEY)
        assert providers.verify(encoded(signed(Said().xml(), key)), now=site.clock()).agent.subject == "planner-1"
    with pytest.raises(Refusal):
        site.providers(OTHER_KEY).verify(encoded(signed(Said().xml())), now=site.clock())


@pytest.mark.parametrize("times", [{"until": -1}, {"since": 10}])
def test_certificates_out_of_time(site: Site, times: Any) -> None:
    """One that is over, or not good yet, verifies nothing."""
    with pytest.raises(Refusal) as caught:
        site.verify(signed(Said().xml()), pem=certificate(**times))
    assert caught.value.reason == "assertion-bad-signature"


@pytest.mark.parametrize(
    "pem",
    [
        b"",
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        certificate(rsa.generate_private_key(public_exponent=65537, key_size=1024)),
        certificate(ec.generate_private_key(ec.SECP256K1())),
    ],
)
def test_certificates_that_cannot_be_used(pem: bytes) -> None:
    """Nothing, no certificate, a key that is too short, a curve that is not accepted."""
    with pytest.raises(ValueError, match=r"."):
        certificates(pem)


def test_values_that_are_none(site: Site) -> None:
    """Empty, not base64, with children: refused as any other signature that is wrong."""
    for name in ("SignatureValue", "DigestValue"):
        for value in ("", " ", "!", "AAAA", "é", "A" * 5000):
            made = signed(Said().xml())
            found = made.find(f".//{D}{name}")
            assert found is not None
            found.text = value
            assert refused(site, made) in ("assertion-bad-signature", "assertion-unsigned")


SIGNED = etree.tostring(signed(Said().xml()))


@settings(max_examples=200)
@given(st.data())
def test_bytes_that_were_changed(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """Nothing but a refusal, or the very same agent, comes of an assertion with bytes that were cut, put in or changed."""
    site = Site(tmp_path_factory.getbasetemp(), Clock())
    at = data.draw(st.integers(0, len(SIGNED)))
    cut = data.draw(st.integers(0, 40))
    put = data.draw(
        st.one_of(st.binary(max_size=20), st.sampled_from([b"<x/>", b"<!--x-->", b"&#x41;", b" ", b"<ds:Signature/>"]))
    )
    changed = SIGNED[:at] + put + SIGNED[at + cut :]
    try:
        shown = site.verify(changed)
    except Refusal:
        return
    assert shown == site.verify(SIGNED)
