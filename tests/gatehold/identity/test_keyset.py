"""JWKS documents: only keys that can do what the issuer may do, and no document is too odd to be read or refused."""

import json
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from hypothesis import given
from hypothesis import strategies as st
from jwt.algorithms import get_default_algorithms

from gatehold.identity.keyset import FITTING, MAX_KEYS, parse_keys

ALL = tuple(FITTING)
RSA_KEY = rsa.generate_private_key(65537, 2048)


def published(private: Any, family: str, **members: Any) -> dict[str, Any]:
    """The public JWK of a private key, by PyJWT's own encoder."""
    public = json.loads(get_default_algorithms()[family].to_jwk(private.public_key()))
    public.pop("key_ops", None)
    return {**public, **members}


def document(*keys: Any) -> bytes:
    return json.dumps({"keys": list(keys)}).encode()


@pytest.mark.parametrize(
    ("algorithm", "private"),
    [
        ("RS256", RSA_KEY),
        ("RS512", RSA_KEY),
        ("PS256", RSA_KEY),
        ("ES256", ec.generate_private_key(ec.SECP256R1())),
        ("ES384", ec.generate_private_key(ec.SECP384R1())),
        ("ES512", ec.generate_private_key(ec.SECP521R1())),
        ("EdDSA", ed25519.Ed25519PrivateKey.generate()),
        ("EdDSA", ed448.Ed448PrivateKey.generate()),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_keys_verify_what_their_private_half_signed(algorithm: str, private: Any) -> None:
    """Every algorithm, against tokens that PyJWT itself makes; one changed byte is enough to fail."""
    key = parse_keys(document(published(private, algorithm, kid="k")), [algorithm]).named("k")
    assert key is not None
    token = jwt.encode({"sub": "a"}, private, algorithm=algorithm)
    signed, _, signature = token.encode().rpartition(b".")
    raw = jwt.utils.base64url_decode(signature)
    assert key.verifies(algorithm, signed, raw)
    assert not key.verifies(algorithm, signed + b"x", raw)
    assert not key.verifies(algorithm, signed, raw[:-1])
    assert not key.verifies(algorithm, signed, b"")
    assert not any(key.verifies(other, signed, raw) for other in ALL if other != algorithm)


def test_a_key_does_not_serve_algorithms_that_do_not_fit_it() -> None:
    """Type and curve decide; an EC key of one curve is nothing for the algorithm of another."""
    p384 = published(ec.generate_private_key(ec.SECP384R1()), "ES384", kid="k")
    assert parse_keys(document(p384), ["ES256", "RS256", "HS256"]).named("k") is None


def test_a_stated_algorithm_binds_the_key() -> None:
    """A key published for RS256 does not verify PS256, though its type would fit."""
    key = parse_keys(document(published(RSA_KEY, "RS256", kid="k", alg="RS256")), ["RS256", "PS256"]).named("k")
    assert key is not None
    assert key.algorithms == {"RS256"}


def test_symmetric_keys_are_for_symmetric_issuers_only() -> None:
    """An ``oct`` key in the document of an issuer that signs asymmetrically is not there."""
    shared = {"kty": "oct", "kid": "k", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA"}
    assert len(parse_keys(document(shared), ["RS256", "ES256", "EdDSA"])) == 0
    assert len(parse_keys(document(shared), ["HS256"])) == 1
    assert len(parse_keys(document({**shared, "k": "c2hvcnQ"}), ["HS256"])) == 0


@pytest.mark.parametrize(
    "members",
    [
        {"use": "enc"},
        {"use": ["sig"]},
        {"use": {}},
        {"key_ops": ["encrypt"]},
        {"key_ops": "verify"},
        {"d": "AQAB"},
        {"kid": 7},
        {"kid": "x" * 600},
        {"n": "AQAB"},
        {"n": 5},
        {"n": "!!"},
        {"e": "AQABAQABAQAB"},
        {"kty": "EC"},
        {"kty": ["RSA"]},
        {"alg": "none"},
        {"alg": "HS256"},
        {"alg": 5},
    ],
    ids=str,
)
def test_unusable_keys_are_left_out_and_the_others_stay(members: dict[str, Any]) -> None:
    """Keys for other uses, with a private part, too short, too slow or broken do not spoil the set."""
    good = published(RSA_KEY, "RS256", kid="good")
    keys = parse_keys(document({**good, "kid": "odd", **members}, good, "text", None, [1]), ["RS256"])
    assert len(keys) == 1
    assert keys.named("good") is not None


def test_huge_rsa_keys_are_left_out() -> None:
    """Verifying with one would cost the gateway, not the sender."""
    huge = {"kty": "RSA", "kid": "k", "e": "AQAB", "n": "_" * 3000}
    assert len(parse_keys(document(huge), ["RS256"])) == 0


def test_a_kid_for_two_keys_names_none() -> None:
    """Neither is chosen by order; the same key listed twice is one key."""
    one, two = (published(ec.generate_private_key(ec.SECP256R1()), "ES256", kid="k") for _ in range(2))
    rsa_key = published(RSA_KEY, "RS256", kid="k")
    assert parse_keys(document(one, two), ["ES256"]).named("k") is None
    assert parse_keys(document(one, two, one), ["ES256"]).named("k") is None
    assert parse_keys(document(one, rsa_key), ["ES256", "RS256"]).named("k") is None
    assert parse_keys(document(one, one), ["ES256"]).named("k") is not None


def test_without_kid_the_only_fitting_key_counts() -> None:
    """One key of a kind serves tokens without ``kid``; with two of them none does."""
    one, two = (published(ec.generate_private_key(ec.SECP256R1()), "ES256") for _ in range(2))
    both = ["ES256", "RS256"]
    assert parse_keys(document(one, published(RSA_KEY, "RS256")), both).only("ES256") is not None
    assert parse_keys(document(one, two), both).only("ES256") is None
    assert parse_keys(document(one), both).only("RS256") is None


@pytest.mark.parametrize(
    "text", [b"", b"[]", b"{}", b'{"keys": {}}', b"\xff", b"[" * 100_000, b'{"keys":[],"keys":[]}']
)
def test_what_is_no_jwks_document_is_refused(text: bytes) -> None:
    """A ``ValueError``, never anything else."""
    with pytest.raises(ValueError, match=r"JWKS|codec|nested|duplicate|Expecting|recursion"):
        parse_keys(text, ALL)


def test_too_many_keys_are_refused_as_a_whole() -> None:
    """A bomb of keys is not picked through."""
    with pytest.raises(ValueError, match="more than"):
        parse_keys(document(*({"kty": "RSA"} for _ in range(MAX_KEYS + 1))), ALL)


member = st.text(max_size=8) | st.sampled_from(["RSA", "EC", "OKP", "oct", "P-256", "Ed25519", "AQAB", "sig", "RS256"])
anything = st.none() | st.booleans() | st.integers() | member | st.lists(member, max_size=2)
names = st.sampled_from(["kty", "crv", "n", "e", "x", "y", "k", "d", "kid", "alg", "use", "key_ops"])


@given(st.lists(st.dictionaries(names, anything, max_size=8) | anything, max_size=4))
def test_any_entries_are_read_or_left_out(entries: list[Any]) -> None:
    """Whatever an issuer publishes, the document as a whole can be read."""
    assert len(parse_keys(document(*entries), ALL)) <= len(entries)


@pytest.mark.parametrize("members", [{"n": "_" * 200_000}, {"e": "_" * 200_000}, {"n": "B" * 200_000, "e": "Aw"}])
def test_numbers_without_end_are_left_out(members: dict[str, str]) -> None:
    """A set of the largest size that is fetched, all of it one number."""
    key = published(RSA_KEY, "RS256", kid="k", **members)
    assert len(parse_keys(document(key, published(RSA_KEY, "RS256", kid="good")), ["RS256"])) == 1


def test_a_key_of_one_tenant_is_not_another_tenants() -> None:
    """The same key under one ``kid`` for two issuers, or without ``kid``, is no key that could be found."""
    one, two = (published(RSA_KEY, "RS256", kid="k", issuer=f"https://{name}.example") for name in "ab")
    assert parse_keys(document(one, two), ["RS256"]).named("k") is None
    assert parse_keys(document(one, two), ["RS256"]).only("RS256") is None
    known = parse_keys(document(one), ["RS256"]).named("k")
    assert known is not None
    assert known.issuer == "https://a.example"
    assert known in parse_keys(document(one, two), ["RS256"])
    assert known not in parse_keys(document(two), ["RS256"])


def test_an_issuer_that_cannot_be_read_is_not_left_aside() -> None:
    """A key that is for somebody, it cannot be told whom, is for nobody."""
    keys = [published(RSA_KEY, "RS256", issuer=issuer) for issuer in (None, 7, ["https://a.example"])]
    assert len(parse_keys(document(*keys), ["RS256"])) == 0


@pytest.mark.parametrize(("use", "counts"), [("jwt-svid", True), ("x509-svid", False), ("enc", False), (None, False)])
def test_what_a_key_is_for(use: str | None, *, counts: bool) -> None:
    """SPIFFE bundles name the keys of JWTs ``jwt-svid`` (SPIFFE Trust Domain and Bundle, 4.1.4)."""
    assert bool(len(parse_keys(document(published(RSA_KEY, "RS256", use=use)), ["RS256"]))) is counts
