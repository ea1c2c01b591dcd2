"""Tokens of the embedded issuer."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from gatehold.identity.keys import keygen
from gatehold.identity.tokens import RESERVED, issue
from gatehold.identity.verifier import TokenVerifier


async def test_the_verifier_accepts_what_is_issued(spec: Callable[..., Any], tmp_path: Path, clock: Any) -> None:
    """Subject, groups, lifetime and further claims arrive as they were asked for."""
    _, private = keygen(tmp_path)
    token = issue(
        private,
        issuer="https://idp.corp.example",
        audience="gatehold",
        subject="planner",
        groups=["b", "a", "a"],
        ttl=90.7,
        claims={"team": "core"},
        now=clock(),
    )
    agent = await TokenVerifier([spec()], clock, monotonic=clock).verify(token)
    assert (agent.subject, agent.groups, agent.claims["team"]) == ("planner", ("a", "b"), "core")
    assert agent.expires_at == int(clock()) + 90


def test_each_token_is_its_own(tmp_path: Path) -> None:
    """``jti`` and ``sid`` are random; ``sid`` can be given, to go on in a session."""
    _, private = keygen(tmp_path)

    def claims(**further: Any) -> dict[str, Any]:
        token = issue(private, issuer="i", audience="a", subject="s", ttl=60, claims=further, now=100)
        read: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
        return read

    one, two = claims(), claims()
    assert one["jti"] != two["jti"]
    assert one["sid"] != two["sid"]
    assert claims(sid="same")["sid"] == "same"
    assert (one["iat"], one["nbf"], one["exp"]) == (100, 100, 160)


@pytest.mark.parametrize("name", sorted(RESERVED))
def test_claims_with_a_meaning_cannot_be_smuggled_in(tmp_path: Path, name: str) -> None:
    """Each has its own parameter, or is made here."""
    _, private = keygen(tmp_path)
    with pytest.raises(ValueError, match=name):
        issue(private, issuer="i", audience="a", subject="s", ttl=60, claims={name: "x"})


def test_unusable_key_files(tmp_path: Path) -> None:
    """Anything but an Ed25519 private key is refused without showing what is in the file."""
    other = ec.generate_private_key(ec.SECP256R1())
    pem = other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for content in (b"", b"planted-secret", pem):
        (tmp_path / "key.pem").write_bytes(content)
        with pytest.raises(ValueError, match=r"key\.pem holds no") as error:
            issue(tmp_path / "key.pem", issuer="i", audience="a", subject="s", ttl=60)
        assert "planted" not in str(error.value)
    with pytest.raises(OSError, match=r"gone\.pem"):
        issue(tmp_path / "gone.pem", issuer="i", audience="a", subject="s", ttl=60)


def test_no_token_without_a_lifetime(tmp_path: Path) -> None:
    """A second is the least."""
    _, private = keygen(tmp_path)
    with pytest.raises(ValueError, match="second"):
        issue(private, issuer="i", audience="a", subject="s", ttl=0.5)
