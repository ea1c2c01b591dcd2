"""Key generation for the embedded issuer."""

import json
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from gatehold.identity.jwk import thumbprint
from gatehold.identity.keys import keygen, public_jwk
from gatehold.identity.keyset import parse_keys


def test_a_pair_that_belongs_together(tmp_path: Path) -> None:
    """PKCS 8 for its owner only; the public half as RFC 8037 has it, and nothing private in it."""
    public_file, private_file = keygen(tmp_path / "a/b")
    assert (public_file, private_file) == (tmp_path / "a/b/jwks.json", tmp_path / "a/b/private.pem")
    assert stat.S_IMODE(private_file.stat().st_mode) == 0o600
    assert private_file.read_bytes().startswith(b"-----BEGIN PRIVATE KEY-----")
    private = load_pem_private_key(private_file.read_bytes(), password=None)
    assert isinstance(private, Ed25519PrivateKey)
    (jwk,) = json.loads(public_file.read_bytes())["keys"]
    assert jwk == public_jwk(private.public_key())
    assert {**jwk, "x": ""} == {
        "kty": "OKP", "crv": "Ed25519", "x": "", "kid": thumbprint(jwk), "alg": "EdDSA", "use": "sig"
    }  # fmt: skip
    assert len(parse_keys(public_file.read_bytes(), ["EdDSA"])) == 1


@pytest.mark.parametrize("there", ["private.pem", "jwks.json"])
def test_nothing_is_overwritten_unless_asked(tmp_path: Path, there: str) -> None:
    """Either file stops it, untouched, and the other is not written; ``force`` replaces both."""
    (tmp_path / there).write_text("precious")
    with pytest.raises(FileExistsError, match=there):
        keygen(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == [there]
    assert (tmp_path / there).read_text() == "precious"
    keygen(tmp_path, force=True)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["jwks.json", "private.pem"]
    assert "precious" not in (tmp_path / there).read_text()


def test_a_failure_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No half of a key, no temporary file with one in it."""

    def fail(_: int) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(OSError, match="disk full"):
        keygen(tmp_path)
    assert list(tmp_path.iterdir()) == []
